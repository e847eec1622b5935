import {
  type TestTimeAugmentation,
  testTimeProblems,
  testTimeViews,
  type View,
} from "./augment/test_time_views.ts";
import type { Dataset, Sample } from "./data/dataset.ts";
import { createLoader } from "./data/loader.ts";
import { createEvaluation, type Evaluation } from "./metrics/evaluation.ts";
import { writeMetricsYaml } from "./metrics/metrics_yaml.ts";
import { predictionsPathProblem, writePredictions } from "./metrics/predictions_file.ts";
import type { Source } from "./models/source.ts";
import { provisionView } from "./notebook/provision_view.ts";
import { type EvaluationFigures, withEvaluationView } from "./notebook/evaluation_view.ts";
import type { Displayed } from "./notebook/display.ts";
import * as check from "./errors/check_options.ts";
import { descriptionFields, type ExportedDescription } from "./runtimes/exported_description.ts";
import { type Classifier, openClassifier } from "./runtimes/open_classifier.ts";
import type { Device } from "./tensorflow/engine.ts";
import { type ExecutorChoice, executorChoices } from "./tensorflow/executor.ts";

/** Options of {@linkcode evaluate}. */
export interface EvaluateOptions {
  /** Pictures a batch; changes speed and memory only. @default {32} */
  batchSize?: number;
  /** Where to write `metrics.yaml` in the reference's form. */
  saveMetricsTo?: string;
  /** Where to write what the model says of each picture: a `.csv` file with the best class, or `.json` with five. */
  savePredictionsTo?: string;
  /** How many of the worst mistakes to keep. @default {24} */
  keepMistakes?: number;
  /**
   * Averages the probabilities of several views of each picture: `true` for the picture and its mirror image, or
   * `{ flip: true, crops: true }` for five slight crops and their mirror images too. The result names the views.
   * @default {false}
   */
  testTimeAugmentation?: boolean | TestTimeAugmentation;
  /** What to do with a picture that cannot be read. @default {"error"} */
  onUnreadable?: "error" | "skip";
  /** Pictures decoded at the same time. @default {one for each core} */
  workers?: number;
  /** What to compute on. @default {"auto"} */
  device?: Device;
  /** What runs the network: `auto` takes oneDNN on CPUs it supports, else TensorFlow. @default {"auto"} */
  executor?: ExecutorChoice;
  /**
   * For an `.xml` or `.onnx` file that another program wrote: its classes, its preprocessing and what it is fed, as far
   * as the file does not say it in the words of OpenVINO's ModelAPI.
   */
  exported?: Partial<ExportedDescription>;
  /** Told how many pictures are done. */
  onProgress?: (progress: { done: number; total: number }) => unknown;
  /** Stops the evaluation: it throws the signal's reason. */
  signal?: AbortSignal;
}

const known = [
  "batchSize",
  "saveMetricsTo",
  "savePredictionsTo",
  "keepMistakes",
  "testTimeAugmentation",
  "onUnreadable",
  "workers",
  "device",
  "executor",
  "exported",
  "onProgress",
  "signal",
] as const;

/**
 * Measures a model on labelled pictures.
 *
 * @param source A model, a result of `fineTune` or `quantize`, or the path of a checkpoint or of an exported `.xml` or
 * `.onnx` file.
 * @param dataset Pictures whose classes are the model's; matched by name, so that their order does not matter.
 * @param options See {@linkcode EvaluateOptions}.
 * @returns Accuracies, per-class quality, confusion matrix, calibration and the worst mistakes. It shows itself in a
 * notebook, prints as text, and draws `figures`.
 * @throws {RangeError} If the data set has classes the model does not know, or the model's scores are not finite.
 * @throws {TypeError} If an argument is of the wrong type.
 * @throws {DatasetError} If pictures cannot be read.
 * @throws {SyntaxError} If an exported file is damaged.
 * @throws {LibraryError} If what runs the model cannot be had.
 *
 * @example
 * ```ts ignore
 * import { evaluate, imageFolder } from "whittle";
 *
 * const evaluation = await evaluate("outputs/pets/best.safetensors", await imageFolder("pets/test"));
 * console.log(evaluation.top1, evaluation.top1Interval);
 * ```
 */
export async function evaluate(
  source: Source,
  dataset: Dataset,
  options: EvaluateOptions = {},
): Promise<Displayed<Evaluation, EvaluationFigures>> {
  check.checkOptions(options, known, "evaluate");
  check.checkValues("evaluate", [
    check.positiveInteger("batchSize", options.batchSize),
    check.wholeNumber("keepMistakes", options.keepMistakes),
    ...testTimeProblems("testTimeAugmentation", options.testTimeAugmentation),
    check.oneOf("onUnreadable", options.onUnreadable, ["error", "skip"]),
    check.positiveInteger("workers", options.workers),
    check.ofType("saveMetricsTo", options.saveMetricsTo, "string"),
    predictionsPathProblem("savePredictionsTo", options.savePredictionsTo),
    check.oneOf("device", options.device, ["auto", "cpu", "gpu"]),
    check.oneOf("executor", options.executor, executorChoices),
    check.ofType("onProgress", options.onProgress, "function"),
  ]);
  check.checkOptions(options.exported, descriptionFields, "evaluate", "exported model");
  if (!Array.isArray(dataset?.samples)) throw new TypeError(withoutSamples);
  const { device, executor, exported, signal } = options;
  const views = testTimeViews(options.testTimeAugmentation);
  if (options.saveMetricsTo !== undefined && views.length > 0) throw new RangeError(withoutViews);
  const classifier = await openClassifier(source, {
    device,
    executor,
    exported,
    onProgress: provisionView(),
    signal,
  });
  try {
    return await evaluateClassifier(classifier, dataset, options, views);
  } finally {
    await classifier.dispose();
  }
}

async function evaluateClassifier(
  classifier: Classifier,
  dataset: Dataset,
  options: EvaluateOptions,
  views: readonly View[],
): Promise<Displayed<Evaluation, EvaluationFigures>> {
  const { classNames, preprocessing, path, complexity } = classifier;
  if (options.saveMetricsTo !== undefined && path === undefined) throw new TypeError(withoutFile);
  const samples = relabel(dataset, classNames);
  const total = samples.length;
  const loader = createLoader({ ...dataset, classNames, samples }, {
    preprocessing,
    batchSize: Math.min(options.batchSize ?? 32, Math.max(total, 1)),
    training: false,
    onUnreadable: options.onUnreadable ?? "error",
    workers: options.workers,
    signal: options.signal,
  });
  const inference = await classifier.createInference(loader.batchSize);
  const logits: Float32Array[] = [];
  const evaluated: Sample[] = [];
  try {
    for await (const batch of loader.epoch(0)) {
      logits.push(...await inference.logits(batch.images, batch.count, views));
      for (let row = 0; row < batch.count; row++) evaluated.push(samples[batch.indices[row]!]!);
      options.onProgress?.({ done: evaluated.length, total });
    }
  } finally {
    await inference.dispose();
  }
  const evaluation = createEvaluation({
    logits,
    labels: Int32Array.from(evaluated, ({ label }) => label),
    classNames,
    samples: evaluated,
    ...(complexity && { complexity }),
    ...(views.length === 0 ? {} : { views: views.map(({ name }) => name) }),
    ...(options.keepMistakes === undefined ? {} : { keepMistakes: options.keepMistakes }),
  });
  if (options.saveMetricsTo !== undefined && path !== undefined) {
    await writeMetricsYaml(options.saveMetricsTo, evaluation, { snapshotPath: path });
  }
  if (options.savePredictionsTo !== undefined) {
    await writePredictions(options.savePredictionsTo, { logits, samples: evaluated, classNames });
  }
  return withEvaluationView(evaluation);
}

const withoutSamples = "Cannot evaluate: found no labelled pictures, wanted one data set\n" +
  "  help: pass data.validation, or what imageFolder(path) returns";

const withoutViews =
  "Cannot write metrics.yaml: it is for the model alone, and these numbers are of several views of each picture\n" +
  "  help: leave out saveMetricsTo or testTimeAugmentation";

const withoutFile =
  "Cannot write metrics.yaml: it names the file of the weights, and this model comes from none\n" +
  "  help: evaluate the path of a checkpoint, or the result of fineTune";

/** Samples with the model's class indices. */
function relabel(dataset: Dataset, classNames: readonly string[]): Sample[] {
  const indices = dataset.classNames.map((name) => classNames.indexOf(name));
  const unknown = dataset.classNames.filter((_, label) => indices[label] === -1);
  if (unknown.length > 0) {
    const shown = unknown.slice(0, 5).map((name) => JSON.stringify(name)).join(", ");
    throw new RangeError(
      `Cannot evaluate on "${dataset.name}": the model does not know ${unknown.length} of its ` +
        `${dataset.classNames.length} classes: ${shown}${
          unknown.length > 5 ? ` (and ${unknown.length - 5} more)` : ""
        }\n` +
        `  help: the model's classes are ${classNames.slice(0, 5).join(", ")}${
          classNames.length > 5 ? " ..." : ""
        }`,
    );
  }
  return dataset.samples.map((sample) => ({ ...sample, label: indices[sample.label]! }));
}
