import type { DatasetSplits } from "../data/dataset.ts";
import * as check from "../errors/check_options.ts";
import type { Model } from "../models/model.ts";
import { classWeights } from "../training/class_weights.ts";
import {
  checkData,
  checkSource,
  type FineTuneOptions,
  knownRecord,
  valueProblems,
} from "../training/fine_tune_options.ts";
import { recipeFieldNames } from "../training/recipe_fields.ts";
import { recipeChanges, settleRecipe } from "../training/settle_recipe.ts";
import type { LRSearchEvent } from "./events.ts";
import {
  type LRSearchSettings,
  searchContradictions,
  searchProblems,
  searchSettingNames,
  settleSearch,
} from "./settings.ts";

/**
 * Options of `findLR`: settings of the search, and of what it is for. Pass the recipe and the batch size that will be
 * trained with; the default recipe is `baseline`, as in `fineTune`.
 */
export interface FindLROptions extends
  LRSearchSettings,
  Pick<
    FineTuneOptions,
    | "recipe"
    | "batchSize"
    | "loss"
    | "margin"
    | "scale"
    | "labelSmoothing"
    | "classWeights"
    | "momentum"
    | "weightDecay"
    | "dropout"
    | "augmentation"
    | "precision"
    | "weights"
    | "imageSize"
    | "seed"
    | "device"
    | "executor"
    | "workers"
    | "onUnreadable"
    | "view"
    | "signal"
  > {
  /** Folder of the search's state. @default {`outputs/<model>-lr-<time>`} */
  outputDir?: string;
  /** Folder of a search (or its `find_lr.json`) to go on with; it ends with the trials of one that was never stopped. */
  resumeFrom?: string;
  /** Told about everything that happens; what it returns is awaited. */
  onEvent?: (event: LRSearchEvent) => unknown;
}

/** Options of `fineTune` that a search has too, with the same meaning. */
const shared = [
  "recipe",
  "batchSize",
  "loss",
  "margin",
  "scale",
  "labelSmoothing",
  "classWeights",
  "momentum",
  "weightDecay",
  "dropout",
  "augmentation",
  "precision",
  "weights",
  "imageSize",
  "seed",
  "device",
  "executor",
  "workers",
  "onUnreadable",
  "view",
  "signal",
] as const satisfies readonly (keyof FindLROptions & keyof FineTuneOptions)[];

const known: readonly (keyof FindLROptions)[] = [
  ...searchSettingNames,
  ...shared,
  "outputDir",
  "resumeFrom",
  "onEvent",
];

/** Options with which the search's model is opened and its recipe settled. */
export function openingOptions(options: FindLROptions): FineTuneOptions {
  return Object.fromEntries(shared.map((name) => [name, options[name]]));
}

/** The settings of the search itself, those that are given. */
export function givenSettings(options: FindLROptions): LRSearchSettings {
  return Object.fromEntries(
    searchSettingNames.map((name) => [name, options[name]]).filter(([, value]) => value !== undefined),
  );
}

/**
 * Refuses what `findLR` cannot run with, before anything is downloaded or opened.
 *
 * @param source A model id, the path of a checkpoint, or a model.
 * @param data Training and validation set.
 * @param options The options.
 * @throws {TypeError} If an option is unknown, or an argument is of the wrong type.
 * @throws {RangeError} If a value cannot be used.
 * @throws {DatasetError} If the data lacks a set, has fewer than two classes, or has labels that are no classes.
 */
export function checkFindLR(source: string | Model, data: DatasetSplits, options: FindLROptions): void {
  checkSource(source, "findLR");
  check.checkOptions(options, known, "findLR");
  const { recipe, outputDir, resumeFrom, onEvent } = options;
  if (typeof recipe === "object") check.checkOptions(recipe, recipeFieldNames, "findLR", "recipe");
  const opening = openingOptions(options), settings = givenSettings(options);
  const record = knownRecord(source), { batchSize = 32 } = recipeChanges(opening);
  check.checkValues("findLR", [
    ...searchProblems(settings),
    ...(record === undefined || resumeFrom !== undefined
      ? []
      : searchContradictions(settleSearch(record, batchSize, settings))),
    ...valueProblems({ ...opening, outputDir, resumeFrom, onEvent: onEvent as FineTuneOptions["onEvent"] }),
  ]);
  if (record !== undefined && resumeFrom === undefined) settleRecipe(record, opening, "findLR");
  checkData(data);
  classWeights(recipeChanges(opening).classWeights, data.train);
}
