import { tf } from "../tensorflow/tf.ts";

/** Settings of sharpness-aware minimisation. */
export interface SAMOptions {
  /** How far weights are moved along the gradient before it is taken again, in the norm of all of them; above 0. */
  readonly rho: number;
}

/**
 * Moves weights to where the loss rises most steeply: `value + rho * gradient / |gradient|`, with the norm over all
 * parameters of the network together. The gradient there, taken on the same batch, is what sharpness-aware minimisation
 * descends by, from the weights as they were.
 *
 * @param values The parameters.
 * @param gradients Their gradients, same shapes.
 * @param options `rho`.
 * @returns The moved parameters.
 * @see Foret, Kleiner, Mobahi, Neyshabur: Sharpness-aware minimization for efficiently improving generalization (ICLR
 * 2021, https://arxiv.org/abs/2010.01412)
 */
export function ascend(
  values: readonly tf.Tensor[],
  gradients: readonly tf.Tensor[],
  { rho }: SAMOptions,
): tf.Tensor[] {
  const norm = tf.sqrt(tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient)))));
  const scale = tf.div(rho, tf.add(norm, 1e-12));
  return values.map((value, index) => tf.add(value, tf.mul(gradients[index]!, scale)));
}
