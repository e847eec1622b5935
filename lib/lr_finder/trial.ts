/**
 * One learning rate that was tried: a network trained for a few epochs with it, and what came of that.
 *
 * - `complete`: trained for all epochs.
 * - `pruned`: stopped early, because it was behind the others.
 * - `duplicate`: not trained, because an earlier trial has the same rate. (Optuna calls it pruned, too.)
 * - `failed`: its loss was no longer a finite number.
 */
export interface Trial {
  /** 0-based place in the order of the trials. */
  readonly number: number;
  /** The learning rate, above 0. */
  readonly learningRate: number;
  /** Top-1 accuracy on the validation set after each epoch trained, 0..1; none for a duplicate. */
  readonly values: readonly number[];
  /** What came of it. */
  readonly state: "complete" | "pruned" | "duplicate" | "failed";
}

/**
 * Whether a learning rate was tried before, whatever came of it. Rates that differ by rounding only are the same.
 *
 * @param trials The trials so far.
 * @param learningRate The learning rate, above 0.
 * @returns Whether one of the trials has it.
 * @example
 * ```ts
 * import { wasTried } from "./trial.ts";
 * const trials = [{ number: 0, learningRate: 0.013, values: [0.8], state: "complete" as const }];
 * console.log(wasTried(trials, 0.005 + 8 * 0.001)); // true
 * ```
 */
export function wasTried(trials: readonly Trial[], learningRate: number): boolean {
  return trials.some((trial) => Math.abs(trial.learningRate - learningRate) <= 1e-9 * learningRate);
}
