import { tf } from "../tensorflow/tf.ts";

/**
 * Bytes to the network's input: `(pixel / 255 - mean) / std` per channel.
 *
 * @param images Native uint8 `[batch, height, width, 3]`, 0..255.
 * @param statistics `mean` and `std` per channel on the 0..1 scale.
 * @returns Float32 of the same shape.
 */
export function normaliseImages(
  images: tf.Tensor,
  statistics: { mean: readonly number[]; std: readonly number[] },
): tf.Tensor4D {
  const { mean, std } = statistics;
  const scale = tf.tensor1d(std.map((deviation) => 1 / (255 * deviation)));
  const offset = tf.tensor1d(mean.map((value, channel) => -value / std[channel]!));
  return tf.add(tf.mul(tf.cast(images, "float32"), scale), offset);
}
