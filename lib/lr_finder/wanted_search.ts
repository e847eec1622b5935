import * as check from "../errors/check_options.ts";
import type { ModelRecord } from "../models/registry.ts";
import type { FineTuneOptions } from "../training/fine_tune_options.ts";
import { recipeChanges } from "../training/settle_recipe.ts";
import {
  type LRSearchSettings,
  searchContradictions,
  searchProblems,
  searchSettingNames,
  settleSearch,
} from "./settings.ts";

/** The search for a learning rate that a run begins with. */
export interface RunSearch extends LRSearchSettings {
  /** Whether the run ends when the rate is found, before it trains. @default {false} */
  stopAfter?: boolean;
}

/**
 * The search that a run is to begin with: the one that is asked for, and one with the defaults where the adaptive recipe
 * is asked for by name and no learning rate is given.
 *
 * @param options Options of `fineTune`.
 * @returns The search, or `undefined` for none.
 */
export function wantedSearch({ findLR, recipe, learningRate }: FineTuneOptions): RunSearch | undefined {
  if (findLR === undefined) return recipe === "adaptive" && learningRate === undefined ? {} : undefined;
  if (typeof findLR === "boolean") return findLR ? {} : undefined;
  return findLR;
}

/**
 * Refuses names of settings that no search has.
 *
 * @param options Options of `fineTune`.
 * @throws {TypeError} If a name is not known.
 */
export function checkSearchNames({ findLR }: FineTuneOptions): void {
  if (typeof findLR === "object") {
    check.checkOptions(findLR, [...searchSettingNames, "stopAfter"], "fineTune", "findLR");
  }
}

/**
 * Tells what is wrong with the search that a run is to begin with.
 *
 * @param options Options of `fineTune`.
 * @param record The model, where it is known already: the defaults depend on it.
 * @returns The problems.
 */
export function runSearchProblems(
  options: FineTuneOptions,
  record: ModelRecord | undefined,
): (check.OptionProblem | undefined)[] {
  const { findLR } = options;
  if (findLR === undefined || findLR === false) return [];
  const { learningRate, batchSize = 32 } = recipeChanges(options);
  const twice = learningRate === undefined || options.resumeFrom !== undefined ? undefined : {
    option: "findLR",
    found: findLR,
    wanted: `nothing with { learningRate: ${learningRate} }`,
    wrongType: false,
  };
  if (typeof findLR !== "object" || findLR === null) {
    const problem = check.ofType("findLR", findLR, "boolean");
    return [problem ? { ...problem, wanted: `${problem.wanted}, or an object with settings` } : twice];
  }
  return [
    twice,
    ...searchProblems(findLR, "findLR."),
    check.ofType("findLR.stopAfter", findLR.stopAfter, "boolean"),
    ...(record === undefined ? [] : searchContradictions(settleSearch(record, batchSize, findLR), "findLR.")),
  ];
}
