import type { Trial } from "./trial.ts";

/** Complete trials there must be before one is stopped. */
export const STARTUP_TRIALS = 5;

/**
 * Whether to stop a trial early, as Optuna's `MedianPruner` with its defaults decides: if the best top-1 it had so far
 * is below the median of what the complete trials had after the same epoch. Nothing is stopped before 5 trials are
 * complete.
 *
 * @param trials The trials so far, without this one; only the complete ones count.
 * @param values Top-1 of this trial after each epoch so far.
 * @returns Whether to stop it.
 * @example
 * ```ts
 * import { shouldPrune } from "./median_pruner.ts";
 * const complete = [0.5, 0.6, 0.7, 0.8, 0.9].map((top1, number) => ({
 *   number,
 *   learningRate: 0.01 * (number + 1),
 *   values: [top1, 0.95],
 *   state: "complete" as const,
 * }));
 * console.log(shouldPrune(complete, [0.65]), shouldPrune(complete, [0.75])); // true false
 * ```
 * @see D. Golovin et al., "Google Vizier: A Service for Black-Box Optimization", KDD 2017 (the median stopping rule).
 */
export function shouldPrune(trials: readonly Trial[], values: readonly number[]): boolean {
  const complete = trials.filter((trial) => trial.state === "complete");
  if (complete.length < STARTUP_TRIALS || values.length === 0) return false;
  const others = complete.flatMap((trial) => trial.values.slice(values.length - 1, values.length));
  return others.length > 0 && Math.max(...values) < median(others);
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [below, above] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return above - (above - below) * 0.5; // as numpy.percentile rounds it
}
