import type { Loader } from "../data/loader.ts";
import type { Model } from "../models/model.ts";
import { adaptBiases } from "./adapt_biases.ts";
import type { QuantizedWeights } from "./post_training.ts";

/**
 * Puts layers of a quantised network back to float. Biases that give channels their means back are found anew, for they
 * fit the layers that were quantised; biases that were learnt stay.
 *
 * @param model The model in float.
 * @param quantized Its quantised weights, with all layers in int8.
 * @param floatLayers The layers.
 * @param loader Calibration pictures.
 * @param signal Stops it.
 */
export async function withFloatLayers(
  { preprocessing }: Pick<Model, "preprocessing">,
  quantized: QuantizedWeights,
  floatLayers: readonly string[],
  loader: Loader,
  signal?: AbortSignal,
): Promise<QuantizedWeights> {
  const { folded, float, weights, isAdapted } = quantized;
  const quantization = { ...quantized.quantization, floatLayers };
  if (floatLayers.length === 0 || !isAdapted) return { ...quantized, quantization };
  const pair = { folded, float, quantized: weights, quantization, preprocessing, loader, signal };
  return { ...quantized, quantization, weights: await adaptBiases(pair) };
}
