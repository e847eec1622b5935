/**
 * Whittle fine-tunes small image classifiers on your own pictures.
 *
 * @example
 * ```ts ignore
 * import { evaluate, exportIR, fineTune, imageFolders, predict, quantize } from "whittle";
 *
 * const data = await imageFolders("pets"); // pets/train/<class>/*.jpg, pets/val/<class>/*.jpg
 * const run = await fineTune("tf_efficientnet_lite0", data);
 * const evaluation = await evaluate(run, data.validation);
 * const [[best]] = await predict(run, "somebody.jpg");
 * const int8 = await quantize(run, data, { maxDrop: 0.01 });
 * await exportIR(int8, "pets_int8"); // model.xml and model.bin, compared with the trained model first
 * ```
 *
 * @module
 */
export { fineTune, type FineTuneOptions, type FineTuneResult } from "./lib/fine_tune.ts";
export { findLR, type FindLROptions, type FindLRResult } from "./lib/find_lr.ts";
export { evaluate, type EvaluateOptions } from "./lib/evaluate.ts";
export { exportIR, type ExportIROptions, type ExportIRResult } from "./lib/export_ir.ts";
export { exportONNX, type ExportONNXOptions, type ExportONNXResult } from "./lib/export_onnx.ts";
export { predict, type Prediction, type PredictOptions } from "./lib/predict.ts";
export { quantize, type QuantizeOptions, type QuantizeResult } from "./lib/quantize.ts";
export { loadModel, type LoadModelOptions } from "./lib/load_model.ts";
export { report } from "./lib/report.ts";
export { annotationFile } from "./lib/data/annotation_file.ts";
export { csvFile } from "./lib/data/csv_file.ts";
export { dataset } from "./lib/data/dataset.ts";
export { imageFolder, imageFolders } from "./lib/data/image_folder.ts";
export { inspect } from "./lib/inspect.ts";
export { split } from "./lib/data/split.ts";
export { ParityError } from "./lib/export/parity_error.ts";
export { AccuracyDropError, type ControlStep } from "./lib/quantization/accuracy_drop_error.ts";

export type { ClassWeightsOption } from "./lib/training/class_weights.ts";
export type { Environment } from "./lib/training/environment.ts";
export type * from "./lib/training/events.ts";
export type * from "./lib/lr_finder/events.ts";
export type { Judgement } from "./lib/lr_finder/judge.ts";
export type { SearchOutcome, Verdict } from "./lib/lr_finder/outcome.ts";
export type { RangeTestPoint } from "./lib/lr_finder/range_test.ts";
export type { LRSearch, LRSearchSettings, SearchMode } from "./lib/lr_finder/settings.ts";
export type { Trial } from "./lib/lr_finder/trial.ts";
export type { RunSearch } from "./lib/lr_finder/wanted_search.ts";
export type { AuxiliaryModel, Recipe } from "./lib/training/recipe.ts";
export type { LossName, LossSettings } from "./lib/training/am_softmax.ts";
export type { Device } from "./lib/tensorflow/engine.ts";
export type { ExecutorChoice } from "./lib/tensorflow/executor.ts";
export type { Precision } from "./lib/graph/compiled_function.ts";
export type { AugmentationStep } from "./lib/augment/augmentation_steps.ts";
export type { AugMixOptions } from "./lib/augment/aug_mix.ts";
export type { CutoutOptions } from "./lib/augment/cutout.ts";
export type { RandomCropOptions } from "./lib/augment/random_crop.ts";
export type { MixOptions } from "./lib/augment/mix_batch.ts";
export type { RandomErasingOptions } from "./lib/augment/random_erasing.ts";
export type { RandomResizedCropOptions } from "./lib/augment/random_resized_crop.ts";
export type { RotateOptions } from "./lib/augment/rotate.ts";
export type { TestTimeAugmentation } from "./lib/augment/test_time_views.ts";
export type { SamplerName } from "./lib/data/sampler.ts";
export type { EMAOptions } from "./lib/training/ema.ts";
export type { SAMOptions } from "./lib/training/sam.ts";
export type { OneCycleOptions } from "./lib/training/one_cycle.ts";
export type { PlateauOptions } from "./lib/training/schedules.ts";
export type {
  Dataset,
  DatasetSplits,
  ImageSource,
  RawImage,
  Sample,
  SampleInput,
} from "./lib/data/dataset.ts";
export type { AnnotationFileOptions } from "./lib/data/annotation_file.ts";
export type { CsvFileOptions } from "./lib/data/csv_file.ts";
export type { ImageFolderOptions } from "./lib/data/image_folder.ts";
export type { SplitOptions } from "./lib/data/split.ts";
export type { ExportInput, ExportMetadata } from "./lib/export/export_metadata.ts";
export type { ExportOptions } from "./lib/export/export_options.ts";
export type { Parity, ParityLimits, ParityNotChecked } from "./lib/export/parity.ts";
export type * from "./lib/provision/events.ts";
export type { AccuracyDrop } from "./lib/quantization/accuracy_drop.ts";
export type * from "./lib/quantization/events.ts";
export type { LayerReport } from "./lib/quantization/layer_report.ts";
export type { RangeChoice, RangeMethod } from "./lib/quantization/ranges.ts";
export type { Preprocessing } from "./lib/data/preprocessing.ts";
export type { Evaluation } from "./lib/metrics/evaluation.ts";
export type { ExportedDescription } from "./lib/runtimes/exported_description.ts";
export type { ClassEvaluation, Complexity, Mistake } from "./lib/metrics/evaluation.ts";
export type { ReliabilityBin } from "./lib/metrics/calibration_error.ts";
export type { LogitsOptions, Model } from "./lib/models/model.ts";
export type { Quantization } from "./lib/models/quantized/quantization.ts";
export type { ClassifierHead, ForwardOptions, ForwardResult, Network } from "./lib/models/network.ts";
export type { Source } from "./lib/models/source.ts";
export type { Displayed } from "./lib/notebook/display.ts";
export type { EvaluationFigures } from "./lib/notebook/evaluation_view.ts";
export type { SearchFigures, SearchSummary } from "./lib/notebook/find_lr_view.ts";
export type { QuantizeFigures } from "./lib/notebook/quantize_view.ts";
export type { RunFigures, RunSummary } from "./lib/notebook/run_view.ts";
export type { Figure, FigureSpec, Layout, Trace } from "./lib/plots/figure.ts";
export type { ParameterKind, ParameterSpec } from "./lib/models/layers.ts";
export type { ClassQuality } from "./lib/metrics/precision_recall_f1.ts";
export type { Inspection, InspectionFigures, InspectOptions } from "./lib/inspect.ts";
export type { Report, ReportOptions } from "./lib/report.ts";
export type { Finding, FindingItem, SetName, SetSummary, Spread } from "./lib/data/inspect_data.ts";
