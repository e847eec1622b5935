/** How {@linkcode oneCycle} rises and falls. The defaults are torch's. */
export interface OneCycleOptions {
  /** Share of all steps in which the rate rises, 0..1; fastai takes 0.25. @default {0.3} */
  readonly percentStart?: number;
  /** What the highest rate is divided by to begin with, at least 1. @default {25} */
  readonly divisor?: number;
  /** What the first rate is divided by to end with, at least 1; fastai's end is that of 4000. @default {10000} */
  readonly finalDivisor?: number;
  /** Along half a cosine, or straight. @default {"cos"} */
  readonly anneal?: "cos" | "linear";
  /**
   * The momentum at the highest rate, and the one at both ends; it falls while the rate rises. `null`: the recipe's
   * `momentum` in all steps. @default {[0.85, 0.95]}
   */
  readonly momentum?: readonly [number, number] | null;
}

/** What a step is taken with. */
export interface OneCycleStep {
  readonly learningRate: number;
  /** `undefined` where it does not cycle. */
  readonly momentum: number | undefined;
}

/**
 * One cycle over all steps of a run, as `torch.optim.lr_scheduler.OneCycleLR` and fastai's `fit_one_cycle`: the learning
 * rate rises from a `divisor`-th of the highest, and then falls to almost nothing, while the momentum does the opposite.
 *
 * @param learningRate The highest rate, above 0.
 * @param steps Steps of the run, at least 1.
 * @param options See {@linkcode OneCycleOptions}.
 * @returns Rate and momentum of a 0-based step.
 * @example
 * ```ts
 * import { oneCycle } from "./one_cycle.ts";
 * const cycle = oneCycle(0.1, 100);
 * console.log([0, 29, 99].map((step) => cycle(step).learningRate.toFixed(4)).join(" ")); // 0.0040 0.1000 0.0000
 * console.log([0, 29, 99].map((step) => cycle(step).momentum?.toFixed(2)).join(" ")); // 0.95 0.85 0.95
 * ```
 * @see Smith: A disciplined approach to neural network hyper-parameters, part 1 (2018,
 * https://arxiv.org/abs/1803.09820); Smith, Topin: Super-convergence (2017, https://arxiv.org/abs/1708.07120)
 */
export function oneCycle(
  learningRate: number,
  steps: number,
  options: OneCycleOptions = {},
): (step: number) => OneCycleStep {
  const { percentStart = 0.3, divisor = 25, finalDivisor = 1e4, anneal = "cos" } = options;
  const { momentum = [0.85, 0.95] } = options;
  const first = learningRate / divisor, last = first / finalDivisor;
  // Torch's: the highest rate is that of step `percentStart * steps - 1`, which need not be a whole number.
  const top = percentStart * steps - 1, end = steps - 1;
  const between = (from: number, to: number, share: number) =>
    anneal === "linear" ? from + (to - from) * share : to + (from - to) / 2 * (1 + Math.cos(Math.PI * share));
  return (step) => {
    const rising = step <= top;
    const share = rising ? (top === 0 ? 1 : step / top) : (step - top) / (end - top);
    return {
      learningRate: rising ? between(first, learningRate, share) : between(learningRate, last, share),
      momentum: momentum === null
        ? undefined
        : rising
        ? between(momentum[1], momentum[0], share)
        : between(momentum[0], momentum[1], share),
    };
  };
}
