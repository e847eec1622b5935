import type { DatasetSplits } from "../data/dataset.ts";
import { checkValues } from "../errors/check_options.ts";
import type { Model } from "../models/model.ts";
import { isWeightsPath } from "../models/open_model.ts";
import { modelRecord } from "../models/registry.ts";
import { CheckpointError, hashData, hashWeights } from "../training/checkpoint.ts";
import { namedDifferences } from "../training/differences.ts";
import { compareEnvironments, type Environment } from "../training/environment.ts";
import type { FineTuneOptions } from "../training/fine_tune_options.ts";
import type { Recipe } from "../training/recipe.ts";
import { otherData, otherModel, otherOptions } from "../training/start.ts";
import { loadSearch, type SearchState } from "./search_state.ts";
import { type LRSearchSettings, searchContradictions, settleSearch } from "./settings.ts";

/** What a search is made of besides its settings. */
export interface NewSearch {
  /** With its first weights. */
  readonly model: Model;
  readonly data: DatasetSplits;
  /** The recipe that the rate is looked for. */
  readonly recipe: Recipe;
  readonly seed: number;
  readonly environment: Environment;
  /** The option `weights`. */
  readonly weights: string | null | undefined;
}

/**
 * The state of a search that begins.
 *
 * @param setup Model, data and recipe.
 * @param settings What the user chose.
 * @param verb Who asks, for errors.
 * @returns The state.
 * @throws {RangeError} If settings contradict each other.
 */
export function newSearch(setup: NewSearch, settings: LRSearchSettings, verb: string): SearchState {
  const { model, data, recipe, seed, environment, weights } = setup;
  const search = settleSearch(modelRecord(model.id), recipe.batchSize, settings);
  checkValues(verb, searchContradictions(search));
  return {
    format: 1,
    model: model.id,
    classNames: data.classNames,
    dataHash: hashData(data),
    imageSize: model.preprocessing.size.height,
    ...(weights === undefined ? {} : { weights }),
    weightsHash: hashWeights(model.weights),
    recipe,
    search,
    seed,
    environment,
    trials: [],
    points: [],
    done: false,
    durationSeconds: 0,
  };
}

/** A search that goes on. */
export interface ResumedSearch {
  readonly state: SearchState;
  readonly folder: string;
  /** Options that open its model and settle its recipe again. */
  readonly options: FineTuneOptions;
  /** What the user should know. */
  readonly warnings: readonly string[];
}

/**
 * Goes on with a search: its settings, recipe and seed count, and what is asked for must not contradict them.
 *
 * @param source The model the search began with.
 * @param data Its data.
 * @param options The user's options; `resumeFrom` is the search's folder or file. Those of the recipe and of the model.
 * @param settings What the user chose for the search.
 * @param environment This machine.
 * @param at What comes before a setting's name in a difference, e.g. `findLR.`: a run has `epochs` of its own.
 * @returns The search.
 * @throws {CheckpointError} If there is no such search, or it is another one; all differences are named.
 */
export async function resumeSearch(
  source: string | Model,
  data: DatasetSplits,
  options: FineTuneOptions & { resumeFrom: string },
  settings: LRSearchSettings,
  environment: Environment,
  at = "",
): Promise<ResumedSearch> {
  const { resumeFrom } = options;
  const { state, folder } = await loadSearch(resumeFrom);
  const { savefig: _, ...asked } = settings;
  refuseDifferences(resumeFrom, [
    ...await otherModel(source, options.weights, state.model),
    ...otherData(data, state),
    ...otherOptions(options, state),
    ...namedDifferences(asked, state.search as unknown as Record<string, unknown>).map((line) => at + line),
  ]);
  const differences = compareEnvironments(state.environment, environment);
  const warnings = differences.length === 0 ? [] : [
    "The search goes on in another environment, so its bits may differ from an uninterrupted one: " +
    differences.join("; "),
  ];
  const { recipe, seed, imageSize } = state;
  const isId = typeof source === "string" && !isWeightsPath(source);
  const weights = isId && options.weights === undefined ? state.weights : options.weights;
  return {
    state,
    folder,
    options: { ...options, recipe, seed, imageSize, weights },
    warnings,
  };
}

/**
 * Checks that a search goes on with the weights it began with.
 *
 * @param resumeFrom The search.
 * @param state Its state.
 * @param model The model that was opened for it.
 * @throws {CheckpointError} If they are others.
 */
export function requireSameWeights(resumeFrom: string, state: SearchState, model: Model): void {
  if (hashWeights(model.weights) !== state.weightsHash) {
    refuseDifferences(resumeFrom, ["weights: the first weights differ"]);
  }
}

function refuseDifferences(resumeFrom: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new CheckpointError(
    `Cannot resume from "${resumeFrom}": it is another search\n  ${problems.join("\n  ")}\n` +
      `  help: pass the same model, data and options, or start a new search`,
  );
}
