import { extname } from "node:path";
import * as check from "../errors/check_options.ts";
import type { ModelRecord } from "../models/registry.ts";
import { familyOf } from "../training/recipe.ts";
import { boundsProblems } from "./bounds.ts";

/**
 * How rates are chosen. `tpe`: each trial's from what the earlier ones gave, as Optuna's TPE sampler; `grid_search`: all
 * of a grid, in random order; `fast_ai`: a range test, in which the rate rises with every step.
 */
export type SearchMode = "tpe" | "grid_search" | "fast_ai";

/** All of {@linkcode SearchMode}. */
export const searchModes: readonly SearchMode[] = ["tpe", "grid_search", "fast_ai"];

/** How a learning rate is looked for. Plain data; settings of another mode than the chosen one have no effect. */
export interface LRSearchSettings {
  /** How rates are chosen. @default {"tpe"} */
  mode?: SearchMode;
  /**
   * Smallest rate to try.
   * @default {0.005 at batch 128 for MobileNetV3, 0.001 at batch 64 for EfficientNet, scaled to the batch size}
   */
  minLearningRate?: number;
  /** Largest rate to try. @default {0.03 at batch 128 for MobileNetV3, 0.01 at batch 64 for EfficientNet, scaled} */
  maxLearningRate?: number;
  /**
   * Distance between the rates that trials can have.
   * @default {0.001, scaled; a 20th of the range where a bound is given}
   */
  step?: number;
  /** Epochs of each trial. @default {6} */
  epochs?: number;
  /** Trials, those that are pruned and rates that come twice included. @default {15} */
  trials?: number;
  /** `median`: a trial ends early where it is worse than the median of the others, as Optuna's pruner. @default {"median"} */
  pruning?: "median" | "none";
  /** With `fast_ai`: epochs at the recipe's rate before the range test. @default {1} */
  warmUpEpochs?: number;
  /** With `fast_ai`: share of a step's own loss in the smoothed loss, 0..1; 0 smooths nothing. @default {0.05} */
  smoothing?: number;
  /** Where to save the curve: a path that ends in `.svg`, `.png`, `.html` or `.json`. @default {nowhere} */
  savefig?: string;
}

/** Settings of a search, of which none is missing. `savefig` is none of them: it changes nothing. */
export type LRSearch = Readonly<Required<Omit<LRSearchSettings, "savefig">>>;

/** Names of the settings. */
export const searchSettingNames: readonly (keyof LRSearchSettings)[] = [
  "mode",
  "minLearningRate",
  "maxLearningRate",
  "step",
  "epochs",
  "trials",
  "pruning",
  "warmUpEpochs",
  "smoothing",
  "savefig",
];

/** The bounds that the reference recommends, and the batch sizes they belong to. */
const recommended = {
  mobilenet: { minLearningRate: 0.005, maxLearningRate: 0.03, step: 0.001, batchSize: 128 },
  efficientnet: { minLearningRate: 0.001, maxLearningRate: 0.01, step: 0.001, batchSize: 64 },
};

/**
 * Settings with their defaults. The bounds are those that OpenVINO Training Extensions recommend for fine-tuning, scaled
 * linearly to the batch size, as the rate of a recipe is.
 *
 * @param record The model.
 * @param batchSize Pictures a step.
 * @param given What the user chose.
 * @returns Every setting.
 *
 * @example
 * ```ts
 * import { modelRecord } from "../models/registry.ts";
 * import { settleSearch } from "./settings.ts";
 *
 * const { minLearningRate, maxLearningRate } = settleSearch(modelRecord("mobilenetv3_small_100"), 64, {});
 * console.log(minLearningRate, maxLearningRate); // 0.0025 0.015
 * ```
 */
export function settleSearch(record: ModelRecord, batchSize: number, given: LRSearchSettings): LRSearch {
  const bounds = recommended[familyOf(record)];
  const scaled = (rate: number) => tidy(rate * batchSize / bounds.batchSize);
  const minLearningRate = given.minLearningRate ?? scaled(bounds.minLearningRate);
  const maxLearningRate = given.maxLearningRate ?? scaled(bounds.maxLearningRate);
  const isRecommended = given.minLearningRate === undefined && given.maxLearningRate === undefined;
  return {
    mode: given.mode ?? "tpe",
    minLearningRate,
    maxLearningRate,
    step: given.step ??
      (isRecommended ? scaled(bounds.step) : tidy((maxLearningRate - minLearningRate) / 20)),
    epochs: given.epochs ?? 6,
    trials: given.trials ?? 15,
    pruning: given.pruning ?? "median",
    warmUpEpochs: given.warmUpEpochs ?? 1,
    smoothing: given.smoothing ?? 0.05,
  };
}

/** A number without the last digits, which are noise of the arithmetic. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}

/**
 * Tells what is wrong with settings, each for itself.
 *
 * @param given Some settings.
 * @param at What comes before a setting's name in a problem, e.g. `findLR.`.
 * @returns The problems.
 */
export function searchProblems(
  given: LRSearchSettings,
  at = "",
): (check.OptionProblem | undefined)[] {
  const { savefig } = given;
  return [
    check.oneOf(`${at}mode`, given.mode, searchModes),
    check.positiveNumber(`${at}minLearningRate`, given.minLearningRate),
    check.positiveNumber(`${at}maxLearningRate`, given.maxLearningRate),
    check.positiveNumber(`${at}step`, given.step),
    check.positiveInteger(`${at}epochs`, given.epochs),
    check.positiveInteger(`${at}trials`, given.trials),
    check.oneOf(`${at}pruning`, given.pruning, ["median", "none"]),
    check.wholeNumber(`${at}warmUpEpochs`, given.warmUpEpochs),
    check.ratio(`${at}smoothing`, given.smoothing),
    check.ofType(`${at}savefig`, savefig, "string") ??
      (savefig === undefined || /\.(svg|png|html|json)$/i.test(extname(savefig)) ? undefined : {
        option: `${at}savefig`,
        found: savefig,
        wanted: "a path that ends in .svg, .png, .html or .json",
        wrongType: false,
      }),
  ];
}

/**
 * Tells which settings contradict each other. Those that are no numbers are left to {@linkcode searchProblems}.
 *
 * @param search All settings.
 * @param at As for {@linkcode searchProblems}.
 * @returns The problems.
 */
export function searchContradictions(search: LRSearch, at = ""): check.OptionProblem[] {
  const { mode, minLearningRate, maxLearningRate, step } = search;
  const isRate = (value: unknown) => typeof value === "number" && value > 0 && value < Infinity;
  if (!isRate(minLearningRate) || !isRate(maxLearningRate)) return [];
  // A range test has no step, so any that fits will do.
  const tried = mode === "fast_ai" ? (maxLearningRate - minLearningRate) / 2 : step;
  if (minLearningRate < maxLearningRate && !isRate(tried)) return [];
  return boundsProblems({ minLearningRate, maxLearningRate, step: isRate(tried) ? tried : 1 })
    .map((problem) => ({ ...problem, option: `${at}${problem.option}` }));
}
