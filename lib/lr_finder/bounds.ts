import type { OptionProblem } from "../errors/check_options.ts";

/** Where learning rates are searched. */
export interface LearningRateRange {
  /** The lowest learning rate, above 0. */
  readonly minLearningRate: number;
  /** The highest learning rate, above the lowest. */
  readonly maxLearningRate: number;
}

/** Which learning rates are tried: from the lowest in steps to the highest, both included. */
export interface LearningRateBounds extends LearningRateRange {
  /** Distance from one rate to the next. A highest rate that the steps do not meet is not tried. */
  readonly step: number;
}

/** Most rates that bounds may hold: more are a mistake in the step. */
const MOST_RATES = 10_000;

/**
 * Finds what is wrong with bounds: a value that is no number above 0, ends the wrong way round, a step that is wider
 * than the bounds or so small that they hold more than 10 000 rates.
 *
 * @param bounds The bounds, with a step or without one.
 * @returns What is wrong with each value, for `checkValues`; empty if nothing is.
 * @example
 * ```ts
 * import { boundsProblems } from "./bounds.ts";
 * const bounds = { minLearningRate: 0.03, maxLearningRate: 0.005, step: 0.001 };
 * console.log(boundsProblems(bounds).map(({ wanted }) => wanted)); // [ "less than maxLearningRate, 0.005" ]
 * ```
 */
export function boundsProblems(bounds: LearningRateRange | LearningRateBounds): OptionProblem[] {
  const { minLearningRate: min, maxLearningRate: max } = bounds;
  const numbers = {
    minLearningRate: min,
    maxLearningRate: max,
    ...("step" in bounds && { step: bounds.step }),
  };
  const problems = Object.entries(numbers)
    .filter(([, found]) => !(Number.isFinite(found) && found > 0))
    .map(([option, found]) => ({
      option,
      found,
      wanted: "a number above 0",
      wrongType: typeof found !== "number",
    }));
  if (problems.length > 0) return problems;
  if (min >= max) {
    const wanted = `less than maxLearningRate, ${max}`;
    return [{ option: "minLearningRate", found: min, wanted, wrongType: false }];
  }
  const { step = max - min } = numbers;
  const [widest, finest] = [max - min, (max - min) / MOST_RATES];
  if (step <= widest * (1 + 1e-9) && step >= finest) return [];
  const wanted = `from ${tidy(finest)} to ${
    tidy(widest)
  }, for at least 2 and at most ${MOST_RATES} rates from ${min} to ${max}`;
  return [{ option: "step", found: step, wanted, wrongType: false }];
}

/**
 * Refuses bounds in which no learning rates can be searched.
 *
 * @param bounds The bounds, with a step or without one.
 * @throws {TypeError} If a value is no number.
 * @throws {RangeError} If {@linkcode boundsProblems} finds anything else.
 * @example
 * ```ts
 * import { checkBounds } from "./bounds.ts";
 * checkBounds({ minLearningRate: 0.005, maxLearningRate: 0.03, step: 0.001 });
 * ```
 */
export function checkBounds(bounds: LearningRateRange | LearningRateBounds): void {
  const problems = boundsProblems(bounds);
  if (problems.length === 0) return;
  const message =
    `Cannot search a learning rate: ${
      problems.length === 1 ? "1 bound" : `${problems.length} bounds`
    } cannot be used\n` +
    problems.map(({ option, found, wanted }) => `  ${option}: found ${found}, wanted ${wanted}`).join("\n") +
    `\n  help: write for example { minLearningRate: 0.005, maxLearningRate: 0.03, step: 0.001 }`;
  throw problems.some(({ wrongType }) => wrongType) ? new TypeError(message) : new RangeError(message);
}

/** Without the noise of rounding: 0.025, not 0.024999999999999998. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}
