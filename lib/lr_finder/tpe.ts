import { createRng } from "../augment/rng.ts";
import { drawRates, type ParzenEstimator, parzenEstimator, probability } from "./_parzen_estimator.ts";
import type { LearningRateBounds } from "./bounds.ts";
import { gridRates } from "./grid_search.ts";
import type { Trial } from "./trial.ts";

/** Trials there must be before their results are used; until then rates are drawn evenly. */
const STARTUP_TRIALS = 5;
/** Rates drawn, of which the most promising one is suggested. */
const CANDIDATES = 24;

/**
 * The learning rate that a search by TPE (tree-structured Parzen estimator) tries next, as Optuna's
 * `TPESampler(n_startup_trials=5)` suggests it (versions 4.9 and 5.0): the trials are split into the best tenth and the
 * others, a distribution is estimated from the rates of each, 24 rates are drawn from that of the best, and the one wins
 * that is most probable among the best, compared with the others.
 *
 * @param bounds Lowest, highest and step.
 * @param trials The trials so far, all of them, in the order of their numbers. Failed ones do not count; pruned ones and
 *   duplicates do, as in Optuna.
 * @param seed The run's seed; the same seed and trials give the same rate. (Optuna's own generator is another, so that
 *   it draws other rates from the same distribution.)
 * @returns The rate, one of `gridRates(bounds)`; it may have been tried before.
 * @throws {RangeError} If the bounds or the seed do not fit.
 * @example
 * ```ts
 * import { suggestTpe } from "./tpe.ts";
 * import type { Trial } from "./trial.ts";
 * const bounds = { minLearningRate: 0.005, maxLearningRate: 0.03, step: 0.001 };
 * const trials: Trial[] = [0.008, 0.013, 0.022, 0.027, 0.03].map((learningRate, number) => (
 *   { number, learningRate, values: [0.9 - 10 * learningRate], state: "complete" }
 * ));
 * console.log(suggestTpe(bounds, trials, 5) < 0.02); // true: low rates did well
 * ```
 * @see J. Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NIPS 2011.
 */
export function suggestTpe(bounds: LearningRateBounds, trials: readonly Trial[], seed: number): number {
  const grid = gridRates(bounds);
  const rng = createRng(seed, "search", trials.length);
  const { below, above } = splitTrials(trials);
  if (below.length + above.length < STARTUP_TRIALS) return grid[rng.integer(0, grid.length - 1)];
  const good = parzenEstimator(below.map((trial) => trial.learningRate), grid);
  const others = parzenEstimator(above.map((trial) => trial.learningRate), grid);
  return pickCandidate(drawRates(good, CANDIDATES, rng), good, others);
}

/**
 * Splits trials into good ones and others. Complete trials come first, by their last top-1; then pruned ones, those
 * that were trained longer first, then by their last top-1; then duplicates. Of equals the earlier one comes first.
 * Failed ones are in neither part.
 *
 * @param trials The trials, in the order of their numbers.
 * @returns The good ones, which Optuna calls below: a tenth, rounded up, at most 25; and the others. Both in the order
 *   of their numbers.
 * @example
 * ```ts
 * import { splitTrials } from "./tpe.ts";
 * const { below } = splitTrials([0.7, 0.9, 0.8].map((top1, number) => (
 *   { number, learningRate: 0.01, values: [top1], state: "complete" as const }
 * )));
 * console.log(below.map(({ number }) => number)); // [ 1 ]
 * ```
 */
export function splitTrials(trials: readonly Trial[]): { below: Trial[]; above: Trial[] } {
  const ranked = trials.filter((trial) => trial.state !== "failed").sort((a, b) =>
    Number(b.state === "complete") - Number(a.state === "complete") ||
    (a.state === "complete" ? 0 : b.values.length - a.values.length) ||
    (b.values.at(-1) ?? 0) - (a.values.at(-1) ?? 0)
  );
  const good = Math.min(Math.ceil(0.1 * ranked.length), 25);
  const inOrder = (part: Trial[]) => part.sort((a, b) => a.number - b.number);
  return { below: inOrder(ranked.slice(0, good)), above: inOrder(ranked.slice(good)) };
}

/**
 * Picks the candidate that is the most probable one among the good rates, compared with the others.
 *
 * @param candidates Rates of the grid, at least one.
 * @param good Distribution of the good rates.
 * @param others Distribution of the others.
 * @returns The candidate; the first of equals.
 */
export function pickCandidate(
  candidates: readonly number[],
  good: ParzenEstimator,
  others: ParzenEstimator,
): number {
  let best = candidates[0], largest = -Infinity;
  for (const candidate of candidates) {
    const ratio = Math.log(probability(good, candidate)) - Math.log(probability(others, candidate));
    if (ratio > largest) [best, largest] = [candidate, ratio];
  }
  return best;
}
