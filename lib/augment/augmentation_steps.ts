import { checkValues, oneOf, type OptionProblem } from "../errors/check_options.ts";
import { nearestName } from "../errors/nearest_name.ts";
import { augMix, type AugMixOptions } from "./aug_mix.ts";
import { type Augmentation, chain } from "./augmentation.ts";
import { cutout, type CutoutOptions } from "./cutout.ts";
import { flip } from "./flip.ts";
import { randomCrop, type RandomCropOptions } from "./random_crop.ts";
import { erasedAreas, randomErasing, type RandomErasingOptions } from "./random_erasing.ts";
import { drawnAreas, randomResizedCrop, type RandomResizedCropOptions } from "./random_resized_crop.ts";
import { rotate, type RotateOptions } from "./rotate.ts";

/** One augmentation as plain data, as a recipe holds it: its kind, and what differs from the defaults. */
export type AugmentationStep =
  | ({ readonly kind: "augMix" } & AugMixOptions)
  | ({ readonly kind: "cutout" } & CutoutOptions)
  | { readonly kind: "flip"; readonly probability?: number }
  | ({ readonly kind: "randomCrop" } & RandomCropOptions)
  | ({ readonly kind: "randomErasing" } & RandomErasingOptions)
  | ({ readonly kind: "randomResizedCrop" } & RandomResizedCropOptions)
  | ({ readonly kind: "rotate" } & RotateOptions);

/** The augmentation of the baseline recipe: a slight random crop, then a horizontal flip, each half of the time. */
export const baselineSteps: readonly AugmentationStep[] = [{ kind: "randomCrop" }, { kind: "flip" }];

/** Tells whether a setting of a step fits. */
type Setting = (option: string, value: unknown) => OptionProblem | undefined;

/** A setting that is a number: what fits, in words and as a test. */
function number(wanted: string, fits: (value: number) => boolean): Setting {
  return (option, found) => {
    const wrongType = typeof found !== "number";
    return !wrongType && fits(found) ? undefined : { option, found, wanted, wrongType };
  };
}

const share = number("a number from 0 to 1", (value) => value >= 0 && value <= 1);
const positiveShare = number("a number above 0, at most 1", (value) => value > 0 && value <= 1);
const count = number("a whole number of at least 1", (value) => Number.isSafeInteger(value) && value >= 1);

const settings: Readonly<Record<AugmentationStep["kind"], Readonly<Record<string, Setting>>>> = {
  augMix: {
    magnitude: number("a number above 0, at most 10", (value) => value > 0 && value <= 10),
    width: count,
    depth: count,
    alpha: number("a number above 0", (value) => value > 0 && Number.isFinite(value)),
  },
  cutout: { probability: share, share: positiveShare },
  flip: { probability: share },
  randomCrop: {
    probability: share,
    enlargement: number("a number of at least 1", (value) => value >= 1 && Number.isFinite(value)),
  },
  randomErasing: {
    probability: share,
    minArea: positiveShare,
    maxArea: positiveShare,
    minAspect: positiveShare,
    mode: (option, value) => oneOf(option, value, ["constant", "color", "pixel"]),
  },
  randomResizedCrop: {
    probability: share,
    minArea: positiveShare,
    maxArea: positiveShare,
    minAspect: positiveShare,
  },
  rotate: {
    probability: share,
    degrees: number(
      "a whole number from 1 to 180",
      (value) => Number.isInteger(value) && value >= 1 && value <= 180,
    ),
  },
};

/**
 * Tells what is wrong with augmentations that somebody wrote down.
 *
 * @param option What the list is called.
 * @param steps What may be a list of steps.
 * @returns One problem for each place that does not fit, e.g. of `augmentation[1].probability`.
 *
 * @example
 * ```ts
 * import { augmentationProblems } from "./augmentation_steps.ts";
 * const [problem] = augmentationProblems("augmentation", [{ kind: "flip" }, { kind: "cutOut" }]);
 * console.log(problem?.option); // augmentation[1].kind
 * ```
 */
export function augmentationProblems(option: string, steps: unknown): OptionProblem[] {
  if (!Array.isArray(steps)) return [{ option, found: steps, wanted: "a list of steps", wrongType: true }];
  return steps.flatMap((step, index): OptionProblem[] => {
    const at = `${option}[${index}]`;
    if (typeof step !== "object" || step === null || Array.isArray(step)) {
      return [{ option: at, found: step, wanted: 'an object like { kind: "flip" }', wrongType: true }];
    }
    const { kind, ...given } = step as Record<string, unknown>;
    const isKind = oneOf(`${at}.kind`, kind ?? null, Object.keys(settings));
    if (isKind !== undefined) return [withMeant(isKind, kind, Object.keys(settings))];
    const known = settings[kind as AugmentationStep["kind"]];
    const problems = Object.entries(given).flatMap(([name, value]): OptionProblem[] => {
      const place = `${at}.${name}`, setting = known[name];
      if (setting === undefined) {
        const wanted = `no other settings of "${kind}" than ${Object.keys(known).join(", ")}`;
        return [
          withMeant({ option: place, found: value, wanted, wrongType: true }, name, Object.keys(known)),
        ];
      }
      const problem = value === undefined ? undefined : setting(place, value);
      return problem === undefined ? [] : [problem];
    });
    return problems.length > 0 ? problems : areaProblems(at, step as AugmentationStep);
  });
}

/** The smallest area must not be above the largest. */
function areaProblems(at: string, step: AugmentationStep): OptionProblem[] {
  if (step.kind !== "randomErasing" && step.kind !== "randomResizedCrop") return [];
  const { min, max } = step.kind === "randomErasing" ? erasedAreas : drawnAreas;
  const { minArea = min, maxArea = max } = step;
  return minArea <= maxArea ? [] : [{
    option: `${at}.minArea`,
    found: minArea,
    wanted: `at most maxArea, which is ${Number(maxArea.toPrecision(3))}`,
    wrongType: false,
  }];
}

/**
 * Makes an augmentation of steps that are plain data. They are done in their order.
 *
 * @param steps What to do.
 * @returns The augmentation.
 * @throws {TypeError} If a step is no object, or a setting is not known or of the wrong type; all problems are named.
 * @throws {RangeError} If a kind is not known, or a setting out of range.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createAugmentation } from "./augmentation_steps.ts";
 * import { createRng } from "./rng.ts";
 * const augment = createAugmentation([{ kind: "augMix", magnitude: 4, width: 2 }, { kind: "flip" }]);
 * const image = { width: 8, height: 8, data: new Uint8Array(192).fill(100) };
 * assert(augment(image, createRng(5, "augmentation", 0, 1)).data.length === 192);
 * ```
 */
export function createAugmentation(steps: readonly AugmentationStep[]): Augmentation {
  checkValues("createAugmentation", augmentationProblems("steps", steps));
  return chain(...steps.map(createStep));
}

function createStep(step: AugmentationStep): Augmentation {
  switch (step.kind) {
    case "augMix":
      return augMix(step);
    case "cutout":
      return cutout(step);
    case "flip":
      return flip(step.probability);
    case "randomCrop":
      return randomCrop(step);
    case "randomErasing":
      return randomErasing(step);
    case "randomResizedCrop":
      return randomResizedCrop(step);
    case "rotate":
      return rotate(step);
  }
}

/** The problem, with the name that was probably meant. */
function withMeant(problem: OptionProblem, name: unknown, known: readonly string[]): OptionProblem {
  const nearest = typeof name === "string" ? nearestName(name, known) : undefined;
  return nearest === undefined
    ? problem
    : { ...problem, wanted: `${problem.wanted} (did you mean "${nearest}"?)` };
}
