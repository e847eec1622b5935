import { stopGradient } from "../operators/stop_gradient.ts";
import { tf } from "../tensorflow/tf.ts";

/**
 * What networks that learn together add to the mean of their losses: each one's cross-entropy with the mean of all their
 * probabilities (its own among them), averaged over the networks. The mean is a constant to the gradient, so that every
 * network moves towards it and none moves it; the gradient equals that of the Kullback-Leibler divergence.
 *
 * This is OpenVINO Training Extensions' symmetric form; the paper's is pairwise.
 *
 * @param logits Float32 `[batch, classes]` of each network, without a margin.
 * @returns Float32 scalar.
 * @see Zhang, Xiang, Hospedales, Lu: Deep mutual learning (CVPR 2018, https://arxiv.org/abs/1706.00384)
 */
export function mutualLoss(logits: readonly tf.Tensor2D[]): tf.Scalar {
  const mean = stopGradient(tf.div(tf.addN(logits.map((each) => tf.softmax(each))), logits.length));
  const losses = logits.map((each) => tf.neg(tf.mean(tf.sum(tf.mul(mean, tf.logSoftmax(each)), -1))));
  return tf.div(tf.addN(losses), logits.length);
}
