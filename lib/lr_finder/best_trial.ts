import type { Trial } from "./trial.ts";

/**
 * The trial with the highest top-1 after its last epoch. Only complete trials count; of equals the first one wins, as in
 * Optuna.
 *
 * @param trials The trials, in the order of their numbers.
 * @returns The best trial, or `undefined` if none is complete.
 * @example
 * ```ts
 * import { bestTrial } from "./best_trial.ts";
 * const best = bestTrial([
 *   { number: 0, learningRate: 0.01, values: [0.7, 0.8], state: "complete" },
 *   { number: 1, learningRate: 0.02, values: [0.9], state: "pruned" },
 * ]);
 * console.log(best?.learningRate); // 0.01
 * ```
 */
export function bestTrial(trials: readonly Trial[]): Trial | undefined {
  let best: Trial | undefined;
  for (const trial of trials) {
    if (trial.state !== "complete") continue;
    if (best === undefined || trial.values.at(-1)! > best.values.at(-1)!) best = trial;
  }
  return best;
}
