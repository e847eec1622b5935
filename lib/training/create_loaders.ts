import type { DatasetSplits } from "../data/dataset.ts";
import { createLoader, type Loader } from "../data/loader.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import type { Recipe } from "./recipe.ts";
import { augmentationOf, mixingOf } from "./recipe_augmentation.ts";

/** What {@linkcode createLoaders} needs. */
export interface LoadersSetup {
  readonly data: DatasetSplits;
  readonly recipe: Recipe;
  readonly preprocessing: Preprocessing;
  readonly seed: number;
  readonly workers?: number;
  readonly onUnreadable?: "error" | "skip";
}

/**
 * Makes the loaders of what a recipe trains with: of training pictures with its augmentation, mixing and sampler, of
 * validation pictures as they are.
 *
 * @param setup Data, recipe and how pictures are loaded.
 * @returns Both.
 */
export function createLoaders(setup: LoadersSetup): { trainLoader: Loader; validationLoader: Loader } {
  const { data, recipe, preprocessing, seed, workers, onUnreadable = "error" } = setup;
  const loading = { preprocessing, seed, workers, onUnreadable };
  return {
    trainLoader: createLoader(data.train, {
      ...loading,
      batchSize: recipe.batchSize,
      training: true,
      augment: augmentationOf(recipe),
      mixing: mixingOf(recipe),
      sampler: recipe.sampler,
    }),
    validationLoader: createLoader(data.validation, {
      ...loading,
      batchSize: Math.min(recipe.batchSize, data.validation.samples.length),
      training: false,
    }),
  };
}
