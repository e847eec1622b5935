import { tf } from "../tensorflow/tf.ts";

/** Settings of the moving average of the weights. */
export interface EMAOptions {
  /** Share of the average that stays in each step, 0..1. */
  readonly decay: number;
}

/**
 * One step of an exponential moving average: `decay * average + (1 - decay) * value`, without correction for its start,
 * which is the first weights. Batch norms' running statistics are averaged like parameters, as timm's `ModelEmaV2` does.
 *
 * @param average What it was.
 * @param value The weights after the step, same shape.
 * @param options `decay`.
 * @returns The new average.
 * @see Polyak, Juditsky: Acceleration of stochastic approximation by averaging (1992)
 */
export function movingAverage(average: tf.Tensor, value: tf.Tensor, { decay }: EMAOptions): tf.Tensor {
  return tf.add(tf.mul(average, decay), tf.mul(value, 1 - decay));
}
