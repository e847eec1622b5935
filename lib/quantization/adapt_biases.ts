import type { HostTensor } from "../graph/host_tensor.ts";
import { compareLayers, type Comparison } from "./compare_layers.ts";

/**
 * Changes biases so that each channel of each layer has the mean it has in float. It fits the layers that are quantised:
 * with others, the biases are to be found anew, from those in float.
 *
 * This is what NNCF's batch-norm adaptation is for; batch norms are folded here, so that their mean is in the bias.
 *
 * @param pair Networks and pictures; biases of the quantised one are not read.
 * @returns Weights and ranges of the quantised network, with other biases.
 * @see Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, 2019,
 * https://arxiv.org/abs/1906.04721, 4.2
 */
export async function adaptBiases(pair: Omit<Comparison, "adapt">): Promise<Record<string, HostTensor>> {
  const { folded, float } = pair;
  const weights = { ...pair.quantized };
  for (const { bias } of folded.layers) if (bias !== undefined) weights[bias] = float[bias]!;
  const differences = await compareLayers({ ...pair, quantized: weights, adapt: true });
  for (const { name, bias } of folded.layers) {
    if (bias === undefined) continue;
    const { shape, data } = weights[bias]!, { meanDifference } = differences[name]!;
    weights[bias] = {
      dtype: "float32",
      shape,
      data: Float32Array.from(data as Float32Array, (value, channel) => value + meanDifference[channel]!),
    };
  }
  return weights;
}
