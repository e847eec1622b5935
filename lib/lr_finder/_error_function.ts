/** The series serves up to here, the continued fraction from here on. */
const SERIES_TO = 1.25;
/** Terms of the continued fraction: at {@linkcode SERIES_TO} as many as double precision needs. */
const FRACTION_TERMS = 120;

/**
 * The error function, `2 / sqrt(pi)` times the integral of `exp(-t^2)` from 0 to x.
 *
 * @param x Any number.
 * @returns -1..1.
 * @see Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.6.
 */
export function erf(x: number): number {
  if (Math.abs(x) > SERIES_TO) return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
  // 2 x exp(-x^2) / sqrt(pi) * (1 + 2x^2/3 + (2x^2)^2/(3*5) + ...): all terms have one sign, none cancels another.
  let sum = 1;
  for (let term = 1, n = 3; term > sum * 1e-17; n += 2) sum += term *= 2 * x * x / n;
  return 2 * x * Math.exp(-x * x) / Math.sqrt(Math.PI) * sum;
}

/**
 * The complementary error function, `1 - erf(x)`, precise where that is small.
 *
 * @param x Any number.
 * @returns 0..2.
 * @see Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.14.
 */
export function erfc(x: number): number {
  if (x < 0) return 2 - erfc(-x);
  if (x <= SERIES_TO) return 1 - erf(x);
  // exp(-x^2) / sqrt(pi) / (x + (1/2) / (x + 1 / (x + (3/2) / (x + 2 / (x + ...)))))
  let fraction = x;
  for (let n = FRACTION_TERMS; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}

/**
 * The number above which the standard normal distribution has a given share of its mass.
 *
 * @param share Above 0, below 1.
 * @returns The number: 1.96 for 0.025.
 */
export function normalQuantile(share: number): number {
  let [low, high] = [-40, 40];
  for (let halving = 0; halving < 64; halving++) {
    const middle = (low + high) / 2;
    if (erfc(middle * Math.SQRT1_2) / 2 > share) low = middle;
    else high = middle;
  }
  return low;
}
