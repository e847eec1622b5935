import { dirname, join } from "node:path";
import { writeFile } from "../files/write_file.ts";
import { CheckpointError } from "../training/checkpoint.ts";
import type { Environment } from "../training/environment.ts";
import type { Recipe } from "../training/recipe.ts";
import type { RangeTestPoint } from "./range_test.ts";
import type { LRSearch } from "./settings.ts";
import type { Trial } from "./trial.ts";

/** All that a search needs to go on; plain data. The trial that is under way is none of it: it begins again. */
export interface SearchState {
  readonly format: 1;
  readonly model: string;
  readonly classNames: readonly string[];
  /** Hash of the names and labels of the training and validation samples. */
  readonly dataHash: string;
  /** Side of the square input, in pixels. */
  readonly imageSize: number;
  /** The option `weights` it began with, if there was one. */
  readonly weights?: string | null;
  /** Hash of the first weights. */
  readonly weightsHash: string;
  /** The recipe that the rate is looked for. */
  readonly recipe: Recipe;
  readonly search: LRSearch;
  readonly seed: number;
  readonly environment: Environment;
  /** The trials that are over. */
  readonly trials: readonly Trial[];
  /** The range test, once it is over. */
  readonly points: readonly RangeTestPoint[];
  /** Whether the search is over. */
  readonly done: boolean;
  /** Seconds that all parts of the search took. */
  readonly durationSeconds: number;
}

/** Name of the file that a search is resumed from. */
export const searchFileName = "find_lr.json";

/**
 * Writes a search's state, whole or not at all.
 *
 * @param folder The search's folder.
 * @param state The state.
 * @throws {Error} If it cannot be written; an older one stays as it was.
 */
export async function saveSearch(folder: string, state: SearchState): Promise<void> {
  await writeFile(join(folder, searchFileName), JSON.stringify(state, null, 1) + "\n");
}

/**
 * Reads what {@linkcode saveSearch} wrote.
 *
 * @param source The file, or its folder.
 * @returns The state, and its folder.
 * @throws {CheckpointError} If there is none, or the file is something else.
 */
export async function loadSearch(source: string): Promise<{ state: SearchState; folder: string }> {
  const isFolder = await Deno.stat(source).then((found) => found.isDirectory, () => false);
  const path = isFolder ? join(source, searchFileName) : source;
  const fail = (cause: string, error?: unknown): never => {
    throw new CheckpointError(
      `Cannot resume from "${path}": ${cause}\n  help: pass the folder of a search, or its ${searchFileName}`,
      { cause: error },
    );
  };
  const text = await Deno.readTextFile(path).catch((error) =>
    fail(
      error instanceof Deno.errors.NotFound ? "there is no such file" : "the file cannot be read",
      error,
    )
  );
  let state: Partial<SearchState> | null = null;
  try {
    state = JSON.parse(text);
  } catch { /* said below */ }
  const what = "it is not the state of a search for a learning rate";
  if (!isObject(state) || !Array.isArray(state.trials) || !state.search) return fail(what);
  if (state.format !== 1) {
    return fail(`the file has format ${state.format}, and this version reads format 1`);
  }
  if (!isState(state)) return fail(what);
  return { state: state as SearchState, folder: isFolder ? source : dirname(source) };
}

/** Whether all that a search reads of its state is there: a file that somebody edited must not fail in the middle. */
function isState(
  { model, classNames, recipe, search, environment, seed, trials, points }: Partial<SearchState>,
) {
  const isRate = (value: unknown) => typeof value === "number" && value > 0;
  const haveRates = (items: readonly Partial<Trial>[] | undefined) =>
    Array.isArray(items) && items.every((item) => isObject(item) && isRate(item.learningRate));
  return typeof model === "string" && Array.isArray(classNames) && Number.isInteger(seed) &&
    isObject(recipe) && isObject(environment) &&
    isObject(search) && isRate(search.minLearningRate) && isRate(search.maxLearningRate) &&
    haveRates(points) && haveRates(trials) && trials!.every(({ values }) => Array.isArray(values));
}

function isObject<T>(value: T): value is T & object {
  return typeof value === "object" && value !== null;
}

/** Whether a folder holds the state of a search. */
export function holdsSearch(folder: string): Promise<boolean> {
  return Deno.stat(join(folder, searchFileName)).then(({ isFile }) => isFile, () => false);
}
