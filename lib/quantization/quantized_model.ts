import type { HostTensor } from "../graph/host_tensor.ts";
import { createModel, type Model } from "../models/model.ts";
import type { Quantization } from "../models/quantized/quantization.ts";
import { createNetwork, modelRecord } from "../models/registry.ts";
import { foldNetwork } from "../models/quantized/folded_network.ts";
import { createQuantizedNetwork } from "../models/quantized/quantized_network.ts";

/**
 * A model that computes as its int8 file will.
 *
 * @param model The model it comes from.
 * @param weights Weights of the folded network and all ranges; ranges that are not used are left out.
 * @param quantization What is quantised.
 */
export function quantizedModel(
  { id, classNames, preprocessing, network }: Pick<Model, "id" | "classNames" | "preprocessing" | "network">,
  weights: Readonly<Record<string, HostTensor>>,
  quantization: Quantization,
): Model {
  const record = modelRecord(id);
  const float = createNetwork(record, { numClasses: classNames.length, head: network.head });
  const { parameters } = createQuantizedNetwork(float, foldNetwork(float, preprocessing.size), quantization);
  return createModel({
    record,
    classNames,
    preprocessing,
    quantization,
    weights: Object.fromEntries(parameters.map(({ name }) => [name, weights[name]!])),
  });
}
