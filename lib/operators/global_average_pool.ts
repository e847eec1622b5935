import { rawOperator } from "../tensorflow/backend.ts";
import { tf } from "../tensorflow/tf.ts";

/**
 * Mean over height and width. The gradient is broadcast by the runtime; tfjs's own would put a tensor of ones of the
 * input's size into the graph.
 *
 * @param x Float32 `[batch, height, width, channels]`.
 * @returns Float32 `[batch, 1, 1, channels]`.
 */
export function globalAveragePool(x: tf.Tensor4D): tf.Tensor4D {
  const pool = tf.customGrad((...args: unknown[]) => {
    const [x] = args as [tf.Tensor4D];
    const [, height, width] = x.shape;
    return {
      value: tf.mean(x, [1, 2], true),
      gradFunc: (dy: tf.Tensor) =>
        rawOperator("BroadcastTo", [tf.mul(dy, 1 / (height * width)), tf.tensor1d(x.shape, "int32")], {
          T: { kind: "dtype", value: "float32" },
          Tidx: { kind: "dtype", value: "int32" },
        })[0]!,
    };
  });
  return pool(x) as tf.Tensor4D;
}
