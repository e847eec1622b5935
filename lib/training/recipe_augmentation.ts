import { type Augmentation, baselineAugmentation } from "../augment/augmentation.ts";
import { createAugmentation } from "../augment/augmentation_steps.ts";
import type { Recipe } from "./recipe.ts";

/**
 * What a recipe does with each training picture.
 *
 * @param recipe The recipe.
 * @returns The augmentation; none if pictures stay as they are.
 */
export function augmentationOf({ augmentation }: Pick<Recipe, "augmentation">): Augmentation | undefined {
  if (augmentation === "none") return undefined;
  return augmentation === "baseline" ? baselineAugmentation() : createAugmentation(augmentation);
}
