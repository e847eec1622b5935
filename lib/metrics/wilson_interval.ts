/** 97.5 % quantile of the standard normal distribution: 95 % of it lies within plus and minus this. */
const Z_95 = 1.959963984540054;

/**
 * Wilson's score interval for a share: where the true accuracy lies, with 95 % confidence, when `successes` of `trials`
 * independent samples were right. Unlike the textbook's plus-minus it stays within 0..1 and is sound for few samples
 * and for accuracies near 0 and 1.
 *
 * @param successes Number of right samples, `0..trials`.
 * @param trials Number of samples, at least 1.
 * @param z Half-width in standard deviations; the default belongs to 95 %.
 * @returns Lower and upper end, 0..1.
 * @throws {RangeError} If the numbers are no counts, or z is negative.
 * @example
 * ```ts
 * import { wilsonInterval } from "./wilson_interval.ts";
 * const [lower, upper] = wilsonInterval(90, 100);
 * console.log(lower.toFixed(3), upper.toFixed(3)); // 0.826 0.945
 * ```
 * @see E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927).
 */
export function wilsonInterval(successes: number, trials: number, z: number = Z_95): [number, number] {
  if (!Number.isInteger(trials) || trials < 1) {
    throw new RangeError(
      `Cannot compute the Wilson interval: found ${trials} trials, wanted a whole number of at least 1`,
    );
  }
  if (!Number.isInteger(successes) || successes < 0 || successes > trials) {
    throw new RangeError(
      `Cannot compute the Wilson interval: found ${successes} successes, wanted a whole number from 0 to ${trials}`,
    );
  }
  if (!(z >= 0)) {
    throw new RangeError(`Cannot compute the Wilson interval: found z = ${z}, wanted at least 0`);
  }
  const share = successes / trials;
  const shrink = 1 + (z * z) / trials;
  const centre = (share + (z * z) / (2 * trials)) / shrink;
  const half = (z / shrink) * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials));
  // At 0 and at all successes the ends are 0 and 1 exactly; rounding must not move them.
  return [successes === 0 ? 0 : centre - half, successes === trials ? 1 : centre + half];
}
