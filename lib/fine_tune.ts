import { dirname, join, resolve } from "node:path";
import type { DatasetSplits } from "./data/dataset.ts";
import { writeFailure } from "./files/write_file.ts";
import { createModel, type Model } from "./models/model.ts";
import { modelRecord } from "./models/registry.ts";
import { isNotebook } from "./notebook/display.ts";
import { type RunFigures, withRunView } from "./notebook/run_view.ts";
import { withStopSignal } from "./notebook/stop_signal.ts";
import { provisionView } from "./notebook/provision_view.ts";
import { notebookView } from "./notebook/training_view.ts";
import { type OpenExecutor, openExecutor } from "./tensorflow/executor.ts";
import { CheckpointError, resumeFileName } from "./training/checkpoint.ts";
import { imbalanceRatio } from "./training/class_weights.ts";
import { describeEnvironment, type Environment } from "./training/environment.ts";
import type { EpochRecord, StopReason, TrainingEvent } from "./training/events.ts";
import { checkFineTune, type FineTuneOptions } from "./training/fine_tune_options.ts";
import { copyLogs, csvLogName, jsonlLogName, tensorboardFolderName } from "./training/log_files.ts";
import { csvLog } from "./training/readers/csv_log.ts";
import { jsonlLog } from "./training/readers/jsonl_log.ts";
import type { EventReader } from "./training/readers/reader.ts";
import { tensorboardLog } from "./training/readers/tensorboard_log.ts";
import { terminalBar } from "./training/readers/terminal_bar.ts";
import type { Recipe } from "./training/recipe.ts";
import { startAgain, startAnew } from "./training/start.ts";
import { train } from "./training/trainer.ts";

export type { FineTuneOptions };

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
  checkFineTune(model, data, options);
  return await withStopSignal((signal) => run(model, data, options, signal), { signal: options.signal });
}

async function run(
  source: string | Model,
  data: DatasetSplits,
  options: FineTuneOptions,
  signal: AbortSignal,
): Promise<FineTuneResult> {
  const started = performance.now();
  const { resumeFrom } = options;
  // Before anything is fetched or read for it.
  if (options.outputDir !== undefined) {
    await requireWritable(options.outputDir, await nearestFolder(options.outputDir));
  }
  const onProgress = provisionView();
  const { device, executor, precision } = options;
  const opened = await openExecutor({ device, executor, precision, onProgress, signal });
  const environment = describeEnvironment(opened);
  const start = resumeFrom === undefined
    ? await startAnew(source, data, { ...options, signal }, onProgress)
    : await startAgain(source, data, { ...options, resumeFrom }, environment);
  const { recipe, seed, model, auxiliary, resume } = start;
  const outputDir = options.outputDir ?? start.outputDir;
  const replaced = await prepareFolder(outputDir, resume === undefined ? undefined : start.outputDir);
  const readers = openReaders(outputDir, options, resume?.state.history);
  const emit = async (event: TrainingEvent) => {
    for (const reader of readers) await reader(event);
    await options.onEvent?.(event);
  };
  try {
    const { weights, best, history, checkpoint, stopped } = await train({
      model: model.id,
      network: model.network,
      preprocessing: model.preprocessing,
      weights: model.weights,
      auxiliary,
      data,
      recipe,
      seed,
      environment,
      outputDir,
      resume,
      warnings: [
        ...(resume === undefined ? imbalanceWarning(data, recipe) : []),
        ...replaced,
        ...slowerExecutor(opened),
        ...start.warnings,
      ],
      checkpointSeconds: options.checkpointSeconds ?? 300,
      workers: options.workers,
      onUnreadable: options.onUnreadable,
      signal,
      emit,
    });
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

/** What to tell where the faster executor cannot be had. */
function slowerExecutor({ name, device, demanded, reason }: OpenExecutor): string[] {
  return name === "tensorflow" && device === "cpu" && !demanded
    ? [`TensorFlow runs the network; oneDNN, which is faster, is not used: ${reason}`]
    : [];
}

function openReaders(
  outputDir: string,
  options: FineTuneOptions,
  history: readonly EpochRecord[] | undefined,
): EventReader[] {
  const logs = options.logs ?? ["csv", "jsonl", "tensorboard"];
  const readers: EventReader[] = [];
  if (logs.includes("csv")) readers.push(csvLog(join(outputDir, csvLogName)));
  if (logs.includes("jsonl")) readers.push(jsonlLog(join(outputDir, jsonlLogName)));
  if (logs.includes("tensorboard")) readers.push(tensorboardLog(join(outputDir, tensorboardFolderName)));
  if (options.view ?? options.onEvent === undefined) {
    if (isNotebook()) readers.push(notebookView({ history }));
    else if (Deno.stderr.isTerminal()) readers.push(terminalBar());
  }
  return readers;
}

/**
 * Makes the run's folder and checks that it can be written. Returns what the user should know about it.
 *
 * @param resumedFolder Folder of the run that goes on; its logs go along if it is another one.
 */
async function prepareFolder(path: string, resumedFolder: string | undefined): Promise<string[]> {
  await Deno.mkdir(path, { recursive: true }).catch((error) => refuseFolder(path, error));
  await requireWritable(path, path);
  await removeHalfWritten(path).catch((error) => refuseFolder(path, error));
  if (resumedFolder !== undefined) {
    if (resolve(resumedFolder) !== resolve(path)) await copyLogs(resumedFolder, path);
    return [];
  }
  const isTaken = await Deno.stat(join(path, resumeFileName)).then(() => true, () => false);
  return isTaken ? [`"${path}" holds an earlier run, which this one replaces`] : [];
}

/**
 * Writes an empty file and removes it again.
 *
 * @param path What an error names.
 * @param folder Where to try.
 */
async function requireWritable(path: string, folder: string): Promise<void> {
  const probe = join(folder, `.${crypto.randomUUID().slice(0, 8)}.tmp`);
  try {
    await Deno.writeFile(probe, new Uint8Array());
    await Deno.remove(probe);
  } catch (error) {
    refuseFolder(path, error);
  }
}

function refuseFolder(path: string, error: unknown): never {
  throw new CheckpointError(
    `Cannot write to "${path}": ${writeFailure(error)[0]}\n` +
      `  help: pass { outputDir: ... }, a folder that you may write to`,
    { cause: error },
  );
}

/** The path, or the nearest one above it that exists: there a missing folder will be made. */
async function nearestFolder(path: string): Promise<string> {
  const exists = await Deno.lstat(path).then(() => true, () => false);
  const above = dirname(resolve(path));
  return exists || above === resolve(path) ? path : await nearestFolder(above);
}

/** Removes checkpoints that a killed run was writing: they have temporary names, and nobody else will. */
async function removeHalfWritten(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (/^(best|resume|auxiliary_\d+)\.safetensors\.[0-9a-f]{8}\.tmp$/.test(name)) {
      await Deno.remove(join(folder, name));
    }
  }
}

function imbalanceWarning(data: DatasetSplits, { classWeights, sampler }: Recipe): string[] {
  const ratio = imbalanceRatio(data.train);
  if (ratio <= 10 || classWeights !== undefined || sampler === "balanced") return [];
  return [
    `The largest class has ${ratio.toFixed(0)} times the pictures of the smallest; ` +
    `{ classWeights: "auto" } or { sampler: "balanced" } gives them the same say`,
  ];
}
