import { percent } from "../metrics/percent.ts";
import { plural } from "../plots/theme.ts";
import type { Trial } from "./trial.ts";

/**
 * What came of a trial, in words.
 *
 * @param trial The trial.
 * @returns E.g. `top-1 81.2 % after 6 epochs`.
 *
 * @example
 * ```ts
 * import { describeTrial } from "./describe_trial.ts";
 * console.log(describeTrial({ number: 0, learningRate: 0.01, values: [0.5, 0.8], state: "pruned" }));
 * // pruned after 2 epochs, top-1 80.0 %
 * ```
 */
export function describeTrial({ state, values }: Trial): string {
  const epochs = plural(values.length, "epoch");
  const top1 = percent(values.at(-1) ?? NaN);
  switch (state) {
    case "complete":
      return `top-1 ${top1} after ${epochs}`;
    case "pruned":
      return `pruned after ${epochs}, top-1 ${top1}`;
    case "duplicate":
      return "tried before";
    case "failed":
      return values.length === 0
        ? "failed: the loss is no number"
        : `failed after ${epochs}: the loss is no number`;
  }
}
