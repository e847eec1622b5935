import type { Loader } from "../data/loader.ts";
import type { Model } from "../models/model.ts";
import type { Quantization } from "../models/quantized/quantization.ts";
import { compareLayers } from "./compare_layers.ts";
import type { QuantizedWeights } from "./post_training.ts";
import type { RuntimeTimes } from "./score_in_runtime.ts";
import { layerSensitivity } from "./sensitivity.ts";

/** A layer in the report of a quantisation. */
export interface LayerReport {
  /** E.g. `blocks.0.0.conv_dw`. */
  readonly name: string;
  /** What it computes. */
  readonly kind: "convolution" | "depthwise" | "linear";
  /** What it computes with in the end; `float` where the promise did not hold otherwise. */
  readonly precision: "int8" | "float";
  /** Signal-to-noise ratio of its result in the quantised network, in decibels, with all the rounding before it. */
  readonly decibels: number;
  /**
   * Share of what rounding changes in the logits that is this layer's own, 0..1; an estimate, of the network with all
   * layers in int8.
   */
  readonly share: number;
  /** What OpenVINO runs it with, e.g. `jit_avx2_1x1_I8`; nothing where it became part of another operation. */
  readonly kernel?: string;
  /** How long OpenVINO takes for it, for one picture. */
  readonly milliseconds?: number;
}

/** What each layer's quantisation changes in the logits, as a share of all, worst first. */
export async function rankLayers(
  model: Model,
  quantized: QuantizedWeights,
  loader: Loader,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const changes = await layerSensitivity({
    ...networksOf(model, quantized),
    float: quantized.weights, // what a layer goes back to: fine-tuned weights that are not rounded
    loader,
    numClasses: model.classNames.length,
    signal,
  });
  const total = Object.values(changes).reduce((sum, change) => sum + change, 0) || 1;
  return new Map(
    Object.entries(changes).map(([name, change]) => [name, change / total] as const).sort(([, a], [, b]) =>
      b - a
    ),
  );
}

/**
 * What OpenVINO calls the operation that a layer became: by itself, without its bias, a linear one in int8, and one whose
 * name it gives to the scale behind it, as a cosine classifier has.
 */
const runtimeSuffixes = ["", "/without_bias", "/without_bias/DequantizationMultiply", "_original"];

/**
 * Tells of each layer how it fares.
 *
 * @param model The model in float.
 * @param quantized Its quantised weights.
 * @param quantization What is quantised in the end.
 * @param loader Pictures to look at.
 * @param shares From {@linkcode rankLayers}.
 * @param times Measured in the runtime.
 * @param options `signal` and `onProgress`.
 */
export async function reportLayers(
  model: Model,
  quantized: QuantizedWeights,
  quantization: Quantization,
  loader: Loader,
  shares: ReadonlyMap<string, number>,
  times: RuntimeTimes,
  options: {
    readonly signal?: AbortSignal;
    readonly onProgress?: (done: number, total: number) => unknown;
  } = {},
): Promise<LayerReport[]> {
  const differences = await compareLayers({
    ...networksOf(model, quantized),
    quantization,
    loader,
    adapt: false,
    ...options,
  });
  const { layers } = quantized.folded;
  return layers.map(({ name, kind, part }, index) => {
    // Files name the last operation after the file's output.
    const names = [name, ...(part === "classifier" && index === layers.length - 1 ? ["logits"] : [])];
    const operation = names.flatMap((name) => runtimeSuffixes.map((suffix) => name + suffix))
      .map((name) => times.operations.get(name)).find((operation) => operation !== undefined);
    return {
      name,
      kind,
      precision: quantization.floatLayers.includes(name) ? "float" : "int8",
      decibels: differences[name]!.decibels,
      share: shares.get(name) ?? 0,
      ...(operation === undefined ? {} : operation),
    };
  });
}

function networksOf({ preprocessing }: Model, { folded, quantization, float, weights }: QuantizedWeights) {
  return { preprocessing, folded, quantization, float, quantized: weights };
}
