import { cosineScale } from "../models/classifier.ts";
import type { ClassifierHead } from "../models/network.ts";
import { tf } from "../tensorflow/tf.ts";

/**
 * A loss and the classifier it belongs to. `softmax`: cross-entropy of a linear classifier. `amSoftmax`: of a cosine
 * classifier with an additive margin. `cosineSoftmax`: of a cosine classifier without one; with the scale 1 that is what
 * the code of OpenVINO Training Extensions did with auxiliary models, where its text says AM-softmax.
 */
export type LossName = "softmax" | "amSoftmax" | "cosineSoftmax";

/** All of {@linkcode LossName}. */
export const lossNames: readonly LossName[] = ["softmax", "amSoftmax", "cosineSoftmax"];

/** A loss with its settings. */
export interface LossSettings {
  /** The loss. */
  readonly loss: LossName;
  /** With `amSoftmax`: what the true class's cosine counts less, 0..2. @default {0.35} */
  readonly margin?: number;
  /**
   * With a cosine classifier: what cosines are multiplied by, above 0; `"auto"`: `max(sqrt(2) ln(classes - 1), 3)`. It
   * is stored with the weights. @default {"auto"} with `amSoftmax`, 1 with `cosineSoftmax`
   */
  readonly scale?: number | "auto";
}

/** The classifier a loss belongs to. */
export function headOfLoss(loss: LossName): ClassifierHead {
  return loss === "softmax" ? "linear" : "cosine";
}

/** Margin of a loss, 0 if it has none. */
export function marginOf({ loss, margin = 0.35 }: LossSettings): number {
  return loss === "amSoftmax" ? margin : 0;
}

/** Scale of a loss's cosine classifier for some number of classes. */
export function scaleOf(
  { loss, scale = loss === "amSoftmax" ? "auto" : 1 }: LossSettings,
  classes: number,
): number {
  return scale === "auto" ? cosineScale(classes) : scale;
}

/**
 * Scores of a cosine classifier with an additive margin: the cosine of the true class counts `margin` less, so that
 * cross-entropy of the result asks for angles that are better than merely the smallest. For training only.
 *
 * @param logits Float32 `[batch, classes]`, `scale * cosine`.
 * @param labels Int32 `[batch]`, class indices.
 * @param scale Float32 scalar, what the cosines were multiplied by.
 * @param margin Taken off the cosine, >= 0; the paper and OpenVINO Training Extensions take 0.35.
 * @returns Float32 `[batch, classes]`, `scale * (cosine - margin * oneHot)`.
 * @see Wang, Cheng, Liu, Liu: Additive margin softmax for face verification (2018, https://arxiv.org/abs/1801.05599)
 */
export function withMargin(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  scale: tf.Tensor,
  margin: number,
): tf.Tensor2D {
  const oneHot = tf.oneHot(labels, logits.shape[1]).toFloat();
  return tf.sub(logits, tf.mul(oneHot, tf.mul(scale, margin)));
}
