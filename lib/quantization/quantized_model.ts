import { createModel, type Model } from "../models/model.ts";
import { modelRecord } from "../models/registry.ts";
import { createQuantizedNetwork } from "../models/quantized/quantized_network.ts";
import type { QuantizedWeights } from "./post_training.ts";

/**
 * A model that computes as its int8 file will.
 *
 * @param model The model it comes from.
 * @param quantized Weights of the folded network and all ranges; ranges that are not used are left out.
 */
export function quantizedModel(
  { id, classNames, preprocessing, network }: Pick<Model, "id" | "classNames" | "preprocessing" | "network">,
  { folded, weights, quantization }: Pick<QuantizedWeights, "folded" | "weights" | "quantization">,
): Model {
  const { parameters } = createQuantizedNetwork(network, folded, quantization);
  return createModel({
    record: modelRecord(id),
    classNames,
    preprocessing,
    quantization,
    folded,
    weights: Object.fromEntries(parameters.map(({ name }) => [name, weights[name]!])),
  });
}
