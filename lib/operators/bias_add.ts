import type { Attribute } from "../graph/graph.ts";
import { rawOperator } from "../tensorflow/backend.ts";
import { tf } from "../tensorflow/tf.ts";

const attributes: Record<string, Attribute> = {
  T: { kind: "dtype", value: "float32" },
  data_format: { kind: "string", value: "NHWC" },
};

/**
 * Adds a number to each channel, differentiable in both inputs. TensorFlow fuses this operator with the convolution
 * before it and the activation behind it; `tf.add` it does not always recognise.
 *
 * @param x Float32 `[..., channels]` of rank 2 or more.
 * @param bias Float32 `[channels]`.
 * @returns Float32 of `x`'s shape.
 */
export function biasAdd<T extends tf.Tensor>(x: T, bias: tf.Tensor): T {
  const add = tf.customGrad((...args: unknown[]) => {
    const [x, bias] = args as [tf.Tensor, tf.Tensor];
    return {
      value: rawOperator("BiasAdd", [x, bias], attributes)[0]!,
      gradFunc: (dy: tf.Tensor) => [dy, rawOperator("BiasAddGrad", [dy], attributes)[0]!],
    };
  });
  return add(x, bias) as T;
}
