import type { Loader } from "../data/loader.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import type { FoldedNetwork } from "../models/quantized/folded_network.ts";
import type { Quantization } from "../models/quantized/quantization.ts";
import type { SpecTree } from "../tensorflow/record.ts";

/** A network in float and quantised, and pictures to look at both with. */
export interface NetworkPair {
  readonly folded: FoldedNetwork;
  readonly quantization: Quantization;
  /** Weights of the folded network in float. */
  readonly float: Readonly<Record<string, HostTensor>>;
  /** Weights and ranges of the quantised network. */
  readonly quantized: Readonly<Record<string, HostTensor>>;
  readonly preprocessing: Preprocessing;
  readonly loader: Loader;
  readonly signal?: AbortSignal;
}

/**
 * Names and shapes of both networks' weights and of a batch of pictures, for recording.
 *
 * @param pair The networks.
 * @returns Specs `images` (uint8 `[batch, height, width, 3]`), `float/*` and `quantized/*`.
 */
export function pairSpecs({ float, quantized, preprocessing: { size }, loader }: NetworkPair) {
  const specs = (values: Readonly<Record<string, HostTensor>>): SpecTree =>
    Object.fromEntries(
      Object.entries(values).map(([name, { shape }]) => [name, { dtype: "float32", shape }]),
    );
  return {
    images: { dtype: "uint8", shape: [loader.batchSize, size.height, size.width, 3] },
    float: specs(float),
    quantized: specs(quantized),
  } as const;
}

/** The weights of both networks under the names of {@linkcode pairSpecs}. */
export function pairVariables({ float, quantized }: NetworkPair): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries({ float, quantized }).flatMap(([part, values]) =>
      Object.entries(values).map(([name, value]) => [`${part}/${name}`, value])
    ),
  );
}
