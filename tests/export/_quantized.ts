import { dataset } from "../../lib/data/dataset.ts";
import { createModel, type Model } from "../../lib/models/model.ts";
import type { OpenForTrainingOptions } from "../../lib/models/open_model.ts";
import { modelRecord } from "../../lib/models/registry.ts";
import { quantizeAfterTraining } from "../../lib/quantization/post_training.ts";
import { randomModel } from "./_networks.ts";

/** A network with random weights in int8, with ranges for these pictures. */
export async function quantizedModel(
  id: string,
  pictures: readonly URL[],
  options: OpenForTrainingOptions = {},
): Promise<Model> {
  const model = await randomModel(id, options);
  const { classNames, preprocessing } = model;
  const samples = pictures.map((image) => ({ image, label: 0 }));
  const { weights, quantization } = await quantizeAfterTraining(model, dataset(samples, classNames), {
    weightBits: 7,
    ranges: "meanMinMax",
    adaptStatistics: true,
    batchSize: pictures.length,
  });
  await model.dispose();
  return createModel({ record: modelRecord(model.id), classNames, preprocessing, weights, quantization });
}
