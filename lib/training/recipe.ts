import type { AugmentationStep } from "../augment/augmentation_steps.ts";
import type { Precision } from "../graph/compiled_function.ts";
import type { ModelRecord } from "../models/registry.ts";
import type { EMAOptions } from "./ema.ts";
import type { PlateauOptions } from "./schedules.ts";
import type { SAMOptions } from "./sam.ts";
import type { ClassWeightsOption } from "./class_weights.ts";

/** How a model is trained: plain data, saved with the weights. */
export interface Recipe {
  /** What the recipe is called. */
  readonly name: string;
  /** Softmax cross-entropy. */
  readonly loss: "softmax";
  /** Pictures a step. */
  readonly batchSize: number;
  /** Times the training set is gone through. */
  readonly epochs: number;
  /** Learning rate at the start (after warm-up). */
  readonly learningRate: number;
  /** `cosine`: per epoch from the learning rate to 0; `constant`: unchanged; `plateau`: less each time the loss stops. */
  readonly schedule: "cosine" | "constant" | "plateau";
  /** When and how a plateau reduces. */
  readonly plateau?: PlateauOptions;
  /** Epochs over which the rate rises linearly from a tenth. */
  readonly warmUpEpochs: number;
  /** Share of the velocity kept from step to step, 0..1. */
  readonly momentum: number;
  /** L2 penalty on every parameter. */
  readonly weightDecay: number;
  /** Share of the target spread over all classes, 0..1. */
  readonly labelSmoothing: number;
  /** `"auto"`, or a weight by class name; none: all alike. */
  readonly classWeights?: ClassWeightsOption;
  /** `baseline`: horizontal flip and slight random crop; `none`: pictures as they are; or steps, done in their order. */
  readonly augmentation: "baseline" | "none" | readonly AugmentationStep[];
  /**
   * Epochs without a better validation top-1 after which the run ends (with `plateau` only those at the lowest rate
   * count); none: never.
   */
  readonly earlyStoppingPatience?: number;
  /** Sharpness-aware minimisation, which takes two passes a step; none: plain SGD. */
  readonly sam?: SAMOptions;
  /** Whether only weights of convolutions and linear layers decay, and biases learn twice as fast; none: all alike. */
  readonly noBiasDecay?: boolean;
  /** Moving average of the weights: each epoch the better of it and the weights counts; none: only the weights. */
  readonly ema?: EMAOptions;
  /** What products and convolutions of the training step are computed in; none: float32. */
  readonly precision?: Precision;
}

/** The reference's average learning rates and the batch sizes they were found at. */
const references = {
  mobilenet: { learningRate: 0.013, batchSize: 128 },
  efficientnet: { learningRate: 0.003, batchSize: 64 },
};

/**
 * The baseline recipe of OpenVINO Training Extensions' custom classification: softmax loss, SGD with momentum 0.9 and
 * weight decay 5e-4, cosine per epoch to 0, horizontal flip and slight random crop, no layer frozen. The average
 * learning rate (0.013 at batch 128 for MobileNetV3, 0.003 at batch 64 for EfficientNet) is scaled linearly to the
 * batch size (Goyal et al., 2017, https://arxiv.org/abs/1706.02677).
 *
 * @param record The model.
 * @param changes Settings that differ from the recipe's.
 * @returns The recipe.
 */
export function baselineRecipe(record: ModelRecord, changes: Partial<Recipe> = {}): Recipe {
  const family = record.architecture.startsWith("mobilenet") ? "mobilenet" : "efficientnet";
  const reference = references[family];
  const batchSize = changes.batchSize ?? 32;
  return {
    name: "baseline",
    loss: "softmax",
    epochs: 30,
    learningRate: reference.learningRate * batchSize / reference.batchSize,
    schedule: "cosine",
    warmUpEpochs: 0,
    momentum: 0.9,
    weightDecay: 5e-4,
    labelSmoothing: 0,
    augmentation: "baseline",
    ...changes,
    batchSize,
  };
}
