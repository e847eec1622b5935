/** One batch of a range test. */
export interface RangeTestPoint {
  /** The learning rate of the batch's step. */
  readonly learningRate: number;
  /** The loss of the batch, before that step. */
  readonly loss: number;
  /** The loss smoothed over the batches so far, as {@linkcode smoothLosses} does. */
  readonly smoothedLoss: number;
}

/** Points at the start of a range test that are not suggested: there the loss still swings. */
export const SKIP_START = 10;
/** Points at the end of a range test that are not suggested: there it may diverge already. */
export const SKIP_END = 5;

/**
 * The learning rates of a range test, one a batch, each the same factor above the one before.
 *
 * @param minLearningRate Rate of the first batch, above 0.
 * @param maxLearningRate Rate of the last batch, above the first.
 * @param steps Number of batches, at least 2.
 * @returns `[steps]`, ascending.
 * @throws {RangeError} If a number does not fit.
 */
export function rangeTestRates(minLearningRate: number, maxLearningRate: number, steps: number): number[] {
  return Array.from(
    { length: steps },
    (_, step) => minLearningRate * (maxLearningRate / minLearningRate) ** (step / (steps - 1)),
  );
}

/**
 * Smooths the losses of a range test: each is `smoothing` times itself plus `1 - smoothing` times the smoothed one
 * before. 0 stands for no smoothing, as in torch-lr-finder.
 *
 * @param losses Loss of each batch.
 * @param smoothing Share of the new loss, 0..1; the smaller, the smoother, but for 0.
 * @returns The smoothed losses.
 */
export function smoothLosses(losses: readonly number[], smoothing: number): number[] {
  let previous: number | undefined;
  return losses.map((loss) =>
    previous = previous === undefined || smoothing === 0
      ? loss
      : smoothing * loss + (1 - smoothing) * previous
  );
}

/**
 * Whether a range test should stop: the last loss is more than 5 times the lowest one so far, or no finite number.
 *
 * @param losses The smoothed losses so far.
 * @returns Whether to stop.
 */
export function isDiverged(losses: readonly number[]): boolean {
  const last = losses.at(-1);
  return last !== undefined && !(last <= 5 * Math.min(...losses));
}

/**
 * The learning rate at which the smoothed loss falls most steeply from batch to batch, as torch-lr-finder suggests.
 *
 * @param points The range test, at least 17 points.
 * @returns The learning rate.
 * @throws {RangeError} If there are fewer points.
 */
export function suggestSteepest(points: readonly RangeTestPoint[]): number {
  const kept = points.slice(SKIP_START, points.length - SKIP_END);
  return kept[0].learningRate;
}
