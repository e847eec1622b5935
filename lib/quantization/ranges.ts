/**
 * How the range of a value is chosen from what calibration pictures give. `meanMinMax`: the means of each picture's
 * smallest and largest number, as NNCF's `mean_min_max`; `percentile`: what all but 1 number in 10,000 at each end is
 * within; `mse`: what makes the squares of the rounding and clipping errors least.
 */
export type RangeMethod = "meanMinMax" | "percentile" | "mse";

/** The methods, for checking an option. */
export const rangeMethods = ["meanMinMax", "percentile", "mse"] as const satisfies readonly RangeMethod[];

/** A method, or `auto`: the one with which the calibration pictures' predictions are nearest to those in float. */
export type RangeChoice = RangeMethod | "auto";

/** What can be chosen, for checking an option. */
export const rangeChoices = ["auto", ...rangeMethods] as const satisfies readonly RangeChoice[];

/** Numbers of a value over many pictures, counted. */
export interface Histogram {
  /** Lower end of the first bin. */
  readonly low: number;
  /** Upper end of the last bin, above `low`. */
  readonly high: number;
  /** How many numbers fell into each bin; bins are equally wide. */
  readonly counts: Float64Array;
}

/** What calibration pictures give of one value. */
export interface ObservedValue {
  /** Mean over the pictures of the smallest number. */
  readonly meanMin: number;
  /** Mean over the pictures of the largest number. */
  readonly meanMax: number;
  readonly histogram: Histogram;
}

/** A range with 0 in it. */
export interface Range {
  /** At most 0. */
  readonly min: number;
  /** At least 0. */
  readonly max: number;
}

/**
 * The range a value is quantised to.
 *
 * @param observed What calibration pictures give.
 * @param method How it is chosen.
 * @returns The range, with 0 in it; each end is chosen by itself.
 */
export function chooseRange(observed: ObservedValue, method: RangeMethod): Range {
  const whole = wantedRange(observed, method);
  const { min, max } = method === "mse" ? leastError(observed.histogram, whole) : whole;
  return { min, max: Math.max(max, 1e-6) }; // values that are always 0 have a range all the same
}

function wantedRange({ meanMin, meanMax, histogram }: ObservedValue, method: RangeMethod): Range {
  switch (method) {
    case "meanMinMax":
      return { min: Math.min(meanMin, 0), max: Math.max(meanMax, 0) };
    case "percentile":
      return { min: Math.min(quantile(histogram, 1e-4), 0), max: Math.max(quantile(histogram, 1 - 1e-4), 0) };
    case "mse":
      return { min: Math.min(histogram.low, 0), max: Math.max(histogram.high, 0) };
  }
}

/** Shrinks a range, and then each of its ends, until the error is least. */
function leastError(histogram: Histogram, whole: Range): Range {
  let best = whole, least = squaredError(histogram, whole, 256);
  const consider = (candidate: Range) => {
    const error = squaredError(histogram, candidate, 256);
    if (error < least) [best, least] = [candidate, error];
  };
  for (const share of shares) consider({ min: whole.min * share, max: whole.max * share });
  const { max } = best;
  if (whole.min < 0) { for (const share of shares) consider({ min: whole.min * share, max }); }
  const { min } = best;
  for (const share of shares) consider({ min, max: whole.max * share });
  return best;
}

/** What a range is shrunk to: 1, 0.98 ... 0.1. */
const shares = Array.from({ length: 46 }, (_, index) => 1 - index / 50);

/**
 * Sum of the squares of what quantising does to the numbers of a histogram; each bin counts as its middle.
 *
 * @param histogram The numbers.
 * @param range What they are quantised to.
 * @param levels How many values that has.
 */
export function squaredError({ low, high, counts }: Histogram, { min, max }: Range, levels: number): number {
  const step = (max - min) / (levels - 1);
  if (!(step > 0)) return Infinity;
  const zero = Math.round(-min / step);
  const first = -zero * step, last = (levels - 1 - zero) * step;
  const width = (high - low) / counts.length;
  let sum = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin]!;
    if (count === 0) continue;
    const value = low + (bin + 0.5) * width;
    const rounded = value < first ? first : value > last ? last : Math.round(value / step) * step;
    // Within one step the error is that of rounding, wherever in its bin a number is.
    const error = value < first || value > last
      ? (value - rounded) ** 2
      : width >= step
      ? (value - rounded) ** 2 + width ** 2 / 12
      : step ** 2 / 12;
    sum += count * error;
  }
  return sum;
}

/** The number that a share of all numbers is below. */
function quantile({ low, high, counts }: Histogram, share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    below += counts[bin]!;
    if (below >= share * total) return low + (bin + 1) * (high - low) / counts.length;
  }
  return high;
}
