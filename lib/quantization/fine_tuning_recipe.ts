import type { Model } from "../models/model.ts";
import { modelRecord } from "../models/registry.ts";
import { type AuxiliaryModel, baselineRecipe, type Recipe } from "../training/recipe.ts";

/** What the learning rate of a model's training is multiplied with: the reference's `coeff_decrease_lr_for_nncf`. */
export const quantizationRateFactor = 0.035;

/** What a user can say about the fine-tuning of a quantised network. */
export interface FineTuningChoices {
  readonly learningRate?: number;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly auxiliaryModels?: readonly AuxiliaryModel[];
}

/**
 * How a quantised network is fine-tuned: as the model was trained, from 0.035 times its learning rate, which falls on
 * plateaus, until the validation accuracy has stopped rising; auxiliary models only teach.
 *
 * @param model The model in float.
 * @param trained The recipe it was trained with, if that is known; else it counts as the baseline.
 * @param choices What the user says.
 */
export function fineTuningRecipe(
  model: Pick<Model, "id" | "network">,
  trained: Recipe | undefined,
  { learningRate, epochs = 200, batchSize, auxiliaryModels }: FineTuningChoices,
): Recipe {
  const {
    oneCycle: _cycle,
    freezeEpochs: _epochs,
    freezeLearningRate: _rate,
    precision: _precision,
    auxiliaryModels: _models,
    ...kept
  } = trained ?? baselineRecipe(modelRecord(model.id), {
    loss: model.network.head === "cosine" ? "amSoftmax" : "softmax",
  });
  return {
    ...kept,
    name: `${kept.name}, int8`,
    batchSize: batchSize ?? kept.batchSize,
    epochs,
    learningRate: learningRate ?? kept.learningRate * quantizationRateFactor,
    schedule: "plateau",
    // The reference's recipes have a plateau of their own; for others a short one is enough to settle.
    plateau: kept.schedule === "plateau" ? kept.plateau : { patience: 2, floor: 0.1 },
    warmUpEpochs: 0,
    earlyStoppingPatience: kept.earlyStoppingPatience ?? 2,
    ...(auxiliaryModels === undefined
      ? {}
      : { auxiliaryModels: auxiliaryModels.map((auxiliary) => ({ ...auxiliary, frozen: true })) }),
  };
}
