import { tf } from "../tensorflow/tf.ts";

/**
 * Where zeros go around the picture before a convolution.
 * `symmetric`: `(kernel - 1) / 2` on every side, as PyTorch's networks have it. `same`: as many as give
 * `ceil(length / stride)` outputs, the odd one at the end, as TensorFlow's networks have it. They differ at stride 2.
 */
export type Padding = "symmetric" | "same";

/**
 * Reduces a padding to what TensorFlow's kernels do fast: `SAME`, or zeros put around the input and then `VALID`
 * (its `EXPLICIT` padding is slower in the gradients).
 *
 * @param x Float32 `[batch, height, width, channels]`.
 * @param kernel Side of the filter, odd.
 * @returns The (padded) input and TensorFlow's name of the padding that is left to do.
 */
export function applyPadding(
  x: tf.Tensor4D,
  kernel: number,
  stride: number,
  padding: Padding,
): { x: tf.Tensor4D; padding: "SAME" | "VALID" } {
  if (kernel === 1 && stride > 1) return { x: withoutUnread(x, stride), padding: "VALID" };
  if (padding === "same" || stride === 1) return { x, padding: "SAME" };
  const side: [number, number] = [(kernel - 1) / 2, (kernel - 1) / 2];
  return { x: tf.pad4d(x, [[0, 0], side, side, [0, 0]]), padding: "VALID" };
}

/**
 * Cuts off the last row and column a strided 1 x 1 filter does not read: with them oneDNN's filter gradient is wrong at
 * some even sizes.
 */
function withoutUnread(x: tf.Tensor4D, stride: number): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const read = (length: number) => length - (length - 1) % stride;
  if (read(height) === height && read(width) === width) return x;
  return tf.slice4d(x, [0, 0, 0, 0], [batch, read(height), read(width), channels]);
}
