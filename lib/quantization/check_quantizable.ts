import type { DatasetSplits } from "../data/dataset.ts";
import { DatasetError, listNames } from "../data/dataset_error.ts";
import type { Model } from "../models/model.ts";

/**
 * Refuses a model that cannot be quantised with some data.
 *
 * @param model The model.
 * @param data What it was trained on.
 * @throws {TypeError} If the model is quantised already.
 * @throws {DatasetError} If the data's classes are others.
 */
export function checkQuantizable(
  { quantization, classNames }: Pick<Model, "quantization" | "classNames">,
  data: Pick<DatasetSplits, "classNames">,
): void {
  if (quantization !== undefined) {
    throw new TypeError(
      "Cannot quantise this model: it is quantised already\n  help: pass the model in float that it was made from",
    );
  }
  if (JSON.stringify(classNames) === JSON.stringify(data.classNames)) return;
  throw new DatasetError(
    `Cannot quantise: the model's classes are ${listNames(classNames, 5)}, and the data's are ${
      listNames(data.classNames, 5)
    }`,
    { help: "pass the data the model was trained on" },
  );
}
