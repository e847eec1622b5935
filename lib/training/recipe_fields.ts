import { augmentationProblems } from "../augment/augmentation_steps.ts";
import { samplerNames } from "../data/sampler.ts";
import * as check from "../errors/check_options.ts";
import { nearestName } from "../errors/nearest_name.ts";
import { precisions } from "../graph/compiled_function.ts";
import { lossNames } from "./am_softmax.ts";
import type { AuxiliaryModel, Recipe } from "./recipe.ts";

type Problem = check.OptionProblem | undefined;
type Check = (option: string, value: unknown) => Problem | readonly Problem[];

const mixFields: Readonly<Record<string, Check>> = {
  alpha: required(check.positiveNumber),
  probability: check.share,
};

/** What fits each field of a recipe. A field that is not given fits. */
const fields: { readonly [K in Exclude<keyof Recipe, "name">]-?: Check } = {
  epochs: check.positiveInteger,
  batchSize: check.positiveInteger,
  learningRate: check.positiveNumber,
  schedule: (option, value) => check.oneOf(option, value, ["cosine", "constant", "plateau", "oneCycle"]),
  plateau: (option, value) =>
    object(option, value, { patience: 5 }, {
      patience: check.wholeNumber,
      factor: check.ratio,
      threshold: check.ratio,
      floor: numberThat((value) => value > 0 && value <= 1, "a number above 0, up to 1"),
    }),
  oneCycle: (option, value) =>
    object(option, value, { percentStart: 0.3 }, {
      percentStart: check.ratio,
      divisor: numberThat((value) => value >= 1, "a number of at least 1"),
      finalDivisor: numberThat((value) => value >= 1, "a number of at least 1"),
      anneal: (option, value) => check.oneOf(option, value, ["cos", "linear"]),
      momentum: cycledMomentum,
    }),
  warmUpEpochs: check.wholeNumber,
  loss: (option, value) => check.oneOf(option, value, lossNames),
  margin: check.nonNegativeNumber,
  scale: (option, value) => value === "auto" ? undefined : orAuto(check.positiveNumber(option, value)),
  labelSmoothing: check.ratio,
  classWeights: () => undefined, // checked with the data
  momentum: check.ratio,
  weightDecay: check.nonNegativeNumber,
  augmentation: (option, value) =>
    Array.isArray(value)
      ? augmentationProblems(option, value)
      : check.oneOf(option, value, ["baseline", "none"]),
  mixup: (option, value) => object(option, value, { alpha: 0.2 }, mixFields),
  cutmix: (option, value) => object(option, value, { alpha: 1 }, mixFields),
  sampler: (option, value) => check.oneOf(option, value, samplerNames),
  earlyStoppingPatience: check.positiveInteger,
  sam: (option, value) => object(option, value, { rho: 0.05 }, { rho: required(check.positiveNumber) }),
  noBiasDecay: (option, value) => check.ofType(option, value, "boolean"),
  layerDecay: numberThat((value) => value > 0 && value <= 1, "a number above 0, up to 1"),
  freezeEpochs: check.wholeNumber,
  freezeLearningRate: check.positiveNumber,
  ema: (option, value) => object(option, value, { decay: 0.999 }, { decay: required(check.ratio) }),
  dropout: check.ratio,
  auxiliaryModels: auxiliaryProblems,
  precision: (option, value) => check.oneOf(option, value, precisions),
};

const auxiliaryFields: { readonly [K in keyof AuxiliaryModel]-?: Check } = {
  model: (option, value) => check.ofType(option, value ?? null, "string"),
  weights: (option, value) => value === null ? undefined : check.ofType(option, value, "string"),
  loss: fields.loss,
  margin: fields.margin,
  scale: fields.scale,
  learningRate: fields.learningRate,
  dropout: fields.dropout,
  frozen: (option, value) => check.ofType(option, value, "boolean"),
};

/** Names of the fields of a recipe. */
export const recipeFieldNames: readonly string[] = ["name", ...Object.keys(fields)];

/**
 * Tells what is wrong with fields of a recipe, each for itself and with the others.
 *
 * @param given Some fields; others are left alone.
 * @param at What comes before a field's name in a problem, e.g. `recipe.`.
 * @returns The problems.
 */
export function recipeProblems(given: Readonly<Record<string, unknown>>, at = ""): Problem[] {
  return Object.entries(fields).flatMap(([name, check]) => [check(`${at}${name}`, given[name])].flat());
}

/**
 * Tells which settings of a recipe contradict each other.
 *
 * @param recipe All that is known of the recipe.
 * @returns The problems.
 */
export function contradictions(recipe: Partial<Recipe>): Problem[] {
  const { epochs, warmUpEpochs = 0, schedule, plateau, oneCycle, auxiliaryModels = [] } = recipe;
  const { freezeEpochs = 0, freezeLearningRate, batchSize, mixup, cutmix, classWeights, sampler } = recipe;
  const problem = (option: string, found: unknown, wanted: string) => ({
    option,
    found,
    wanted,
    wrongType: false,
  });
  return [
    epochs !== undefined && warmUpEpochs > 0 && warmUpEpochs >= epochs
      ? problem("warmUpEpochs", warmUpEpochs, `fewer than the ${epochs} epochs`)
      : undefined,
    plateau !== undefined && schedule !== "plateau"
      ? problem("plateau", plateau, `nothing with the schedule ${JSON.stringify(schedule)}`)
      : undefined,
    oneCycle !== undefined && schedule !== "oneCycle"
      ? problem("oneCycle", oneCycle, `nothing with the schedule ${JSON.stringify(schedule)}`)
      : undefined,
    warmUpEpochs > 0 && schedule === "oneCycle"
      ? problem("warmUpEpochs", warmUpEpochs, '0 with the schedule "oneCycle", which begins low by itself')
      : undefined,
    freezeLearningRate !== undefined && freezeEpochs === 0
      ? problem("freezeLearningRate", freezeLearningRate, "nothing without freezeEpochs")
      : undefined,
    batchSize === 1 && (mixup !== undefined || cutmix !== undefined)
      ? problem("batchSize", batchSize, "at least 2 pictures to be mixed")
      : undefined,
    classWeights === "auto" && sampler === "balanced"
      ? problem("classWeights", classWeights, 'nothing with the sampler "balanced", which does the same')
      : undefined,
    ...lossContradictions("", recipe),
    ...auxiliaryModels.flatMap((model, index) =>
      lossContradictions(`auxiliaryModels[${index}].`, { loss: "amSoftmax", ...model })
    ),
  ];
}

function lossContradictions(
  at: string,
  { loss, margin, scale }: Pick<Partial<Recipe>, "loss" | "margin" | "scale">,
): Problem[] {
  const nothing = `nothing with the loss ${JSON.stringify(loss)}`;
  return [
    margin !== undefined && loss !== undefined && loss !== "amSoftmax"
      ? { option: `${at}margin`, found: margin, wanted: nothing, wrongType: false }
      : undefined,
    scale !== undefined && loss === "softmax"
      ? { option: `${at}scale`, found: scale, wanted: nothing, wrongType: false }
      : undefined,
  ];
}

function auxiliaryProblems(option: string, value: unknown): Problem[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    return [{
      option,
      found: value,
      wanted: 'a list like [{ model: "mobilenetv3_large_100" }]',
      wrongType: true,
    }];
  }
  return value.flatMap((model, index) =>
    object(`${option}[${index}]`, model, { model: "mobilenetv3_large_100" }, auxiliaryFields)
  );
}

/** An object of which each setting fits. */
function object(
  option: string,
  value: unknown,
  example: object,
  settings: Readonly<Record<string, Check>>,
): Problem[] {
  if (value === undefined) return [];
  const names = Object.keys(settings);
  const wanted = `an object like ${
    JSON.stringify(example).replaceAll(/"(\w+)":/g, " $1: ").replace("}", " }")
  }`;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [{ option, found: value, wanted, wrongType: true }];
  }
  const given = value as Record<string, unknown>;
  const unknown = Object.keys(given).filter((name) => !names.includes(name)).map((name) => {
    const meant = nearestName(name, names);
    const known = `no other settings than ${names.join(", ")}`;
    return {
      option: `${option}.${name}`,
      found: given[name],
      wanted: meant === undefined ? known : `${known} (did you mean "${meant}"?)`,
      wrongType: true,
    };
  });
  return [...unknown, ...names.flatMap((name) => [settings[name]!(`${option}.${name}`, given[name])].flat())];
}

/** A setting without which an object says nothing. */
function required(fits: (option: string, value: unknown) => Problem): Check {
  return (option, value) => fits(option, value ?? null);
}

function numberThat(fits: (value: number) => boolean, wanted: string): Check {
  return (option, value) =>
    value === undefined || typeof value === "number" && fits(value)
      ? undefined
      : { option, found: value, wanted, wrongType: typeof value !== "number" };
}

/** `[lowest, highest]`, or `null` for a momentum that does not cycle. */
function cycledMomentum(option: string, value: unknown): Problem {
  if (value === undefined || value === null) return undefined;
  const isPair = Array.isArray(value) && value.length === 2;
  const [lowest, highest] = isPair ? value : [];
  if (0 <= lowest && lowest <= highest && highest < 1) return undefined;
  const wanted = "two numbers from 0 up to, not including, 1, the lower one first, or null";
  return { option, found: value, wanted, wrongType: !isPair };
}

function orAuto(problem: Problem): Problem {
  return problem && { ...problem, wanted: `${problem.wanted}, or "auto"` };
}
