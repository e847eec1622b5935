import { wilsonInterval } from "./wilson_interval.ts";

/**
 * Newcombe's hybrid score interval for the difference of two shares: where the first accuracy less the second truly
 * lies, when the two were measured on independent samples. On the same samples, where two models often fail together,
 * it is wider than need be.
 *
 * @param successes Right samples of the first and of the second.
 * @param trials Samples of the first and of the second, at least 1 each.
 * @param z Half-width in standard deviations; the default belongs to 95 %.
 * @returns Lower and upper end, -1..1.
 * @throws {RangeError} If the numbers are no counts, or z is negative.
 * @example
 * ```ts
 * import { newcombeInterval } from "./newcombe_interval.ts";
 * const [lower, upper] = newcombeInterval([56, 48], [70, 80]);
 * console.log(lower.toFixed(4), upper.toFixed(4)); // 0.0524 0.3339
 * ```
 * @see R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine
 * 17 (1998), method 10.
 */
export function newcombeInterval(
  successes: readonly [number, number],
  trials: readonly [number, number],
  z?: number,
): [number, number] {
  const [first, second] = [successes[0] / trials[0], successes[1] / trials[1]];
  const [firstLower, firstUpper] = wilsonInterval(successes[0], trials[0], z);
  const [secondLower, secondUpper] = wilsonInterval(successes[1], trials[1], z);
  return [
    first - second - Math.hypot(first - firstLower, secondUpper - second),
    first - second + Math.hypot(firstUpper - first, second - secondLower),
  ];
}
