import type { HostTensor } from "../graph/host_tensor.ts";
import type { NetworkLayer } from "../models/quantized/find_layers.ts";

/**
 * Ranges of a layer's weights, one for each output: symmetric, and as far as makes the squares of the errors least.
 *
 * @param weights Convolution `[height, width, in, out]`, depthwise `[height, width, channels, 1]`, linear `[in, out]`.
 * @param kind What layer it is.
 * @param bits Bits of a weight; the lowest value is not used.
 * @returns Float32 `[out]`, above 0: weights are quantised to `-range..range`.
 */
export function weightRanges(weights: HostTensor, kind: NetworkLayer["kind"], bits: number): Float32Array {
  const { shape } = weights;
  const data = weights.data as Float32Array;
  const outputs = kind === "depthwise" ? shape[2]! : shape.at(-1)!;
  const largestNumber = 2 ** (bits - 1) - 1;
  const ranges = new Float32Array(outputs);
  const channel = new Float32Array(data.length / outputs);
  for (let output = 0; output < outputs; output++) {
    let largest = 0;
    for (let index = 0; index < channel.length; index++) {
      channel[index] = data[index * outputs + output]!;
      largest = Math.max(largest, Math.abs(channel[index]!));
    }
    ranges[output] = Math.max(bestRange(channel, largest, largestNumber), 1e-9);
  }
  return ranges;
}

/** The largest weight, or less where clipping it makes the others' errors smaller by more. */
function bestRange(channel: Float32Array, largest: number, largestNumber: number): number {
  let best = largest, least = Infinity;
  for (let share = 1; share >= 0.6; share -= 0.025) {
    const range = largest * share, step = range / largestNumber;
    let error = 0;
    for (let index = 0; index < channel.length; index++) {
      const weight = channel[index]!;
      const rounded = Math.round(weight / step);
      const clipped = Math.abs(rounded) > largestNumber ? Math.sign(rounded) * largestNumber : rounded;
      error += (weight - clipped * step) ** 2;
      if (error >= least) break;
    }
    if (error < least) [best, least] = [range, error];
  }
  return best;
}
