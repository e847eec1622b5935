import type { Batch } from "../data/loader.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { tf } from "../tensorflow/tf.ts";

/** Second labels of mixed pictures. */
export interface OtherLabels {
  /** Int32 `[batch]`, class indices. */
  readonly otherLabels: tf.Tensor1D;
  /** Float32 scalar, how much there is of the first labels, 0..1. */
  readonly labelWeight: tf.Scalar;
}

/**
 * Loss of pictures that were mixed of two: the loss for the first labels and that for the second, each by its share, as
 * the authors of mixup compute it. For cross-entropy, with label smoothing and class weights too, that equals the loss
 * for the mixture of both targets, which timm computes; and it says what a margin means, which belongs to one label.
 *
 * @param loss The loss for labels.
 * @param labels Int32 `[batch]`, class indices.
 * @param other The second labels, or nothing for pictures that are not mixed.
 * @returns Float32 scalar.
 * @see Zhang, Cisse, Dauphin, Lopez-Paz: mixup (2018, https://arxiv.org/abs/1710.09412), and `mixup_criterion` in
 * https://github.com/facebookresearch/mixup-cifar10
 */
export function mixedLoss(
  loss: (labels: tf.Tensor1D) => tf.Scalar,
  labels: tf.Tensor1D,
  other: OtherLabels | undefined,
): tf.Scalar {
  if (other === undefined) return loss(labels);
  const { otherLabels, labelWeight } = other;
  return tf.add(tf.mul(labelWeight, loss(labels)), tf.mul(tf.sub(1, labelWeight), loss(otherLabels)));
}

/**
 * The labels of a batch as a recorded training step takes them.
 *
 * @param batch A batch of training pictures.
 * @returns `labels`, and of a mixed batch `otherLabels` and `labelWeight`.
 */
export function labelInputs(
  { labels, otherLabels, labelWeight }: Pick<Batch, "labels" | "otherLabels" | "labelWeight">,
): Record<string, HostTensor> {
  const indices = (data: Int32Array): HostTensor => ({ dtype: "int32", shape: [data.length], data });
  return otherLabels === undefined ? { labels: indices(labels) } : {
    labels: indices(labels),
    otherLabels: indices(otherLabels),
    labelWeight: { dtype: "float32", shape: [], data: Float32Array.of(labelWeight!) },
  };
}
