import type { DatasetSplits } from "../data/dataset.ts";
import { classWeights } from "./class_weights.ts";
import type { Recipe } from "./recipe.ts";
import type { TrainStepOptions } from "./train_step.ts";

/**
 * Loss and optimiser of a step, whatever learns in it.
 *
 * @param recipe The recipe.
 * @param data Its training set decides class weights.
 */
export function stepSettings(
  recipe: Recipe,
  data: DatasetSplits,
): Pick<TrainStepOptions, "loss" | "optimizer" | "sam"> {
  const { labelSmoothing, momentum, weightDecay, noBiasDecay, layerDecay, sam } = recipe;
  return {
    loss: { labelSmoothing, classWeights: classWeights(recipe.classWeights, data.train) },
    optimizer: { momentum, weightDecay, noBiasDecay, layerDecay },
    sam,
  };
}
