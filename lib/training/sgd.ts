import { tf } from "../tensorflow/tf.ts";

/** Settings of {@linkcode sgd}. */
export interface SGDOptions {
  /** Factor on the velocity of the step before, 0..1. */
  readonly momentum: number;
  /** L2 penalty added to the gradient, >= 0. */
  readonly weightDecay: number;
}

/**
 * One step of stochastic gradient descent with momentum, as PyTorch's `SGD` has it:
 * `velocity' = momentum * velocity + gradient + weightDecay * value`, `value' = value - learningRate * velocity'`.
 *
 * @param value The parameter.
 * @param gradient Its gradient, same shape.
 * @param velocity Its momentum buffer, same shape, zeros at first.
 * @param learningRate Float32 scalar.
 * @param options `momentum` and `weightDecay`.
 * @returns The new value and velocity.
 */
export function sgd(
  value: tf.Tensor,
  gradient: tf.Tensor,
  velocity: tf.Tensor,
  learningRate: tf.Tensor,
  options: SGDOptions,
): { value: tf.Tensor; velocity: tf.Tensor } {
  const { momentum, weightDecay } = options;
  const decayed = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(value, weightDecay));
  const newVelocity = tf.add(tf.mul(velocity, momentum), decayed);
  return { value: tf.sub(value, tf.mul(newVelocity, learningRate)), velocity: newVelocity };
}
