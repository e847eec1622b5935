import { augmentByKey, type KeyedAugmentation } from "../augment/augment_by_key.ts";
import { baselineSteps, createAugmentation } from "../augment/augmentation_steps.ts";
import { augmentOnThreads, defaultAugmentationThreads } from "../augment/augmentation_threads.ts";
import type { Mixing } from "../augment/mix_batch.ts";
import type { Recipe } from "./recipe.ts";

/**
 * What a recipe does with each training picture, on threads of its own where there are cores for them.
 *
 * @param recipe The recipe.
 * @returns The augmentation; none if pictures stay as they are.
 */
export function augmentationOf(
  { augmentation }: Pick<Recipe, "augmentation">,
): KeyedAugmentation | undefined {
  if (augmentation === "none") return undefined;
  const steps = augmentation === "baseline" ? baselineSteps : augmentation;
  const threads = defaultAugmentationThreads();
  return threads === 0 ? augmentByKey(createAugmentation(steps)) : augmentOnThreads(steps, threads);
}

/**
 * What a recipe mixes the pictures of a batch with each other by.
 *
 * @param recipe The recipe.
 * @returns The settings; none if pictures are not mixed.
 */
export function mixingOf({ mixup, cutmix }: Pick<Recipe, "mixup" | "cutmix">): Mixing | undefined {
  return mixup === undefined && cutmix === undefined ? undefined : { mixup, cutmix };
}
