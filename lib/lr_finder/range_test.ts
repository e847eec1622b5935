import { checkBounds } from "./bounds.ts";

/** One batch of a range test. */
export interface RangeTestPoint {
  /** The learning rate of the batch's step. */
  readonly learningRate: number;
  /** The loss of the batch, before that step. */
  readonly loss: number;
  /** The loss smoothed over the batches so far, as {@linkcode smoothLosses} does. */
  readonly smoothedLoss: number;
}

/** Points at the start of a range test of which none is suggested: there the loss has not settled. */
export const SKIP_START = 10;
/** Points at the end of a range test of which none is suggested: there the loss may diverge already. */
export const SKIP_END = 5;
/** How many times the lowest loss is too much. */
const DIVERGED = 5;

/**
 * The learning rates of a range test, one a batch, each the same factor above the one before.
 *
 * @param minLearningRate Rate of the first batch, above 0.
 * @param maxLearningRate Rate of the last batch, above the first.
 * @param steps Number of batches, at least 2.
 * @returns `[steps]`, ascending.
 * @throws {RangeError} If a number does not fit.
 * @example
 * ```ts
 * import { rangeTestRates } from "./range_test.ts";
 * console.log(rangeTestRates(0.01, 1, 3)); // [ 0.01, 0.1, 1 ]
 * ```
 * @see L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017 (the range test).
 */
export function rangeTestRates(minLearningRate: number, maxLearningRate: number, steps: number): number[] {
  checkBounds({ minLearningRate, maxLearningRate });
  if (!Number.isInteger(steps) || steps < 2) {
    throw new RangeError(
      `Cannot make the rates of a range test: found ${steps} steps, wanted a whole number of at least 2`,
    );
  }
  return Array.from(
    { length: steps },
    (_, step) => minLearningRate * (maxLearningRate / minLearningRate) ** (step / (steps - 1)),
  );
}

/**
 * Smooths the losses of a range test: each is `smoothing` times itself plus `1 - smoothing` times the smoothed one
 * before it. 0 stands for no smoothing, as in torch-lr-finder.
 *
 * @param losses Loss of each batch.
 * @param smoothing Share of the new loss, 0 up to, not including, 1; the smaller, the smoother, but for 0.
 * @returns The smoothed losses, as many.
 * @throws {RangeError} If `smoothing` is out of range.
 * @example
 * ```ts
 * import { smoothLosses } from "./range_test.ts";
 * console.log(smoothLosses([2, 1, 1], 0.5)); // [ 2, 1.5, 1.25 ]
 * ```
 */
export function smoothLosses(losses: readonly number[], smoothing: number): number[] {
  if (!(smoothing >= 0 && smoothing < 1)) {
    throw new RangeError(
      `Cannot smooth losses: found smoothing ${smoothing}, wanted a number from 0 up to, not including, 1`,
    );
  }
  let previous: number | undefined;
  return losses.map((loss) =>
    previous = previous === undefined || smoothing === 0
      ? loss
      : smoothing * loss + (1 - smoothing) * previous
  );
}

/**
 * Whether a range test should stop: its last loss is more than 5 times the lowest one so far, or no finite number. A
 * loss that is no finite number is no point of the test; torch-lr-finder would keep it and go on.
 *
 * @param losses The smoothed losses so far.
 * @returns Whether to stop.
 * @example
 * ```ts
 * import { isDiverged } from "./range_test.ts";
 * console.log(isDiverged([2, 1, 5]), isDiverged([2, 1, 5.1])); // false true
 * ```
 */
export function isDiverged(losses: readonly number[]): boolean {
  if (losses.length === 0) return false;
  const last = losses[losses.length - 1];
  if (!Number.isFinite(last)) return true;
  return last > DIVERGED * losses.reduce((lowest, loss) => Math.min(lowest, loss));
}

/**
 * The learning rate at which the smoothed loss falls most steeply from batch to batch, as torch-lr-finder suggests: the
 * least of `numpy.gradient` over the points without the first 10 and the last 5.
 *
 * It is a rate for any curve, one without a fall too; whether it means anything, `judgeCurve` tells.
 *
 * @param points The range test: at least 17 points, so that two are left.
 * @returns The learning rate; the first of equally steep ones.
 * @throws {RangeError} If there are fewer points, or a loss is no finite number.
 * @example
 * ```ts
 * import { rangeTestRates, smoothLosses, suggestSteepest } from "./range_test.ts";
 * const rates = rangeTestRates(0.001, 1, 31);
 * const losses = rates.map((rate) => 1 / (1 + 10 * rate)); // falls most steeply at 0.1, seen over batches
 * const smoothed = smoothLosses(losses, 0);
 * const points = rates.map((learningRate, i) => (
 *   { learningRate, loss: losses[i], smoothedLoss: smoothed[i] }
 * ));
 * console.log(suggestSteepest(points).toFixed(3)); // 0.100
 * ```
 * @see https://github.com/davidtvs/pytorch-lr-finder
 */
export function suggestSteepest(points: readonly RangeTestPoint[]): number {
  const least = SKIP_START + SKIP_END + 2;
  if (points.length < least) {
    throw new RangeError(
      `Cannot suggest a learning rate from a range test: found ${points.length} points, wanted at least ${least} ` +
        `(the first ${SKIP_START} and the last ${SKIP_END} are left out)\n` +
        `  help: a point is a batch: make batches smaller, or the training set larger, ` +
        `or write { mode: "tpe" }; if the loss diverged early, lower maxLearningRate`,
    );
  }
  const bad = points.filter(({ smoothedLoss }) => !Number.isFinite(smoothedLoss)).length;
  if (bad > 0) {
    throw new RangeError(
      `Cannot suggest a learning rate from a range test: found ${bad} of ${points.length} losses that are no ` +
        `finite number, wanted none\n  help: lower maxLearningRate`,
    );
  }
  return points[steepestFall(points.map((point) => point.smoothedLoss))].learningRate;
}

/**
 * Where losses fall most steeply: the place of the least gradient, of central differences inside and one-sided ones at
 * the ends, among all losses but the first 10 and the last 5.
 *
 * @param losses At least 17 losses.
 * @returns The index of the loss; the first of equally steep ones.
 */
export function steepestFall(losses: readonly number[]): number {
  const first = SKIP_START, last = losses.length - SKIP_END - 1;
  let steepest = first, least = Infinity;
  for (let index = first; index <= last; index++) {
    const [from, to] = [Math.max(first, index - 1), Math.min(last, index + 1)];
    const gradient = (losses[to] - losses[from]) / (to - from);
    if (gradient < least) [steepest, least] = [index, gradient];
  }
  return steepest;
}
