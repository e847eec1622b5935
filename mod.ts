/**
 * Whittle fine-tunes small image classifiers on your own pictures.
 *
 * @example
 * ```ts ignore
 * import { evaluate, fineTune, imageFolders, predict } from "whittle";
 *
 * const data = await imageFolders("pets"); // pets/train/<class>/*.jpg, pets/val/<class>/*.jpg
 * const run = await fineTune("tf_efficientnet_lite0", data);
 * const evaluation = await evaluate(run, data.validation);
 * const [[best]] = await predict(run, "somebody.jpg");
 * ```
 *
 * @module
 */
export { fineTune, type FineTuneOptions, type FineTuneResult } from "./lib/fine_tune.ts";
export { evaluate, type EvaluateOptions } from "./lib/evaluate.ts";
export type { Source } from "./lib/models/source.ts";
export type { Evaluation } from "./lib/metrics/evaluation.ts";
export type { Model } from "./lib/models/model.ts";
export { predict, type Prediction, type PredictOptions } from "./lib/predict.ts";
export { loadModel, type LoadModelOptions } from "./lib/load_model.ts";
export { report } from "./lib/report.ts";
export { annotationFile } from "./lib/data/annotation_file.ts";
export { csvFile } from "./lib/data/csv_file.ts";
export { dataset } from "./lib/data/dataset.ts";
export { imageFolder, imageFolders } from "./lib/data/image_folder.ts";
export { inspect } from "./lib/inspect.ts";
export { split } from "./lib/data/split.ts";
