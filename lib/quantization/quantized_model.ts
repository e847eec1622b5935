import { createModel, type Model } from "../models/model.ts";
import { modelRecord } from "../models/registry.ts";
import { createQuantizedNetwork } from "../models/quantized/quantized_network.ts";
import type { QuantizedWeights } from "./post_training.ts";

/**
 * A model that computes as its int8 file will.
 *
 * @param model The model it comes from.
 * @param quantized Weights of the folded network and all ranges; ranges that are not used are left out.
 * @param floatLayers Layers that are in float. @default {those of the quantisation}
 */
export function quantizedModel(
  { id, classNames, preprocessing, network }: Pick<Model, "id" | "classNames" | "preprocessing" | "network">,
  { folded, weights, quantization }: Pick<QuantizedWeights, "folded" | "weights" | "quantization">,
  floatLayers: readonly string[] = quantization.floatLayers,
): Model {
  const wanted = { ...quantization, floatLayers };
  const { parameters } = createQuantizedNetwork(network, folded, wanted);
  return createModel({
    record: modelRecord(id),
    classNames,
    preprocessing,
    quantization: wanted,
    folded,
    weights: Object.fromEntries(parameters.map(({ name }) => [name, weights[name]!])),
  });
}
