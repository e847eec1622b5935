import { tf } from "../tensorflow/tf.ts";

/** Options of {@linkcode crossEntropy}. */
export interface CrossEntropyOptions {
  /** Share of the target spread evenly over all classes, 0..1. */
  readonly labelSmoothing?: number;
  /** Weight of each class, `[classes]`. */
  readonly classWeights?: ArrayLike<number>;
}

/**
 * Softmax cross-entropy as PyTorch's `CrossEntropyLoss` has it: with class weights the mean is weighted too, by the
 * weight of each sample's class. Where all of these weigh 0, and PyTorch's mean is NaN, it is divided by 1.
 *
 * @param logits Float32 `[batch, classes]`.
 * @param labels Int32 `[batch]`, class indices.
 * @param options `labelSmoothing` and `classWeights`.
 * @returns Float32 scalar, differentiable in `logits`.
 * @see Szegedy et al., Rethinking the Inception Architecture, 2016 (label smoothing), https://arxiv.org/abs/1512.00567
 */
export function crossEntropy(
  logits: tf.Tensor2D,
  labels: tf.Tensor1D,
  options: CrossEntropyOptions = {},
): tf.Scalar {
  const { labelSmoothing = 0, classWeights } = options;
  const classes = logits.shape[1];
  const oneHot = tf.oneHot(labels, classes).toFloat();
  const smooth = labelSmoothing === 0
    ? oneHot
    : tf.add(tf.mul(oneHot, 1 - labelSmoothing), labelSmoothing / classes);
  const logProbabilities = tf.logSoftmax(logits);
  if (classWeights === undefined) {
    return tf.neg(tf.mean(tf.sum(tf.mul(smooth, logProbabilities), -1)));
  }
  const weights = tf.tensor1d(Array.from(classWeights)); // [classes]
  const sampleWeights = tf.sum(tf.mul(oneHot, weights)); // sum over the batch of the weights of the true classes
  // A batch of nothing but classes of weight 0 has nothing to say, and 0 / 0 would end the run.
  const divisor = tf.add(sampleWeights, tf.equal(sampleWeights, 0).toFloat());
  return tf.neg(tf.div(tf.sum(tf.mul(tf.mul(smooth, weights), logProbabilities)), divisor));
}
