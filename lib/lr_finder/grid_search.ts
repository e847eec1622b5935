import { createRng, permutation } from "../augment/rng.ts";
import { checkBounds, type LearningRateBounds } from "./bounds.ts";
import { type Trial, wasTried } from "./trial.ts";

/**
 * The learning rates of a grid: the lowest, then one every step, up to the highest. (OpenVINO Training Extensions made
 * its grid with `numpy.arange`, which leaves the highest out; here both ends are in, as in the search by TPE.)
 *
 * @param bounds Lowest, highest and step.
 * @returns The rates, ascending, at least 2. They are rounded to 15 digits: 0.013, not 0.013000000000000001.
 * @throws {RangeError} If the bounds do not fit.
 * @example
 * ```ts
 * import { gridRates } from "./grid_search.ts";
 * const rates = gridRates({ minLearningRate: 0.001, maxLearningRate: 0.004, step: 0.001 });
 * console.log(rates); // [ 0.001, 0.002, 0.003, 0.004 ]
 * ```
 */
export function gridRates(bounds: LearningRateBounds): number[] {
  checkBounds(bounds);
  const { minLearningRate, maxLearningRate, step } = bounds;
  // A highest rate that the steps miss by rounding only is met.
  const steps = Math.floor((maxLearningRate - minLearningRate) / step + 1e-6);
  return Array.from(
    { length: steps + 1 },
    (_, index) => index === 0 ? minLearningRate : Number((minLearningRate + index * step).toPrecision(15)),
  );
}

/**
 * The learning rate that a grid search tries next. The rates come in an order that depends on the seed only, so that a
 * search that is not let run to its end has looked everywhere.
 *
 * @param rates All rates, as {@linkcode gridRates} gives them.
 * @param trials The trials so far; what came of them does not count.
 * @param seed The run's seed.
 * @returns A rate that was not tried, or `undefined` if all were.
 * @example
 * ```ts
 * import { nextGridRate } from "./grid_search.ts";
 * const tried = { number: 0, learningRate: 0.001, values: [0.5], state: "complete" as const };
 * console.log(nextGridRate([0.001, 0.002], [tried], 5)); // 0.002
 * ```
 */
export function nextGridRate(
  rates: readonly number[],
  trials: readonly Trial[],
  seed: number,
): number | undefined {
  const order = permutation(rates.length, createRng(seed, "search"));
  return Array.from(order, (index) => rates[index]).find((rate) => !wasTried(trials, rate));
}
