import type { DatasetSplits } from "./data/dataset.ts";
import {
  checkFindLR,
  type FindLROptions,
  givenSettings,
  openingOptions,
} from "./lr_finder/find_lr_options.ts";
import type { FindLRResult } from "./lr_finder/result.ts";
import { runSearch } from "./lr_finder/run_search.ts";
import { searchFileName } from "./lr_finder/search_state.ts";
import { newSearch, requireSameWeights, resumeSearch } from "./lr_finder/start_search.ts";
import type { Model } from "./models/model.ts";
import { provisionView } from "./notebook/provision_view.ts";
import { withStopSignal } from "./notebook/stop_signal.ts";
import { openExecutor } from "./tensorflow/executor.ts";
import { describeEnvironment } from "./training/environment.ts";
import { checkFolder, prepareFolder } from "./training/run_folder.ts";
import { newOutputDir, openForData } from "./training/start.ts";

export type { FindLROptions, FindLRResult };

/**
 * Looks for a learning rate to fine-tune a model with: by trials, each of which trains the network for a few epochs at
 * another constant rate, or by a range test. It first says what it will cost.
 *
 * A suggestion comes with the rule that chose it and with how sure it is; where the trials or the curve tell none, there
 * is none. The model, its running statistics and everything random of the process are as they were before.
 *
 * @param model A model id (timm's names), the path of a checkpoint, or a `Model`.
 * @param data Training and validation set, e.g. from `imageFolders`.
 * @param options See {@linkcode FindLROptions}.
 * @returns The suggestion, the trials or the curve.
 * @throws {TypeError} If an option is unknown or of the wrong type.
 * @throws {RangeError} If an option's value cannot be used, or a model id is unknown.
 * @throws {DatasetError} If the data cannot be used.
 * @throws {CheckpointError} If a search cannot be resumed.
 *
 * @example
 * ```ts ignore
 * import { findLR, fineTune, imageFolders } from "whittle";
 *
 * const data = await imageFolders("pets"); // pets/train/<class>/*.jpg, pets/val/<class>/*.jpg
 * const lr = await findLR("mobilenetv3_large_100", data, { recipe: "adaptive" });
 * const run = await fineTune("mobilenetv3_large_100", data, { recipe: "adaptive", learningRate: lr.suggestion });
 * ```
 */
export async function findLR(
  model: string | Model,
  data: DatasetSplits,
  options: FindLROptions = {},
): Promise<FindLRResult> {
  checkFindLR(model, data, options);
  return await withStopSignal((signal) => search(model, data, options, signal), { signal: options.signal });
}

async function search(
  source: string | Model,
  data: DatasetSplits,
  options: FindLROptions,
  signal: AbortSignal,
): Promise<FindLRResult> {
  const { resumeFrom, savefig, onEvent, workers, onUnreadable, device, executor, precision } = options;
  // Before anything is fetched or read for it.
  if (options.outputDir !== undefined) await checkFolder(options.outputDir);
  const onProgress = provisionView();
  const opened = await openExecutor({ device, executor, precision, onProgress, signal });
  const environment = describeEnvironment(opened);
  const opening = { ...openingOptions(options), signal }, settings = givenSettings(options);
  const resumed = resumeFrom === undefined
    ? undefined
    : await resumeSearch(source, data, { ...opening, resumeFrom }, settings, environment);
  const { model, recipe } = await openForData(
    source,
    data,
    resumed?.options ?? opening,
    onProgress,
    "findLR",
  );
  if (resumed !== undefined) requireSameWeights(resumeFrom!, resumed.state, model);
  const { seed = 0, weights } = options;
  const state = resumed?.state ??
    newSearch({ model, data, recipe, seed, environment, weights }, settings, "findLR");
  const outputDir = options.outputDir ?? resumed?.folder ?? newOutputDir(`${model.id}-lr`);
  const replaced = await prepareFolder(outputDir, resumed?.folder, { [searchFileName]: "search" });
  return await runSearch({
    model,
    data,
    state,
    outputDir,
    warnings: [...replaced, ...resumed?.warnings ?? []],
    workers,
    onUnreadable,
    signal,
    view: options.view ?? onEvent === undefined,
    onEvent,
    savefig,
  });
}
