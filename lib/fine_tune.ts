import { join } from "node:path";
import type { DatasetSplits } from "./data/dataset.ts";
import type { FindLRResult } from "./lr_finder/result.ts";
import { runSearch } from "./lr_finder/run_search.ts";
import { holdsSearch, searchFileName, type SearchState } from "./lr_finder/search_state.ts";
import { newSearch, requireSameWeights, resumeSearch } from "./lr_finder/start_search.ts";
import { wantedSearch } from "./lr_finder/wanted_search.ts";
import { createModel, type Model } from "./models/model.ts";
import { modelRecord } from "./models/registry.ts";
import { openReaders } from "./notebook/open_readers.ts";
import { type RunFigures, withRunView } from "./notebook/run_view.ts";
import { withStopSignal } from "./notebook/stop_signal.ts";
import { provisionView } from "./notebook/provision_view.ts";
import type { ProvisionListener } from "./provision/events.ts";
import { type OpenExecutor, openExecutor } from "./tensorflow/executor.ts";
import { bestFileName, resumeFileName, saveWeights } from "./training/checkpoint.ts";
import { imbalanceRatio } from "./training/class_weights.ts";
import { describeEnvironment, type Environment } from "./training/environment.ts";
import type { EpochRecord, StopReason, TrainingEvent } from "./training/events.ts";
import { checkFineTune, type FineTuneOptions } from "./training/fine_tune_options.ts";
import type { Recipe } from "./training/recipe.ts";
import { checkFolder, prepareFolder } from "./training/run_folder.ts";
import { type Start, startAgain, startAnew } from "./training/start.ts";
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
  /** Path of the best weights (the first ones, if nothing was trained), for `loadModel`, `evaluate`, `predict` and timm. */
  readonly checkpoint: string;
  /** Why the run ended. */
  readonly stopped: StopReason;
  /** The search for its learning rate, if this call did one or went on with one. */
  readonly lr?: FindLRResult;
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
  // Before anything is fetched or read for it.
  if (options.outputDir !== undefined) await checkFolder(options.outputDir);
  const onProgress = provisionView();
  const { device, executor, precision } = options;
  const opened = await openExecutor({ device, executor, precision, onProgress, signal });
  const environment = describeEnvironment(opened);
  const start = await startRun(source, data, { ...options, signal }, environment, onProgress);
  const { seed, model, resume } = start;
  const outputDir = options.outputDir ?? start.outputDir;
  const replaced = await prepareFolder(
    outputDir,
    options.resumeFrom === undefined ? undefined : start.outputDir,
    { [resumeFileName]: "run", ...(start.search === undefined ? {} : { [searchFileName]: "search" }) },
  );
  const common = { seed, environment, outputDir };
  const warnings = [
    ...(resume === undefined ? imbalanceWarning(data, start.recipe) : []),
    ...replaced,
    ...slowerExecutor(opened),
    ...start.warnings,
  ];
  const lr = start.search === undefined
    ? undefined
    : await searchFirst(start.search, { ...options, signal }, { model, data, outputDir, warnings });
  const { recipe, rateWarnings } = withFoundRate(start.recipe, lr);
  const result = (trained: Pick<FineTuneResult, "model" | "best" | "history" | "checkpoint" | "stopped">) =>
    withRunView({
      ...trained,
      ...(lr === undefined ? {} : { lr }),
      recipe,
      ...common,
      durationSeconds: (performance.now() - started) / 1000,
    });
  if (lr?.stopped === "interrupted" || (lr !== undefined && wantedSearch(options)?.stopAfter)) {
    const stopped = lr.stopped === "interrupted" ? "interrupted" : "after-search";
    const checkpoint = await saveFirstWeights(model, recipe, outputDir);
    return result({ model, best: undefined, history: [], checkpoint, stopped });
  }
  const readers = openReaders(outputDir, options, resume?.state.history);
  const emit = async (event: TrainingEvent) => {
    for (const reader of readers) await reader(event);
    await options.onEvent?.(event);
  };
  try {
    const { weights, ...outcome } = await train({
      model: model.id,
      network: model.network,
      preprocessing: model.preprocessing,
      quantization: model.quantization,
      weights: model.weights,
      auxiliary: start.auxiliary,
      data,
      recipe,
      ...common,
      resume,
      warnings: [...(lr === undefined ? warnings : []), ...rateWarnings],
      checkpointSeconds: options.checkpointSeconds ?? 300,
      workers: options.workers,
      onUnreadable: options.onUnreadable,
      signal,
      emit,
    });
    return result({
      ...outcome,
      model: createModel({
        record: modelRecord(model.id),
        classNames: data.classNames,
        weights,
        preprocessing: model.preprocessing,
        quantization: model.quantization,
      }),
    });
  } finally {
    for (const reader of readers) await reader.close();
  }
}

/** What a run begins with, and the search that comes before it. */
interface RunStart extends Start {
  readonly search?: SearchState;
}

/** Begins a run, or goes on with one: where it trained, or in the search before that. */
async function startRun(
  source: string | Model,
  data: DatasetSplits,
  options: FineTuneOptions,
  environment: Environment,
  onProgress: ProvisionListener,
): Promise<RunStart> {
  const { resumeFrom, weights } = options;
  const { stopAfter: _, ...settings } = wantedSearch(options) ?? {};
  if (resumeFrom === undefined) {
    const start = await startAnew(source, data, options, onProgress);
    if (wantedSearch(options) === undefined) return start;
    const { model, recipe, seed } = start;
    const search = newSearch({ model, data, recipe, seed, environment, weights }, settings, "fineTune");
    return { ...start, search };
  }
  if (!await isSearching(resumeFrom)) {
    return await startAgain(source, data, { ...options, resumeFrom }, environment);
  }
  const resumed = await resumeSearch(
    source,
    data,
    { ...options, resumeFrom },
    settings,
    environment,
    "findLR.",
  );
  const start = await startAnew(source, data, resumed.options, onProgress);
  requireSameWeights(resumeFrom, resumed.state, start.model);
  return { ...start, outputDir: resumed.folder, search: resumed.state, warnings: resumed.warnings };
}

/** Whether a folder is that of a run that has not trained yet. */
async function isSearching(folder: string): Promise<boolean> {
  const hasTrained = await Deno.stat(join(folder, resumeFileName)).then(() => true, () => false);
  return !hasTrained && await holdsSearch(folder);
}

/** Looks for the learning rate of a run. */
async function searchFirst(
  state: SearchState,
  { onEvent, view, workers, onUnreadable, findLR, signal }: FineTuneOptions & { signal: AbortSignal },
  setup: { model: Model; data: DatasetSplits; outputDir: string; warnings: readonly string[] },
): Promise<FindLRResult> {
  // From here on the folder is this run's, and an earlier one's state would be taken for it.
  await Deno.remove(join(setup.outputDir, resumeFileName)).catch(() => {});
  return await runSearch({
    ...setup,
    state,
    workers,
    onUnreadable,
    signal,
    view: view ?? onEvent === undefined,
    onEvent,
    savefig: typeof findLR === "object" ? findLR.savefig : undefined,
  });
}

/** A recipe with the rate that was found, and what to tell if none was. */
function withFoundRate(
  recipe: Recipe,
  lr: FindLRResult | undefined,
): { recipe: Recipe; rateWarnings: string[] } {
  if (lr === undefined) return { recipe, rateWarnings: [] };
  if (lr.suggestion !== undefined) {
    return { recipe: { ...recipe, learningRate: lr.suggestion }, rateWarnings: [] };
  }
  const rate = recipe.learningRate;
  return {
    recipe,
    rateWarnings: [
      `The search suggests no learning rate, so the recipe's own is taken, ${rate}. ${lr.reason}`,
    ],
  };
}

/** Writes the weights a run begins with, where it ends before it trains. */
async function saveFirstWeights(model: Model, recipe: Recipe, outputDir: string): Promise<string> {
  const path = join(outputDir, bestFileName);
  const { id, classNames, preprocessing, quantization, weights } = model;
  await saveWeights(path, weights, { format: 1, model: id, classNames, preprocessing, quantization, recipe });
  return path;
}

/** What to tell where the faster executor cannot be had. */
function slowerExecutor({ name, device, demanded, reason }: OpenExecutor): string[] {
  return name === "tensorflow" && device === "cpu" && !demanded
    ? [`TensorFlow runs the network; oneDNN, which is faster, is not used: ${reason}`]
    : [];
}

function imbalanceWarning(data: DatasetSplits, { classWeights, sampler }: Recipe): string[] {
  const ratio = imbalanceRatio(data.train);
  if (ratio <= 10 || classWeights !== undefined || sampler === "balanced") return [];
  return [
    `The largest class has ${ratio.toFixed(0)} times the pictures of the smallest; ` +
    `{ classWeights: "auto" } or { sampler: "balanced" } gives them the same say`,
  ];
}
