import type { Displayed } from "../notebook/display.ts";
import { type SearchFigures, withFindLRView } from "../notebook/find_lr_view.ts";
import type { Environment } from "../training/environment.ts";
import type { Recipe } from "../training/recipe.ts";
import type { SearchOutcome } from "./outcome.ts";
import type { RangeTestPoint } from "./range_test.ts";
import type { SearchState } from "./search_state.ts";
import type { LRSearch } from "./settings.ts";
import type { Trial } from "./trial.ts";

/**
 * What `findLR` returns: a learning rate, how it was chosen and how sure that is. It shows itself in a notebook, prints
 * as text, and draws `figures`.
 */
export interface FindLRResult extends SearchOutcome {
  /** Model id. */
  readonly model: string;
  /** The settings of the search, defaults included. */
  readonly search: LRSearch;
  /** The trials that are over, in their order; none for a range test. */
  readonly trials: readonly Trial[];
  /** The steps of a range test; none for trials. */
  readonly points: readonly RangeTestPoint[];
  /** The recipe that the rate was looked for; its own rate is the one it would have had without a search. */
  readonly recipe: Recipe;
  /** Pictures of the validation set. */
  readonly validationSize: number;
  /** The seed of every trial. */
  readonly seed: number;
  /** Library, device and processor. */
  readonly environment: Environment;
  /** Folder of the search's state, to go on with. */
  readonly outputDir: string;
  /** Seconds that all parts of the search took. */
  readonly durationSeconds: number;
  /** Draws the curve when asked. */
  readonly figures: SearchFigures;
}

/**
 * Makes the result of a search.
 *
 * @param state Where the search ended.
 * @param outcome What it tells.
 * @param facts Its folder, and the size of the validation set.
 * @returns The result.
 */
export function toFindLRResult(
  { model, search, trials, points, recipe, seed, environment, durationSeconds }: SearchState,
  outcome: SearchOutcome,
  facts: { readonly outputDir: string; readonly validationSize: number },
): Displayed<Omit<FindLRResult, "figures">, SearchFigures> {
  return withFindLRView({
    ...outcome,
    model,
    search,
    trials,
    points,
    recipe,
    ...facts,
    seed,
    environment,
    durationSeconds,
  });
}
