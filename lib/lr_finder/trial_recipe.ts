import type { Recipe } from "../training/recipe.ts";

/**
 * What a search trains with: of a recipe the loss, the pictures and plain SGD at a constant rate, without what makes a
 * step dearer or hides a rate behind another (sharpness-aware minimisation, no bias decay, a moving average, auxiliary
 * models, schedules, rates by layer, frozen epochs). So does the reference.
 *
 * @param recipe The recipe that the rate is looked for.
 * @returns The recipe of a trial.
 */
export function trialRecipe(recipe: Recipe): Recipe {
  const {
    sam: _sam,
    noBiasDecay: _noBiasDecay,
    ema: _ema,
    auxiliaryModels: _auxiliaryModels,
    plateau: _plateau,
    oneCycle: _oneCycle,
    layerDecay: _layerDecay,
    freezeEpochs: _freezeEpochs,
    freezeLearningRate: _freezeLearningRate,
    earlyStoppingPatience: _patience,
    ...rest
  } = recipe;
  return { ...rest, schedule: "constant", warmUpEpochs: 0 };
}
