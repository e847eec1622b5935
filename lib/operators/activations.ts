import type { Attribute } from "../graph/graph.ts";
import { rawOperator } from "../tensorflow/backend.ts";
import { tf } from "../tensorflow/tf.ts";

/** A function of one tensor that keeps its shape. */
export type Activation = (x: tf.Tensor) => tf.Tensor;

const float: Record<string, Attribute> = { T: { kind: "dtype", value: "float32" } };
const run = (op: string, ...inputs: tf.Tensor[]) => rawOperator(op, inputs, float)[0]!;

/** An activation with the gradient given in terms of what was saved in the forward pass. */
function activation(
  forward: (x: tf.Tensor) => { y: tf.Tensor; save: tf.Tensor[] },
  gradient: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor,
): Activation {
  return tf.customGrad((...args: unknown[]) => {
    const [x, save] = args as [tf.Tensor, (tensors: tf.Tensor[]) => void];
    const { y, save: saved } = forward(x);
    save(saved);
    return { value: y, gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => gradient(dy, saved) };
  }) as Activation;
}

/**
 * `max(x, 0)`, with TensorFlow's fused gradient.
 *
 * @param x Float32 of any shape.
 * @returns Float32 of the same shape.
 */
export const relu: Activation = activation(
  (x) => {
    const y = run("Relu", x);
    return { y, save: [y] };
  },
  (dy, [y]) => run("ReluGrad", dy, y!),
);

/**
 * `min(max(x, 0), 6)`, with TensorFlow's fused gradient.
 *
 * @param x Float32 of any shape.
 * @returns Float32 of the same shape.
 */
export const relu6: Activation = activation(
  (x) => {
    const y = run("Relu6", x);
    return { y, save: [y] };
  },
  (dy, [y]) => run("Relu6Grad", dy, y!),
);

/**
 * `x * sigmoid(x)`, also called SiLU.
 *
 * @param x Float32 of any shape.
 * @returns Float32 of the same shape.
 * @see Ramachandran et al., Searching for Activation Functions, 2017, https://arxiv.org/abs/1710.05941
 */
export const swish: Activation = activation(
  (x) => {
    const s = run("Sigmoid", x);
    // The slope is s + x s (1 - s), and SigmoidGrad(s, x) is x s (1 - s). Saved is the slope instead of x and s: that is a
    // fifth of EfficientNet-B0's memory in training.
    return { y: tf.mul(x, s), save: [tf.add(s, run("SigmoidGrad", s, x))] };
  },
  (dy, [slope]) => tf.mul(dy, slope!),
);

/**
 * `min(max(x + 3, 0), 6) / 6`.
 *
 * @param x Float32 of any shape.
 * @returns Float32 of the same shape, 0..1.
 */
export const hardSigmoid: Activation = activation(
  (x) => {
    const r = run("Relu6", tf.add(x, 3));
    return { y: tf.mul(r, 1 / 6), save: [r] };
  },
  (dy, [r]) => run("Relu6Grad", tf.mul(dy, 1 / 6), r!),
);

/**
 * `x * min(max(x + 3, 0), 6) / 6`.
 *
 * @param x Float32 of any shape.
 * @returns Float32 of the same shape.
 * @see Howard et al., Searching for MobileNetV3, 2019, https://arxiv.org/abs/1905.02244
 */
export const hardSwish: Activation = activation(
  (x) => {
    const r = run("Relu6", tf.add(x, 3));
    return { y: tf.mul(tf.mul(x, 1 / 6), r), save: [x, r] };
  },
  // y' = (r + x [0 < r < 6]) / 6; Relu6Grad(x, r) is x [0 < r < 6]
  (dy, [x, r]) => tf.mul(tf.mul(dy, 1 / 6), tf.add(r!, run("Relu6Grad", x!, r!))),
);

/**
 * `1 / (1 + exp(-x))`.
 *
 * @param x Float32 of any shape.
 * @returns Float32 of the same shape, 0..1.
 */
export const sigmoid: Activation = activation(
  (x) => {
    const y = run("Sigmoid", x);
    return { y, save: [y] };
  },
  (dy, [y]) => run("SigmoidGrad", y!, dy),
);
