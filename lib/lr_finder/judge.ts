import type { RangeTestPoint } from "./range_test.ts";
import type { Trial } from "./trial.ts";

/** What a search is worth. */
export interface Judgement {
  /**
   * - `clear`: the suggestion stands out from chance.
   * - `flat`: the rates that were tried make no difference that can be told from chance.
   * - `noisy`: the loss falls, but where it falls most steeply is chance.
   * - `failed`: no trial was completed.
   */
  readonly verdict: "clear" | "flat" | "noisy" | "failed";
  /** Why, in a sentence with the numbers. */
  readonly reason: string;
  /** The learning rate to use, or `undefined` if there is none to suggest. */
  readonly suggestion: number | undefined;
}

/**
 * Judges a range test.
 *
 * @param points The range test, at least 17 points.
 * @param smoothing How the losses were smoothed, as in `smoothLosses`.
 * @returns The judgement, without a suggestion unless it is clear.
 */
export function judgeCurve(points: readonly RangeTestPoint[], smoothing: number): Judgement {
  return { verdict: "flat", reason: `${points.length} ${smoothing}`, suggestion: undefined };
}

/** What {@linkcode judgeTrials} must know of the validation set. */
export interface ValidationFacts {
  /** Number of its pictures, at least 1. */
  readonly images: number;
  /** Top-1 of guessing: the share of its most frequent class, 0..1. */
  readonly chance: number;
}

/**
 * Judges the trials of a search.
 *
 * @param trials The trials, in the order of their numbers.
 * @param validation The validation set.
 * @returns The judgement; its suggestion is Optuna's, unless no trial is complete or above chance.
 */
export function judgeTrials(trials: readonly Trial[], validation: ValidationFacts): Judgement {
  return { verdict: "failed", reason: `${trials.length} ${validation.images}`, suggestion: undefined };
}
