import { join } from "node:path";
import type { DatasetSplits } from "./data/dataset.ts";
import { DatasetError } from "./data/dataset_error.ts";
import { initialise } from "./models/initialise.ts";
import { createModel, type Model } from "./models/model.ts";
import { createNetwork, modelRecord } from "./models/registry.ts";
import type { HostTensor } from "./graph/host_tensor.ts";
import { openModel } from "./models/open_model.ts";
import { isNotebook } from "./notebook/display.ts";
import { type RunFigures, withRunView } from "./notebook/run_view.ts";
import { withStopSignal } from "./notebook/stop_signal.ts";
import { notebookView } from "./notebook/training_view.ts";
import { startBackend } from "./tensorflow/backend.ts";
import type { Device } from "./tensorflow/engine.ts";
import { CheckpointError, hashData, loadResume, type ResumeCheckpoint } from "./training/checkpoint.ts";
import { type ClassWeightsOption, imbalanceRatio } from "./training/class_weights.ts";
import { compareEnvironments, describeEnvironment, type Environment } from "./training/environment.ts";
import type { EpochRecord, StopReason, TrainingEvent } from "./training/events.ts";
import * as check from "./training/options.ts";
import { csvLog } from "./training/readers/csv_log.ts";
import { jsonlLog } from "./training/readers/jsonl_log.ts";
import type { EventReader } from "./training/readers/reader.ts";
import { tensorboardLog } from "./training/readers/tensorboard_log.ts";
import { terminalBar } from "./training/readers/terminal_bar.ts";
import { baselineRecipe, type Recipe } from "./training/recipe.ts";
import { train } from "./training/trainer.ts";

/** Options of {@linkcode fineTune}. */
export interface FineTuneOptions {
  /**
   * How to train.
   * @default {"baseline"}
   */
  recipe?: "baseline";
  /** Times the training set is gone through. @default {30} */
  epochs?: number;
  /** Pictures a step. @default {32} */
  batchSize?: number;
  /** Learning rate at the start. @default {the recipe's, scaled to the batch size} */
  learningRate?: number;
  /** Epochs over which the rate rises from a tenth. @default {0} */
  warmUpEpochs?: number;
  /** The loss. @default {"softmax"} */
  loss?: "softmax";
  /** Share of the target spread over all classes, 0..1. @default {0} */
  labelSmoothing?: number;
  /** `"auto"` weighs classes by inverse frequency (mean 1); or a weight by class name. @default {none} */
  classWeights?: ClassWeightsOption;
  /** Epochs without a better validation top-1 after which the run ends. @default {never} */
  earlyStoppingPatience?: number;
  /** `"baseline"` flips and crops at random; `"none"` leaves pictures as they are. @default {"baseline"} */
  augmentation?: "baseline" | "none";
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
  /** Told about everything that happens; awaited. */
  onEvent?: (event: TrainingEvent) => void | Promise<void>;
  /** Stops the run after the step it is in; it saves and returns the best so far, as Ctrl-C and the Stop button do. */
  signal?: AbortSignal;
}

const known = [
  "recipe",
  "epochs",
  "batchSize",
  "learningRate",
  "warmUpEpochs",
  "loss",
  "labelSmoothing",
  "classWeights",
  "earlyStoppingPatience",
  "augmentation",
  "weights",
  "imageSize",
  "seed",
  "outputDir",
  "resumeFrom",
  "device",
  "workers",
  "onUnreadable",
  "logs",
  "view",
  "checkpointSeconds",
  "onEvent",
  "signal",
] as const;

/** What {@linkcode fineTune} returns. It shows itself in a notebook, prints as text, and draws `figures`. */
export interface FineTuneResult {
  /** The model with the best weights. */
  readonly model: Model;
  /** The epoch they come from; `undefined` if the run was stopped before one was finished. */
  readonly best: EpochRecord | undefined;
  /** One row an epoch. */
  readonly history: readonly EpochRecord[];
  /** Path of the best weights, for `loadModel`, `evaluate`, `predict` and timm. */
  readonly checkpoint: string;
  /** Why the run ended. */
  readonly stopped: StopReason;
  /** How the model was trained. */
  readonly recipe: Recipe;
  /** The seed of the run. */
  readonly seed: number;
  /** Library, device and processor. */
  readonly environment: Environment;
  /** Folder of checkpoints and logs. */
  readonly outputDir: string;
  /** Seconds this call took. */
  readonly durationSeconds: number;
  /** Draws the training curves when asked. */
  readonly figures: RunFigures;
}

/**
 * Fine-tunes a model on labelled pictures.
 *
 * @param model A model id (timm's names), the path of a checkpoint, or a `Model`. The classifier is made anew unless
 * its classes are the data's.
 * @param data Training and validation set, e.g. from `imageFolders`.
 * @param options See {@linkcode FineTuneOptions}.
 * @returns The model with the best weights by validation top-1, and the history.
 * @throws {TypeError} If an option is unknown or of the wrong type.
 * @throws {RangeError} If an option's value cannot be used, a model id is unknown, or the loss becomes NaN.
 * @throws {DatasetError} If the data cannot be used.
 * @throws {CheckpointError} If a run cannot be resumed.
 *
 * @example
 * ```ts ignore
 * import { fineTune, imageFolders } from "whittle";
 *
 * const data = await imageFolders("pets"); // pets/train/<class>/*.jpg, pets/val/<class>/*.jpg
 * const run = await fineTune("tf_efficientnet_lite0", data, { epochs: 10 });
 * console.log(run.best?.validationTop1, run.checkpoint);
 * ```
 */
export async function fineTune(
  model: string | Model,
  data: DatasetSplits,
  options: FineTuneOptions = {},
): Promise<FineTuneResult> {
  checkFineTuneOptions(options);
  checkData(data);
  return await withStopSignal((signal) => run(model, data, options, signal), { signal: options.signal });
}

async function run(
  source: string | Model,
  data: DatasetSplits,
  options: FineTuneOptions,
  signal: AbortSignal,
): Promise<FineTuneResult> {
  const started = performance.now();
  const warnings = imbalanceWarning(data, options);
  const engine = await startBackend({ device: options.device });
  const environment = describeEnvironment(engine);
  const start = options.resumeFrom === undefined
    ? await startAnew(source, data, options)
    : await startAgain(source, data, options, options.resumeFrom, environment, warnings);
  const { recipe, seed, model, resume } = start;
  const outputDir = options.outputDir ?? start.outputDir;
  await createFolder(outputDir);
  const readers = openReaders(outputDir, options);
  const emit = async (event: TrainingEvent) => {
    for (const reader of readers) await reader(event);
    await options.onEvent?.(event);
  };
  try {
    for (const message of warnings) await emit({ type: "warning", message });
    const outcome = await train({
      model: model.id,
      network: model.network,
      preprocessing: model.preprocessing,
      weights: model.weights,
      data,
      recipe,
      seed,
      environment,
      outputDir,
      resume,
      checkpointSeconds: options.checkpointSeconds ?? 300,
      workers: options.workers,
      onUnreadable: options.onUnreadable,
      signal,
      emit,
    });
    const { weights, best, history, checkpoint, stopped } = outcome;
    return withRunView({
      model: createModel({
        record: modelRecord(model.id),
        classNames: data.classNames,
        weights,
        preprocessing: model.preprocessing,
      }),
      best,
      history,
      checkpoint,
      stopped,
      recipe,
      seed,
      environment,
      outputDir,
      durationSeconds: (performance.now() - started) / 1000,
    });
  } finally {
    for (const reader of readers) await reader.close();
  }
}

/** What a run begins with. */
interface Start {
  readonly model: Model;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly outputDir: string;
  readonly resume?: ResumeCheckpoint;
}

async function startAnew(
  source: string | Model,
  data: DatasetSplits,
  options: FineTuneOptions,
): Promise<Start> {
  const seed = options.seed ?? 0;
  const { device, weights, imageSize, signal } = options;
  const model = typeof source === "string"
    ? await openModel(source, { weights, imageSize, seed, device, signal, classNames: data.classNames })
    : withClasses(source, data.classNames, seed);
  const changes = {
    batchSize: options.batchSize,
    epochs: options.epochs,
    learningRate: options.learningRate,
    warmUpEpochs: options.warmUpEpochs,
    labelSmoothing: options.labelSmoothing,
    classWeights: options.classWeights,
    earlyStoppingPatience: options.earlyStoppingPatience,
    augmentation: options.augmentation,
  };
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  return {
    model,
    recipe: baselineRecipe(modelRecord(model.id), given),
    seed,
    outputDir: join("outputs", `${model.id}-${time}`),
  };
}

/** The same network with a fresh classifier, if its classes are not the data's. */
function withClasses(model: Model, classNames: readonly string[], seed: number): Model {
  const record = modelRecord(model.id);
  const { preprocessing } = model;
  const same = model.classNames.length === classNames.length &&
    model.classNames.every((name, index) => name === classNames[index]);
  if (same) return createModel({ record, classNames, weights: model.weights, preprocessing });
  const network = createNetwork(record, { numClasses: classNames.length });
  const fresh = initialise(network.parameters, seed);
  const weights: Record<string, HostTensor> = {};
  for (const { name } of network.parameters) {
    weights[name] = name.startsWith("classifier.") ? fresh[name]! : model.weights[name]!;
  }
  return createModel({ record, classNames, weights, preprocessing });
}

/** Goes on with a run: its recipe and seed count, and what is asked for must not contradict them. */
async function startAgain(
  source: string | Model,
  data: DatasetSplits,
  options: FineTuneOptions,
  resumeFrom: string,
  environment: Environment,
  warnings: string[],
): Promise<Start> {
  const resume = await loadResume(resumeFrom);
  const { recipe, seed } = resume;
  const id = typeof source === "string" ? modelRecord(source).id : source.id;
  const settings: Record<string, unknown> = {
    ...recipe,
    seed,
    imageSize: resume.preprocessing.size.height,
    recipe: recipe.name,
  };
  const problems: string[] = [];
  if (id !== resume.model) problems.push(`model: was ${resume.model}, is ${id}`);
  if (hashData(data) !== resume.dataHash) problems.push("data: the names or labels of the pictures differ");
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || !(name in settings) || name === "weights") continue;
    if (JSON.stringify(value) !== JSON.stringify(settings[name])) {
      problems.push(`${name}: was ${JSON.stringify(settings[name])}, is ${JSON.stringify(value)}`);
    }
  }
  if (problems.length > 0) {
    throw new CheckpointError(
      `Cannot resume from "${resumeFrom}": it is another run\n  ${problems.join("\n  ")}\n` +
        `  help: pass the same model, data and options, or start a new run from its weights with { weights: ... }`,
    );
  }
  const differences = compareEnvironments(resume.environment, environment);
  if (differences.length > 0) {
    warnings.push(
      `The run goes on in another environment, so its bits may differ from an uninterrupted one: ${
        differences.join("; ")
      }`,
    );
  }
  const record = modelRecord(resume.model);
  const state = Object.entries(resume.tensors);
  const weights: Record<string, HostTensor> = {};
  for (const prefix of ["parameters/", "statistics/"]) {
    for (const [name, value] of state) {
      if (name.startsWith(prefix)) weights[name.slice(prefix.length)] = value;
    }
  }
  const model = createModel({
    record,
    classNames: resume.classNames,
    weights,
    preprocessing: resume.preprocessing,
  });
  const outputDir = (await Deno.stat(resumeFrom)).isDirectory ? resumeFrom : join(resumeFrom, "..");
  return { model, recipe, seed, outputDir, resume };
}

function openReaders(outputDir: string, options: FineTuneOptions): EventReader[] {
  const logs = options.logs ?? ["csv", "jsonl", "tensorboard"];
  const readers: EventReader[] = [];
  if (logs.includes("csv")) readers.push(csvLog(join(outputDir, "history.csv")));
  if (logs.includes("jsonl")) readers.push(jsonlLog(join(outputDir, "events.jsonl")));
  if (logs.includes("tensorboard")) readers.push(tensorboardLog(join(outputDir, "tensorboard")));
  if (options.view ?? options.onEvent === undefined) {
    if (isNotebook()) readers.push(notebookView());
    else if (Deno.stderr.isTerminal()) readers.push(terminalBar());
  }
  return readers;
}

async function createFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
    const probe = join(path, `.${crypto.randomUUID().slice(0, 8)}.tmp`);
    await Deno.writeFile(probe, new Uint8Array());
    await Deno.remove(probe);
  } catch (error) {
    throw new CheckpointError(
      `Cannot write to "${path}": ${error instanceof Error ? error.message : error}\n` +
        `  help: pass { outputDir: ... }, a folder that you may write to`,
      { cause: error },
    );
  }
}

function checkFineTuneOptions(options: FineTuneOptions): void {
  check.checkOptions(options, known, "fineTune");
  check.checkValues("fineTune", [
    check.oneOf("recipe", options.recipe, ["baseline"]),
    check.oneOf("loss", options.loss, ["softmax"]),
    check.positiveInteger("epochs", options.epochs),
    check.positiveInteger("batchSize", options.batchSize),
    check.positiveNumber("learningRate", options.learningRate),
    check.wholeNumber("warmUpEpochs", options.warmUpEpochs),
    check.ratio("labelSmoothing", options.labelSmoothing),
    check.positiveInteger("earlyStoppingPatience", options.earlyStoppingPatience),
    check.oneOf("augmentation", options.augmentation, ["baseline", "none"]),
    check.positiveInteger("imageSize", options.imageSize),
    check.wholeNumber("seed", options.seed),
    check.ofType("outputDir", options.outputDir, "string"),
    check.ofType("resumeFrom", options.resumeFrom, "string"),
    check.oneOf("device", options.device, ["auto", "cpu", "gpu"]),
    check.positiveInteger("workers", options.workers),
    check.oneOf("onUnreadable", options.onUnreadable, ["error", "skip"]),
    check.ofType("view", options.view, "boolean"),
    check.nonNegativeNumber("checkpointSeconds", options.checkpointSeconds),
    check.ofType("onEvent", options.onEvent, "function"),
    ...(options.logs ?? []).map((log) => check.oneOf("logs", log, ["csv", "jsonl", "tensorboard"])),
  ]);
}

function checkData(data: DatasetSplits): void {
  const wanted = 'help: pass what imageFolders("folder") returns, or { classNames, train, validation }';
  if (data?.train === undefined || data?.validation === undefined) {
    throw new DatasetError(`Cannot train: the data must have a training and a validation set\n  ${wanted}`);
  }
}

function imbalanceWarning(data: DatasetSplits, options: FineTuneOptions): string[] {
  const ratio = imbalanceRatio(data.train);
  if (ratio <= 10 || options.classWeights !== undefined) return [];
  return [
    `The largest class has ${ratio.toFixed(0)} times the pictures of the smallest; ` +
    `{ classWeights: "auto" } gives them the same say`,
  ];
}
