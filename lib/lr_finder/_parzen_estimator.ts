import type { Rng } from "../augment/rng.ts";
import { erf, erfc } from "./_error_function.ts";

/** Observations that count in full; older ones than these last count less. */
const FULL_WEIGHTS = 25;

/**
 * A distribution over the rates of a grid, estimated from some of them: a mixture of normal distributions, one around
 * each observed rate and a wide one (the prior) over the whole range. Each is cut off half a step beyond the ends of the
 * grid and gives a rate of the grid the mass within half a step of it.
 */
export interface ParzenEstimator {
  /** The rates of the grid, ascending, equally far apart. */
  readonly grid: readonly number[];
  /** Share of each kernel, adding up to 1; the prior's is the last. */
  readonly weights: readonly number[];
  /** Centre of each kernel. */
  readonly means: readonly number[];
  /** Standard deviation of each kernel before it is cut off. */
  readonly sigmas: readonly number[];
}

/**
 * Estimates a distribution from observed rates, as Optuna's `TPESampler` does with its defaults.
 *
 * A kernel is as wide as the larger gap to its neighbours (the lowest and the highest rate have one neighbour; a single
 * rate has the ends of the range), but not wider than the range and not narrower than a share of it: 1 of (number of
 * rates + 2), 1 of 100 at least. All kernels weigh the same, but of more than 25 rates the older ones weigh less.
 * Of equal rates the older one counts as the lower; Optuna leaves that to a sort that depends on the CPU.
 *
 * @param observed The rates, oldest first; may be none.
 * @param grid The rates of the grid, ascending, at least 2, equally far apart.
 * @returns The distribution.
 * @see J. Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NIPS 2011.
 * @see S. Watanabe, "Tree-Structured Parzen Estimator: Understanding Its Algorithm Components and Their Roles for Better
 * Empirical Performance", 2023 (all of the rules above).
 */
export function parzenEstimator(observed: readonly number[], grid: readonly number[]): ParzenEstimator {
  const [low, high] = ends(grid);
  const count = observed.length;
  const widest = high - low, narrowest = widest / Math.min(100, count + 2);

  const order = observed.map((_, index) => index).sort((a, b) => observed[a] - observed[b]);
  const sigmas = new Array<number>(count);
  for (const [place, index] of order.entries()) {
    const [isFirst, isLast] = [place === 0, place === count - 1];
    const gapBelow = observed[index] - (isFirst ? low : observed[order[place - 1]]);
    const gapAbove = (isLast ? high : observed[order[place + 1]]) - observed[index];
    const gap = count > 1 && isFirst
      ? gapAbove
      : count > 1 && isLast
      ? gapBelow
      : Math.max(gapBelow, gapAbove);
    sigmas[index] = Math.min(widest, Math.max(narrowest, gap));
  }

  const weights = [...observationWeights(count), 1];
  const sum = weights.reduce((sum, weight) => sum + weight);
  return {
    grid,
    weights: weights.map((weight) => weight / sum),
    means: [...observed, 0.5 * (low + high)],
    sigmas: [...sigmas, widest],
  };
}

/**
 * The weight of each observation: 1 for the last 25, rising to 1 from 1/count for those before.
 *
 * @param count How many observations.
 * @returns `[count]`, oldest first.
 */
export function observationWeights(count: number): number[] {
  const older = Math.max(0, count - FULL_WEIGHTS);
  return Array.from({ length: count }, (_, index) => {
    if (index >= older) return 1;
    return 1 / count + (older === 1 ? 0 : index * (1 - 1 / count) / (older - 1));
  });
}

/**
 * The probability that an estimated distribution gives a rate.
 *
 * @param estimator The distribution.
 * @param rate A rate of its grid.
 * @returns Above 0, adding up to 1 over the grid.
 */
export function probability(estimator: ParzenEstimator, rate: number): number {
  const [low, high, halfStep] = ends(estimator.grid);
  let sum = 0;
  for (const [kernel, mean] of estimator.means.entries()) {
    const sigma = estimator.sigmas[kernel];
    const mass = normalMass((rate - halfStep - mean) / sigma, (rate + halfStep - mean) / sigma);
    sum += estimator.weights[kernel] * mass / normalMass((low - mean) / sigma, (high - mean) / sigma);
  }
  return sum;
}

/**
 * Draws rates from an estimated distribution. (Optuna draws from the normal distributions and rounds to the grid, which
 * gives each rate the same probability.)
 *
 * @param estimator The distribution.
 * @param count How many.
 * @param rng Where the randomness comes from.
 * @returns `[count]`, rates of the grid.
 */
export function drawRates(estimator: ParzenEstimator, count: number, rng: Rng): number[] {
  const { grid } = estimator;
  let sum = 0;
  const cumulative = grid.map((rate) => sum += probability(estimator, rate));
  return Array.from({ length: count }, () => {
    const drawn = rng.uniform() * sum;
    return grid[cumulative.findIndex((up) => drawn < up)];
  });
}

/** Where the kernels are cut off, and half a step. */
function ends(grid: readonly number[]): [low: number, high: number, halfStep: number] {
  const [lowest, highest] = [grid[0], grid[grid.length - 1]];
  const halfStep = (highest - lowest) / (grid.length - 1) / 2;
  return [lowest - halfStep, highest + halfStep, halfStep];
}

/** Mass of the standard normal distribution between two numbers, taken from the tail they are in. */
function normalMass(from: number, to: number): number {
  const [a, b] = [from * Math.SQRT1_2, to * Math.SQRT1_2];
  if (a > 0) return (erfc(a) - erfc(b)) / 2;
  if (b < 0) return (erfc(-b) - erfc(-a)) / 2;
  return (erf(b) - erf(a)) / 2;
}
