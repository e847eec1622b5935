/**
 * Interval for the difference of two accuracies that were measured on the same samples: where the first less the second
 * truly lies. Only samples that one of the two got right say something, so that it is much narrower than
 * {@linkcode newcombeInterval} where the two mostly agree.
 *
 * @param onlyFirst Samples that only the first got right.
 * @param onlySecond Samples that only the second got right.
 * @param total All samples, at least 1.
 * @param z Half-width in standard deviations; the default belongs to 95 %.
 * @returns Lower and upper end, -1..1.
 * @throws {RangeError} If the numbers are no counts of that many samples.
 * @example
 * ```ts
 * import { pairedInterval } from "./paired_interval.ts";
 * const [lower, upper] = pairedInterval(12, 5, 500);
 * console.log(lower.toFixed(4), upper.toFixed(4)); // -0.0030 0.0309
 * ```
 * @see D. G. Bonett and R. M. Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on
 * paired data", Journal of Educational and Behavioral Statistics 37 (2012).
 */
export function pairedInterval(
  onlyFirst: number,
  onlySecond: number,
  total: number,
  z = 1.959963984540054,
): [number, number] {
  const counts = [onlyFirst, onlySecond, total];
  if (
    counts.some((count) => !Number.isInteger(count) || count < 0) ||
    total < Math.max(1, onlyFirst + onlySecond)
  ) {
    throw new RangeError(
      `Cannot compute the interval: found ${onlyFirst} and ${onlySecond} of ${total} samples, wanted counts of samples`,
    );
  }
  const first = (onlyFirst + 1) / (total + 2), second = (onlySecond + 1) / (total + 2);
  const difference = first - second;
  const half = z * Math.sqrt((first + second - difference ** 2) / (total + 2));
  return [Math.max(-1, difference - half), Math.min(1, difference + half)];
}
