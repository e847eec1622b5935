import type { AugmentationStep } from "../augment/augmentation_steps.ts";
import type { MixOptions } from "../augment/mix_batch.ts";
import type { SamplerName } from "../data/sampler.ts";
import type { Precision } from "../graph/compiled_function.ts";
import type { ModelRecord } from "../models/registry.ts";
import type { LossName, LossSettings } from "./am_softmax.ts";
import type { EMAOptions } from "./ema.ts";
import type { OneCycleOptions } from "./one_cycle.ts";
import type { PlateauOptions } from "./schedules.ts";
import type { SAMOptions } from "./sam.ts";
import type { ClassWeightsOption } from "./class_weights.ts";

/** A model that learns beside the trained one, and it from it; plain data. */
export interface AuxiliaryModel {
  /** Its id, e.g. `mobilenetv3_large_100`. */
  readonly model: string;
  /** Its first weights, as in `loadModel`: a tag, a path, or `null` for random ones. @default {the published ones} */
  readonly weights?: string | null;
  /** Its loss and classifier. @default {"amSoftmax"} */
  readonly loss?: LossName;
  /** Of `amSoftmax`. @default {0.35} */
  readonly margin?: number;
  /** Of a cosine classifier. @default {"auto"} with `amSoftmax`, 1 with `cosineSoftmax` */
  readonly scale?: number | "auto";
  /** Its learning rate, which follows the same schedule. @default {the main model's} */
  readonly learningRate?: number;
  /** Share of its classifier's inputs that is left out in each step, 0..1. @default {0} */
  readonly dropout?: number;
  /** Whether it only teaches: it runs in evaluation mode and stays as it is. @default {false} */
  readonly frozen?: boolean;
}

/** How a model is trained: plain data, saved with the weights. */
export interface Recipe extends LossSettings {
  /** What the recipe is called. */
  readonly name: string;
  /** Pictures a step. */
  readonly batchSize: number;
  /** Times the training set is gone through. */
  readonly epochs: number;
  /** Learning rate at the start (after warm-up). */
  readonly learningRate: number;
  /**
   * `cosine`: per epoch from the learning rate to 0; `constant`: unchanged; `plateau`: less each time the loss stops;
   * `oneCycle`: per step up to the learning rate and down to almost 0.
   */
  readonly schedule: "cosine" | "constant" | "plateau" | "oneCycle";
  /** When and how a plateau reduces. */
  readonly plateau?: PlateauOptions;
  /** How one cycle rises and falls. */
  readonly oneCycle?: OneCycleOptions;
  /** Epochs over which the rate rises linearly from a tenth. */
  readonly warmUpEpochs: number;
  /** Share of the velocity kept from step to step, 0..1; `oneCycle` has its own unless told otherwise. */
  readonly momentum: number;
  /** L2 penalty on every parameter. */
  readonly weightDecay: number;
  /** Share of the target spread over all classes, 0..1. */
  readonly labelSmoothing: number;
  /** `"auto"`, or a weight by class name; none: all alike. */
  readonly classWeights?: ClassWeightsOption;
  /** `baseline`: horizontal flip and slight random crop; `none`: pictures as they are; or steps, done in their order. */
  readonly augmentation: "baseline" | "none" | readonly AugmentationStep[];
  /** Blends pictures of a batch, and their labels; none: not at all. */
  readonly mixup?: MixOptions;
  /** Exchanges rectangles between pictures of a batch, and labels by area; none: not at all. */
  readonly cutmix?: MixOptions;
  /** `shuffled`: each picture once an epoch; `balanced`: as many of each class. None: shuffled. */
  readonly sampler?: SamplerName;
  /**
   * Epochs without a better validation top-1 after which the run ends (with `plateau` only those at the lowest rate
   * count); none: never.
   */
  readonly earlyStoppingPatience?: number;
  /** Sharpness-aware minimisation, which takes two passes a step; none: plain SGD. */
  readonly sam?: SAMOptions;
  /** Whether only weights of convolutions and linear layers decay, and biases learn twice as fast; none: all alike. */
  readonly noBiasDecay?: boolean;
  /** Factor on the learning rate from a layer to the one before it, above 0, up to 1; none: all alike. */
  readonly layerDecay?: number;
  /** Epochs before the others in which only the classifier learns, on features that are computed once; none: 0. */
  readonly freezeEpochs?: number;
  /** Learning rate of these epochs; none: the learning rate. */
  readonly freezeLearningRate?: number;
  /** Share of the classifier's inputs that is left out in each step, 0..1; none: 0. */
  readonly dropout?: number;
  /** Models that learn together with this one; none: it learns alone. */
  readonly auxiliaryModels?: readonly AuxiliaryModel[];
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

/** Which of the reference's recipes a model has. */
export function familyOf({ architecture }: ModelRecord): "mobilenet" | "efficientnet" {
  return architecture.startsWith("mobilenet") ? "mobilenet" : "efficientnet";
}

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
  const reference = references[familyOf(record)];
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

/**
 * The adaptive recipe of OpenVINO Training Extensions' custom classification, which finds its length by itself: sharpness-
 * aware minimisation, no bias decay, a moving average, warm-up and reduction on a plateau with early stopping at the
 * lowest rate, AugMix and rotation; for MobileNetV3 mutual learning with an auxiliary large one that has AM-softmax, and
 * for the large ones cutout; for EfficientNet AM-softmax.
 *
 * @param record The model.
 * @param changes Settings that differ from the recipe's.
 * @returns The recipe.
 */
export function adaptiveRecipe(record: ModelRecord, changes: Partial<Recipe> = {}): Recipe {
  const isMobileNet = familyOf(record) === "mobilenet";
  const turned: readonly AugmentationStep[] = [
    { kind: "flip" },
    { kind: "rotate", probability: 0.35, degrees: 10 },
  ];
  const cutout: readonly AugmentationStep[] = record.architecture.includes("large")
    ? [{ kind: "cutout", probability: 0.35, share: 0.3 }]
    : [];
  const common: Partial<Recipe> = {
    name: "adaptive",
    epochs: 200,
    schedule: "plateau",
    warmUpEpochs: changes.schedule === "oneCycle" ? 0 : 5, // one cycle begins low by itself
    earlyStoppingPatience: 5,
    sam: { rho: 0.05 },
    noBiasDecay: true,
    ema: { decay: 0.999 },
  };
  const own: Partial<Recipe> = isMobileNet
    ? {
      augmentation: [{ kind: "augMix", magnitude: 4, width: 2 }, ...cutout, ...turned],
      auxiliaryModels: [{ model: "mobilenetv3_large_100", dropout: 0.2 }],
    }
    : { loss: "amSoftmax", augmentation: [{ kind: "augMix", magnitude: 5, width: 3 }, ...turned] };
  return baselineRecipe(record, { ...common, ...own, ...changes });
}
