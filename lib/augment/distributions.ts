/**
 * Draws from other distributions than the uniform one.
 *
 * @module
 */
import type { Rng } from "./rng.ts";

/**
 * A number with mean 0 and variance 1 (Box and Muller, 1958).
 *
 * @param rng Where the randomness comes from; two numbers are drawn.
 */
export function normal(rng: Rng): number {
  const radius = Math.sqrt(-2 * Math.log(1 - rng.uniform())); // 1 - u is never 0
  return radius * Math.cos(2 * Math.PI * rng.uniform());
}

/**
 * Quantiles of the distribution of {@linkcode normal}: one of them, drawn at random, is as good as such a number and
 * needs no logarithm.
 *
 * @param count How many.
 * @returns The middle (by probability) of each of `count` parts that are equally likely, to within 0.001.
 */
export function normalQuantiles(count: number): Float64Array {
  const step = 1e-3, density = (x: number) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  let x = -6, below = 0;
  return Float64Array.from({ length: count }, (_, part) => {
    for (; below < (part + 0.5) / count; x += step) below += step * density(x + step / 2);
    return x - step / 2;
  });
}

/**
 * A number of the gamma distribution with scale 1.
 *
 * Marsaglia and Tsang: A simple method for generating gamma variables (2000).
 *
 * @param rng Where the randomness comes from.
 * @param shape Above 0; also the mean.
 */
export function gamma(rng: Rng, shape: number): number {
  if (shape < 1) return gamma(rng, shape + 1) * (1 - rng.uniform()) ** (1 / shape);
  const d = shape - 1 / 3, c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(rng), v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - rng.uniform()) < x * x / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/**
 * A number between 0 and 1 of the beta distribution.
 *
 * @param rng Where the randomness comes from.
 * @param a Above 0.
 * @param b Above 0; the mean is a / (a + b).
 */
export function beta(rng: Rng, a: number, b: number): number {
  const x = gamma(rng, a), sum = x + gamma(rng, b);
  // Both vanish where a and b are tiny, and then the number is all but certainly 0 or 1.
  return sum > 0 ? x / sum : Number(rng.chance(a / (a + b)));
}

/**
 * Shares that add up to 1, of the symmetric Dirichlet distribution.
 *
 * @param rng Where the randomness comes from.
 * @param concentration Above 0: the larger it is, the more alike they are.
 * @param count How many.
 */
export function dirichlet(rng: Rng, concentration: number, count: number): number[] {
  const parts = Array.from({ length: count }, () => gamma(rng, concentration));
  const sum = parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => part / sum);
}
