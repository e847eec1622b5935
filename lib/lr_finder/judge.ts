import { newcombeInterval } from "../metrics/newcombe_interval.ts";
import { percent } from "../metrics/percent.ts";
import { wilsonInterval } from "../metrics/wilson_interval.ts";
import { mean, movingMean, redrawSuggestions, scatter } from "./_curve_statistics.ts";
import { normalQuantile } from "./_error_function.ts";
import { bestTrial } from "./best_trial.ts";
import { type RangeTestPoint, SKIP_END, SKIP_START, steepestFall, suggestSteepest } from "./range_test.ts";
import type { Trial } from "./trial.ts";

/** What a search for a learning rate is worth. */
export interface Judgement {
  /**
   * - `clear`: what is suggested stands out from chance.
   * - `flat`: nothing that was tried makes a difference that can be told from chance.
   * - `noisy`: the loss falls, but where it falls most steeply is chance.
   * - `failed`: no trial was completed.
   */
  readonly verdict: "clear" | "flat" | "noisy" | "failed";
  /** Why, with the numbers, and what to do. */
  readonly reason: string;
  /** The learning rate to use, or `undefined` if there is none to suggest. */
  readonly suggestion: number | undefined;
}

/** Points there must be to choose from for the choice to mean anything. */
const LEAST_CHOICE = 10;
/** Standard errors by which the loss must fall: 3, as the lowest of several places is compared with the start. */
const FALL_ERRORS = 3;
/** Share of its start by which the loss must fall. */
const LEAST_FALL = 0.01;
/** Share of the fall that may be lost again before the steepest point. */
const REBOUND = 0.5;
/** Share of the range of rates, on a logarithmic scale, in which the redrawn suggestions may lie. */
const SPREAD = 0.5;
/** How many times the lowest the highest of the redrawn suggestions may be. */
const FACTOR = 10;

/**
 * Judges a range test: whether the steepest point of its loss means anything. The rules, in this order:
 *
 * 1. `noisy` if fewer than 10 points are left to choose from, that is, if the test has fewer than 25.
 * 2. `flat` if the loss does not fall. Its start is the mean of the first 10 batches, its lowest the least moving mean
 *    (over a tenth of the points, 5 at least). The fall from one to the other must be 3 standard errors, which follow
 *    from the scatter of single batches around the curve, and 1 % of the start.
 * 3. `noisy` if the steepest point comes after the loss rose again by half its fall: then it is a rebound of a loss that
 *    diverges.
 * 4. `noisy` if the steepest point is where it is by chance. The scatter of the batches is drawn again 200 times: each
 *    batch's distance from the moving mean keeps its size and gets a random sign (the wild bootstrap). 8 of 10 of the
 *    rates suggested for these curves must lie within half of the range of rates (on a logarithmic scale) and within a
 *    factor of 10.
 * 5. `clear` otherwise.
 *
 * @param points The range test, at least 17 points.
 * @param smoothing How its losses were smoothed, as in `smoothLosses`.
 * @returns The judgement; a suggestion only if it is clear.
 * @throws {RangeError} As `suggestSteepest` does.
 * @example
 * ```ts
 * import { judgeCurve } from "./judge.ts";
 * import { rangeTestRates, smoothLosses } from "./range_test.ts";
 * const rates = rangeTestRates(1e-6, 1e-5, 40);
 * const losses = rates.map((_, i) => 2.3 + (i * 7 % 10) / 100); // goes up and down, but does not fall
 * const smoothed = smoothLosses(losses, 0.05);
 * const points = rates.map((learningRate, i) => (
 *   { learningRate, loss: losses[i], smoothedLoss: smoothed[i] }
 * ));
 * console.log(judgeCurve(points, 0.05).verdict); // flat
 * ```
 * @see T. Gasser, L. Sroka, C. Jennen-Steinmetz, "Residual variance and residual pattern in nonlinear regression",
 * Biometrika 73 (1986) (the scatter).
 * @see C. F. J. Wu, "Jackknife, bootstrap and other resampling methods in regression analysis", Annals of Statistics 14
 * (1986) (the wild bootstrap).
 */
export function judgeCurve(points: readonly RangeTestPoint[], smoothing: number): Judgement {
  const suggestion = suggestSteepest(points);
  const unclear = (verdict: "flat" | "noisy", reason: string) => ({ verdict, reason, suggestion: undefined });

  const left = points.length - SKIP_START - SKIP_END;
  if (left < LEAST_CHOICE) {
    return unclear(
      "noisy",
      `Only ${left} of ${points.length} points are left to choose from, too few to tell a slope from chance: ` +
        `wanted at least ${LEAST_CHOICE}. Make batches smaller, or use mode "tpe".`,
    );
  }

  const losses = points.map((point) => point.loss);
  const reach = Math.max(2, Math.round(losses.length / 20));
  const trend = movingMean(losses, reach);
  const choice = trend.slice(SKIP_START, -SKIP_END);
  const noise = scatter(losses.slice(0, -SKIP_END));
  const needed = (start: number) =>
    Math.max(LEAST_FALL * start, FALL_ERRORS * noise * Math.sqrt(1 / SKIP_START + 1 / (2 * reach + 1)));

  const start = mean(losses.slice(0, SKIP_START));
  const lowest = Math.min(...choice), highest = Math.max(...choice);
  const fall = start - lowest;
  if (fall < needed(start)) {
    return unclear(
      "flat",
      highest - start > needed(start)
        ? `The loss does not fall: it is ${short(start)} at the start, ${short(lowest)} at the lowest and ` +
          `${short(highest)} at the highest. The rates are too high: lower minLearningRate.`
        : `The loss does not fall: it is ${short(start)} at the start and ${
          short(lowest)
        } at the lowest, which is ` +
          `chance where single batches scatter by ${
            short(noise)
          }. The rates are too low, or the batches too few: ` +
          `raise maxLearningRate, or use mode "tpe".`,
    );
  }

  const steepest = steepestFall(points.map((point) => point.smoothedLoss));
  const lowestBefore = Math.min(...trend.slice(SKIP_START, steepest + 1));
  if (trend[steepest] - lowestBefore > REBOUND * fall) {
    return unclear(
      "noisy",
      `The loss falls most steeply at ${short(suggestion)}, but only after it had risen again, ` +
        `from ${short(lowestBefore)} to ${short(trend[steepest])}: that is a rebound. ` +
        `Lower maxLearningRate, or smooth more.`,
    );
  }

  const redrawn = redrawSuggestions(points, trend, smoothing);
  const low = redrawn[Math.floor(redrawn.length * 0.1)], high = redrawn[Math.ceil(redrawn.length * 0.9) - 1];
  const [first, last] = [points[SKIP_START], points[points.length - 1 - SKIP_END]];
  const spread = Math.log(high / low) / Math.log(last.learningRate / first.learningRate);
  const between = `from ${short(low)} to ${short(high)} in 8 of 10 cases`;
  if (spread > SPREAD || high / low > FACTOR) {
    return unclear(
      "noisy",
      `The loss falls from ${short(start)} to ${short(lowest)}, but where it falls most steeply is chance: ` +
        `if the scatter of the batches is drawn again, it is ${between}. ` +
        `Make batches larger, smooth more, or use mode "tpe".`,
    );
  }
  return {
    verdict: "clear",
    reason:
      `The loss falls from ${short(start)} to ${short(lowest)}, most steeply at ${short(suggestion)}; ` +
      `if the scatter of the batches is drawn again, ${between}.`,
    suggestion,
  };
}

/** What {@linkcode judgeTrials} must know of the validation set. */
export interface ValidationFacts {
  /** Number of its pictures, at least 1. */
  readonly images: number;
  /** Top-1 of guessing: the share of its most frequent class, 0..1. */
  readonly chance: number;
}

/** How sure a comparison must be; all comparisons of a search share what is left (Bonferroni). */
const CONFIDENCE = 0.95;

/**
 * Judges the trials of a search: whether the best one is more than chance. The rules, in this order:
 *
 * 1. `failed`, without a suggestion, if no trial is complete.
 * 2. `flat`, without a suggestion, if the best trial does no better than guessing the most frequent class: the lower end
 *    of Wilson's interval of its top-1 is at or below that.
 * 3. `flat`, with the best trial's rate as the suggestion, if no other trial is worse by more than chance, or there is
 *    no other. A trial is worse if Newcombe's interval of the difference of the two top-1 lies above 0. A pruned trial
 *    is compared with the best one after the same epoch. A failed one is worse.
 * 4. `clear` otherwise, with the best trial's rate.
 *
 * The intervals belong to 95 % for all comparisons together: each of m has 1 - 0.05 / m. They take the trials as measured
 * on different pictures; on the same ones a difference is surer than that, so that `clear` errs on the safe side.
 *
 * @param trials The trials, in the order of their numbers.
 * @param validation The validation set.
 * @returns The judgement.
 * @throws {RangeError} If the facts of the validation set do not fit.
 * @example
 * ```ts
 * import { judgeTrials } from "./judge.ts";
 * const trials = [0.81, 0.83, 0.82].map((top1, number) => (
 *   { number, learningRate: 0.01 * (number + 1), values: [top1], state: "complete" as const }
 * ));
 * const { verdict, suggestion } = judgeTrials(trials, { images: 200, chance: 0.1 });
 * console.log(verdict, suggestion); // flat 0.02
 * ```
 */
export function judgeTrials(trials: readonly Trial[], validation: ValidationFacts): Judgement {
  const { images, chance } = validation;
  if (!(Number.isInteger(images) && images >= 1 && chance >= 0 && chance <= 1)) {
    throw new RangeError(
      `Cannot judge trials: found ${images} validation pictures and a chance of ${chance}, ` +
        `wanted a whole number of at least 1 and a share from 0 to 1`,
    );
  }
  const best = bestTrial(trials);
  if (best === undefined) {
    return {
      verdict: "failed",
      reason: trials.length === 0
        ? "No rate was tried."
        : `None of ${trials.length} trials was completed. Lower maxLearningRate.`,
      suggestion: undefined,
    };
  }

  const tried = trials.filter((trial) => trial.state !== "duplicate");
  const right = (top1: number) => Math.round(top1 * images);
  const sure = (comparisons: number) => normalQuantile((1 - CONFIDENCE) / 2 / comparisons);
  const top1 = best.values.at(-1)!;
  const measured = `${percent(top1)} of ${images} validation pictures`;
  if (wilsonInterval(right(top1), images, sure(tried.length))[0] <= chance) {
    return {
      verdict: "flat",
      reason: `No rate does better than guessing: the best top-1 is ${measured}, and always ` +
        `the most frequent class would have ${
          percent(chance)
        }. Try other rates, more epochs, or more pictures.`,
      suggestion: undefined,
    };
  }

  const others = tried.filter((trial) => trial !== best);
  const isWorse = (trial: Trial) => {
    if (trial.state === "failed") return true;
    const sameEpoch = best.values[trial.values.length - 1];
    const counts = [right(sameEpoch), right(trial.values.at(-1)!)] as const;
    return newcombeInterval(counts, [images, images], sure(others.length))[0] > 0;
  };
  const alike = others.filter((trial) => !isWorse(trial));
  const suggestion = best.learningRate;
  const result = `${short(suggestion)} has the best top-1, ${measured}`;
  if (alike.length === others.length) {
    return {
      verdict: "flat",
      reason: others.length === 0
        ? `${result}, but no other rate was tried.`
        : `${result}, but of ${others.length} other ${others.length === 1 ? "rate" : "rates"} ` +
          `none is worse by more than chance: any of them would do.`,
      suggestion,
    };
  }
  const rates = alike.map((trial) => trial.learningRate);
  const [low, high] = [short(Math.min(...rates)), short(Math.max(...rates))];
  const worse = others.length - alike.length;
  const rest = alike.length === 0
    ? ""
    : low === high
    ? `, ${low} is not`
    : `, the rest (${low} to ${high}) is not`;
  return {
    verdict: "clear",
    reason: `${result}; of ${others.length} other ${others.length === 1 ? "rate" : "rates"} ${worse} ${
      worse === 1 ? "is" : "are"
    } worse by more than chance${rest}.`,
    suggestion,
  };
}

/** Three digits: as many as a person reads. */
function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
