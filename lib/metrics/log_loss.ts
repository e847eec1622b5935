import { checkScores, type Labels, type Scores } from "./scores.ts";
import { logSumExp } from "./softmax.ts";

/**
 * Cross-entropy of each sample: `log(sum_j exp(z_j)) - z_label`, the negative logarithm of the probability the model
 * gives the true class. Computed from logits in float64, so a hopeless sample has a large loss, never an infinite one.
 *
 * @param logits Logits, `[samples, classes]`; finite.
 * @param labels True classes, `[samples]`.
 * @returns Loss per sample in nats, `[samples]`, at least 0.
 * @throws {TypeError | RangeError} If scores and labels do not fit, see `checkScores`.
 * @example
 * ```ts
 * import { sampleLosses } from "./log_loss.ts";
 * console.log(sampleLosses([[0, 0]], [1])[0] === Math.log(2)); // true
 * ```
 */
export function sampleLosses(logits: Scores, labels: Labels): Float64Array {
  const { samples } = checkScores("compute the loss", logits, labels);
  const losses = new Float64Array(samples);
  for (let sample = 0; sample < samples; sample++) {
    // The clamp takes away a rounding of the last bit: a loss below zero does not exist.
    losses[sample] = Math.max(0, logSumExp(logits[sample]) - logits[sample][labels[sample]]);
  }
  return losses;
}

/**
 * Mean cross-entropy over the samples, from logits: what `sklearn.metrics.log_loss` computes from probabilities and
 * `torch.nn.functional.cross_entropy` from logits (without class weights and label smoothing).
 *
 * @param logits Logits, `[samples, classes]`; finite.
 * @param labels True classes, `[samples]`.
 * @returns Mean loss in nats, at least 0.
 * @throws {TypeError | RangeError} If scores and labels do not fit, see `checkScores`.
 * @example
 * ```ts
 * import { logLoss } from "./log_loss.ts";
 * console.log(logLoss([[0, 0], [50, 0]], [1, 0]).toFixed(4)); // 0.3466
 * ```
 */
export function logLoss(logits: Scores, labels: Labels): number {
  const losses = sampleLosses(logits, labels);
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}
