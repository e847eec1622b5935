import type { HostTensor } from "../../../lib/graph/host_tensor.ts";
import type { Network } from "../../../lib/models/network.ts";

/**
 * Puts ranges beside the weights of a folded network: of weights their largest magnitudes, of values -3 to 5.
 *
 * @param network The quantised network.
 * @param weights The folded network's.
 * @returns A tensor for each of the network's parameters.
 */
export function rangesFor(
  { parameters }: Network,
  weights: Readonly<Record<string, HostTensor>>,
): Record<string, HostTensor> {
  return Object.fromEntries(parameters.map(({ name, shape }) => {
    const found = weights[name];
    if (found !== undefined) return [name, found];
    const data = name.endsWith(".range")
      ? largest(weights[name.slice(0, -".range".length)]!, shape[0]!)
      : Float32Array.of(name.endsWith(".min") ? -3 : 5);
    return [name, { dtype: "float32", shape, data }];
  }));
}

function largest({ data }: HostTensor, outputs: number): Float32Array {
  const ranges = new Float32Array(outputs); // the outputs are the last axis, but for one of length 1
  data.forEach((value: number | bigint, index: number) => {
    ranges[index % outputs] = Math.max(ranges[index % outputs]!, Math.abs(Number(value)));
  });
  return ranges;
}
