import { createRng } from "../augment/rng.ts";
import { type RangeTestPoint, smoothLosses, steepestFall } from "./range_test.ts";

/** How often the scatter of a curve is drawn again. */
const REDRAWS = 200;
/** Median of the absolute value of a number of the standard normal distribution. */
const NORMAL_MEDIAN = 0.6744897501960817;

/**
 * The mean.
 *
 * @param values At least one number.
 * @returns Their mean.
 */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The mean of each value and its neighbours, as many on one side as on the other, so that a slope stays a slope.
 *
 * @param values The values.
 * @param reach How many neighbours on each side; near the ends as many as there are.
 * @returns The means, as many as values.
 */
export function movingMean(values: readonly number[], reach: number): number[] {
  return values.map((_, index) => {
    const near = Math.min(reach, index, values.length - 1 - index);
    return mean(values.slice(index - near, index + near + 1));
  });
}

/**
 * How much values scatter around the curve that they follow: a standard deviation, from second differences, so that
 * neither level nor slope count, and from their median, so that a few outliers do not.
 *
 * @param values At least three numbers.
 * @returns The standard deviation.
 */
export function scatter(values: readonly number[]): number {
  const differences = values.slice(2).map((value, index) =>
    Math.abs(value - 2 * values[index + 1] + values[index]) / Math.sqrt(6)
  ).sort((a, b) => a - b);
  return differences[differences.length >> 1] / NORMAL_MEDIAN;
}

/**
 * What would be suggested had the batches of a range test scattered otherwise: each batch's distance from the trend
 * keeps its size and gets a random sign.
 *
 * @param points The range test, at least 17 points.
 * @param trend The loss without scatter, a value a point.
 * @param smoothing How losses are smoothed, as in `smoothLosses`.
 * @returns The rates suggested, ascending. They depend on the curve only, not on the run's seed.
 */
export function redrawSuggestions(
  points: readonly RangeTestPoint[],
  trend: readonly number[],
  smoothing: number,
): number[] {
  const rng = createRng(0, "search");
  return Array.from({ length: REDRAWS }, () => {
    const losses = points.map(({ loss }, index) => rng.chance(0.5) ? loss : 2 * trend[index] - loss);
    return points[steepestFall(smoothLosses(losses, smoothing))].learningRate;
  }).sort((a, b) => a - b);
}
