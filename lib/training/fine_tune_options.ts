import type { AugmentationStep } from "../augment/augmentation_steps.ts";
import type { MixOptions } from "../augment/mix_batch.ts";
import type { DatasetSplits } from "../data/dataset.ts";
import { checkClassNames } from "../data/dataset.ts";
import { DatasetError, type DatasetProblem } from "../data/dataset_error.ts";
import type { SamplerName } from "../data/sampler.ts";
import type { Precision } from "../graph/compiled_function.ts";
import type { Model } from "../models/model.ts";
import { isWeightsPath } from "../models/open_model.ts";
import { findModelRecord, type ModelRecord, modelRecord } from "../models/registry.ts";
import { checkSearchNames, type RunSearch, runSearchProblems } from "../lr_finder/wanted_search.ts";
import type { Device } from "../tensorflow/engine.ts";
import { type ExecutorChoice, executorChoices } from "../tensorflow/executor.ts";
import { classWeights, type ClassWeightsOption } from "./class_weights.ts";
import type { TrainingEvent } from "./events.ts";
import type { LossName } from "./am_softmax.ts";
import type { EMAOptions } from "./ema.ts";
import type { OneCycleOptions } from "./one_cycle.ts";
import type { AuxiliaryModel, Recipe } from "./recipe.ts";
import { recipeFieldNames, recipeProblems } from "./recipe_fields.ts";
import { recipeChanges, settleRecipe } from "./settle_recipe.ts";
import type { SAMOptions } from "./sam.ts";
import type { PlateauOptions } from "./schedules.ts";
import * as check from "../errors/check_options.ts";

/** Options of `fineTune`. */
export interface FineTuneOptions {
  /**
   * How to train: `baseline`, `adaptive` (all techniques of the reference, and as many epochs as it takes), or a recipe
   * as plain data, of which what is left out is the baseline's. The options below change single fields of it; their
   * defaults here are the baseline's.
   * @default {"baseline"}
   */
  recipe?: "baseline" | "adaptive" | Partial<Recipe>;
  /** Times the training set is gone through; with `resumeFrom` as many as the run had, for they shape its schedule. @default {30} */
  epochs?: number;
  /** Pictures a step. @default {32} */
  batchSize?: number;
  /**
   * Learning rate at the start.
   * @default {the recipe's, scaled to the batch size; the recipe `adaptive` looks for one, see `findLR`}
   */
  learningRate?: number;
  /**
   * Looks for the learning rate before the run, as the function `findLR` does; settings may be given. With `stopAfter`
   * the run ends before it trains. What is found counts for the auxiliary models too, unless they have their own rates.
   * @default {only with the recipe `adaptive` and without a learning rate}
   */
  findLR?: boolean | RunSearch;
  /**
   * `cosine` falls to 0 at the end of the run; `plateau` falls to a tenth each time the training loss has not fallen for
   * six epochs, down to a 200th; `constant` stays; `oneCycle` rises to the learning rate and falls to almost 0, from step
   * to step. @default {"cosine"}
   */
  schedule?: "cosine" | "constant" | "plateau" | "oneCycle";
  /** With the schedule `plateau`: when and how it reduces. @default {as said there} */
  plateau?: PlateauOptions;
  /** With the schedule `oneCycle`: how it rises and falls. @default {as torch's `OneCycleLR`} */
  oneCycle?: OneCycleOptions;
  /** Epochs over which the rate rises from a tenth. @default {0} */
  warmUpEpochs?: number;
  /**
   * The loss and the classifier that belongs to it: `amSoftmax` and `cosineSoftmax` have a cosine classifier.
   * @default {"softmax"}
   */
  loss?: LossName;
  /** With `amSoftmax`: what the true class's cosine counts less. @default {0.35} */
  margin?: number;
  /** With a cosine classifier: what cosines are multiplied by. @default {"auto"} with `amSoftmax`, 1 with `cosineSoftmax` */
  scale?: number | "auto";
  /** Share of the target spread over all classes, 0..1. @default {0} */
  labelSmoothing?: number;
  /** `"auto"` weighs classes by inverse frequency (mean 1); or a weight by class name. @default {none} */
  classWeights?: ClassWeightsOption;
  /**
   * Part of the velocity that stays from step to step, 0..1; `oneCycle` has its own, unless its `momentum` is `null`.
   * @default {0.9}
   */
  momentum?: number;
  /** L2 penalty on every parameter. @default {0.0005} */
  weightDecay?: number;
  /** Sharpness-aware minimisation: two passes a step; OpenVINO Training Extensions take `{ rho: 0.05 }`. @default {none} */
  sam?: SAMOptions;
  /** Only weights of convolutions and linear layers decay, and biases have twice the learning rate. @default {false} */
  noBiasDecay?: boolean;
  /**
   * What the learning rate is multiplied with from a layer to the one before it (timm's `layer_decay`), above 0, up to 1:
   * layers near the pictures change less than those near the classes. It holds for auxiliary models too. @default {1}
   */
  layerDecay?: number;
  /**
   * Epochs that come before `epochs` and in which only the classifier learns. The features of the pictures, without
   * augmentation, are computed once and kept in memory (5 KB a picture), so that these epochs cost next to nothing.
   * Needs weights that know something already. @default {0}
   */
  freezeEpochs?: number;
  /** Learning rate of these epochs. @default {`learningRate`} */
  freezeLearningRate?: number;
  /** Share of the classifier's inputs that is left out in each step, 0..1. @default {0} */
  dropout?: number;
  /**
   * Models that learn together with this one, each from the mean of all their probabilities too; only this one is
   * validated and returned. OpenVINO Training Extensions take `[{ model: "mobilenetv3_large_100", dropout: 0.2 }]`.
   * @default {none}
   */
  auxiliaryModels?: readonly AuxiliaryModel[];
  /**
   * A moving average of the weights beside them: each epoch both are validated and the better one counts; OpenVINO
   * Training Extensions take `{ decay: 0.999 }`. @default {none}
   */
  ema?: EMAOptions;
  /**
   * Epochs without a better validation top-1 after which the run ends; with the schedule `plateau` only epochs at the
   * lowest rate count. @default {never}
   */
  earlyStoppingPatience?: number;
  /**
   * `"baseline"` flips and crops at random; `"none"` leaves pictures as they are; a list of steps is done in its order,
   * e.g. `[{ kind: "augMix", magnitude: 4, width: 2 }, { kind: "cutout" }, { kind: "flip" }]`. @default {"baseline"}
   */
  augmentation?: "baseline" | "none" | readonly AugmentationStep[];
  /**
   * Blends the pictures of a batch, and their labels, by a share that is drawn from Beta(alpha, alpha) for each batch;
   * timm's recipes take `{ alpha: 0.2 }` to `{ alpha: 0.8 }`. @default {none}
   */
  mixup?: MixOptions;
  /**
   * Exchanges a rectangle between the pictures of a batch, and their labels by its area; timm's recipes take
   * `{ alpha: 1 }`. With `mixup` each batch has one of both. @default {none}
   */
  cutmix?: MixOptions;
  /**
   * `"shuffled"` takes each picture once an epoch; `"balanced"` takes as many of each class, for data with large and
   * small classes. An epoch is as long either way. @default {"shuffled"}
   */
  sampler?: SamplerName;
  /** First weights, as in `loadModel`: a tag, a path, or `null` for random ones. @default {the model's published ones} */
  weights?: string | null;
  /** Side of the square input, in pixels. @default {the weights' own, 224} */
  imageSize?: number;
  /** Decides order, augmentation and random weights. @default {0} */
  seed?: number;
  /** Folder of checkpoints and logs. @default {`outputs/<model>-<time>`} */
  outputDir?: string;
  /** Folder of a run (or its `resume.safetensors`) to go on with, bit for bit where it stopped. */
  resumeFrom?: string;
  /** What to compute on. @default {"auto"} */
  device?: Device;
  /** What runs the network: `auto` takes oneDNN on CPUs it supports, else TensorFlow. @default {"auto"} */
  executor?: ExecutorChoice;
  /**
   * What products and convolutions of a training step are computed in; `bf16` is for oneDNN on processors with AMX.
   * Weights and statistics stay float32, and validation computes in float32. @default {"float32"}
   */
  precision?: Precision;
  /** Pictures decoded at the same time. @default {one for each core} */
  workers?: number;
  /** What to do with a picture that cannot be read. @default {"error"} */
  onUnreadable?: "error" | "skip";
  /** Log files to write into `outputDir`. @default {["csv", "jsonl", "tensorboard"]} */
  logs?: readonly ("csv" | "jsonl" | "tensorboard")[];
  /** Whether progress shows itself: curves in a notebook, a bar in a terminal. @default {true, if `onEvent` is not given} */
  view?: boolean;
  /** Seconds between resume checkpoints within an epoch; there is one after each epoch anyway. @default {300} */
  checkpointSeconds?: number;
  /** Told about everything that happens; what it returns is awaited. */
  onEvent?: (event: TrainingEvent) => unknown;
  /** Stops the run after the step it is in; it saves and returns the best so far, as Ctrl-C and the Stop button do. */
  signal?: AbortSignal;
}

const known: readonly (keyof FineTuneOptions)[] = [
  "recipe",
  "epochs",
  "batchSize",
  "learningRate",
  "findLR",
  "schedule",
  "plateau",
  "oneCycle",
  "warmUpEpochs",
  "loss",
  "margin",
  "scale",
  "dropout",
  "auxiliaryModels",
  "labelSmoothing",
  "classWeights",
  "momentum",
  "weightDecay",
  "sam",
  "noBiasDecay",
  "layerDecay",
  "freezeEpochs",
  "freezeLearningRate",
  "ema",
  "earlyStoppingPatience",
  "augmentation",
  "mixup",
  "cutmix",
  "sampler",
  "weights",
  "imageSize",
  "seed",
  "outputDir",
  "resumeFrom",
  "device",
  "executor",
  "precision",
  "workers",
  "onUnreadable",
  "logs",
  "view",
  "checkpointSeconds",
  "onEvent",
  "signal",
];

/**
 * Refuses what `fineTune` cannot run with, before anything is downloaded or opened.
 *
 * @param source A model id, the path of a checkpoint, or a model.
 * @param data Training and validation set.
 * @param options The options.
 * @throws {TypeError} If an option is unknown, or an argument is of the wrong type.
 * @throws {RangeError} If a value cannot be used.
 * @throws {DatasetError} If the data lacks a set, has fewer than two classes, or has labels that are no classes.
 */
export function checkFineTune(source: string | Model, data: DatasetSplits, options: FineTuneOptions): void {
  checkSource(source);
  check.checkOptions(options, known, "fineTune");
  const { recipe } = options;
  if (typeof recipe === "object") check.checkOptions(recipe, recipeFieldNames, "fineTune", "recipe");
  checkSearchNames(options);
  check.checkValues("fineTune", [
    ...valueProblems(options),
    ...runSearchProblems(options, knownRecord(source)),
  ]);
  if (options.resumeFrom === undefined && typeof source === "string" && !isWeightsPath(source)) {
    settleRecipe(modelRecord(source), options);
  }
  checkData(data);
  classWeights(recipeChanges(options).classWeights, data.train);
}

/** The record of a model that need not be opened first, if there is one of that id. */
export function knownRecord(source: string | Model): ModelRecord | undefined {
  const id = typeof source === "string" ? source : source.id;
  return isWeightsPath(id) ? undefined : findModelRecord(id);
}

/**
 * Refuses what is no model.
 *
 * @param source What was passed.
 * @param verb Who was called.
 * @throws {TypeError} If it is neither an id, a path nor a model.
 */
export function checkSource(source: string | Model, verb = "fineTune"): void {
  if (typeof source === "string" && source !== "") return;
  if (typeof source === "object" && source !== null && "network" in source && "weights" in source) return;
  const found = source === "" ? "an empty text" : source === null ? "null" : typeof source;
  throw new TypeError(
    `Cannot run ${verb}(): found ${found} for the model, wanted a model id, the path of a checkpoint or a model\n` +
      `  help: write for example ${verb}("tf_efficientnet_lite0", data)`,
  );
}

/**
 * Tells which values of options cannot be used, each for itself; the search's are not looked at.
 *
 * @param options The options.
 * @returns The problems.
 */
export function valueProblems(options: FineTuneOptions): (check.OptionProblem | undefined)[] {
  const { recipe, weights, signal, logs } = options;
  const problem = (option: keyof FineTuneOptions, wanted: string, wrongType: boolean) => ({
    option,
    found: options[option],
    wanted,
    wrongType,
  });
  return [
    ...recipeOption(recipe),
    ...recipeProblems(options as Readonly<Record<string, unknown>>),
    weights === null ? undefined : check.ofType("weights", weights, "string"),
    check.positiveInteger("imageSize", options.imageSize),
    check.wholeNumber("seed", options.seed),
    check.ofType("outputDir", options.outputDir, "string"),
    check.ofType("resumeFrom", options.resumeFrom, "string"),
    check.oneOf("device", options.device, ["auto", "cpu", "gpu"]),
    check.oneOf("executor", options.executor, executorChoices),
    check.positiveInteger("workers", options.workers),
    check.oneOf("onUnreadable", options.onUnreadable, ["error", "skip"]),
    check.ofType("view", options.view, "boolean"),
    check.nonNegativeNumber("checkpointSeconds", options.checkpointSeconds),
    check.ofType("onEvent", options.onEvent, "function"),
    signal === undefined || signal instanceof AbortSignal
      ? undefined
      : problem("signal", "an AbortSignal", true),
    ...(logs === undefined || Array.isArray(logs)
      ? (logs ?? []).map((log) => check.oneOf("logs", log, ["csv", "jsonl", "tensorboard"]))
      : [problem("logs", "an array", true)]),
  ];
}

/** A name, or fields of a recipe. */
function recipeOption(recipe: unknown): (check.OptionProblem | undefined)[] {
  if (typeof recipe !== "object" || recipe === null) {
    const problem = check.oneOf("recipe", recipe, ["baseline", "adaptive"]);
    return [problem && { ...problem, wanted: `${problem.wanted}, or an object with fields of a recipe` }];
  }
  return [
    check.ofType("recipe.name", (recipe as Partial<Recipe>).name, "string"),
    ...recipeProblems(recipe as Readonly<Record<string, unknown>>, "recipe."),
  ];
}

/**
 * Refuses data that nothing can be trained on.
 *
 * @param data Training and validation set.
 * @throws {DatasetError} If the data lacks a set, has fewer than two classes, or has labels that are no classes.
 */
export function checkData(data: DatasetSplits): void {
  const help = 'pass what imageFolders("folder") returns, or { classNames, train, validation }';
  const isSet = (set: unknown) => Array.isArray((set as { samples?: unknown } | undefined)?.samples);
  if (!Array.isArray(data?.classNames) || !isSet(data.train) || !isSet(data.validation)) {
    throw new DatasetError("Cannot train: the data must have class names, a training and a validation set", {
      help,
    });
  }
  checkClassNames(data.train.name, data.classNames);
  for (const set of [data.train, data.validation]) {
    if (set.samples.length === 0) {
      throw new DatasetError(`Cannot train: "${set.name}" has no pictures`, { help });
    }
    const isClass = (label: number) =>
      Number.isInteger(label) && label >= 0 && label < data.classNames.length;
    const problems: DatasetProblem[] = set.samples.filter(({ label }) => !isClass(label)).map((
      { name, label },
    ) => ({ name, reason: `label ${label} is not an index 0 to ${data.classNames.length - 1}` }));
    if (problems.length > 0) {
      throw new DatasetError(
        `Cannot train: ${problems.length} of ${set.samples.length} labels of "${set.name}" are not classes`,
        { problems, help: "make data sets from lists with dataset(samples, classNames)" },
      );
    }
  }
}
