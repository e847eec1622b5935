import { tf } from "../tensorflow/tf.ts";

/**
 * The same values, as a constant to the gradient.
 *
 * @param x Any float tensor.
 * @returns The same values; the gradient with respect to `x` is 0.
 */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  const constant = tf.customGrad((value) => ({
    value: tf.mul(value as tf.Tensor, 1),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }));
  return constant(x) as T;
}
