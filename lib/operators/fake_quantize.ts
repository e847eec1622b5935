import type { Attribute } from "../graph/graph.ts";
import { rawOperator } from "../tensorflow/backend.ts";
import { tf } from "../tensorflow/tf.ts";

/** How fine a fake quantisation is. */
export interface FakeQuantizeOptions {
  /** Bits of a value, 2 to 8. @default {8} */
  readonly bits?: number;
  /** Whether the lowest of the `2 ** bits` values is left out, so that as many are below 0 as above. @default {false} */
  readonly narrow?: boolean;
}

/**
 * Rounds to the nearest of `2 ** bits` equally spaced values from `min` to `max`; what is outside is clipped. The range
 * is shifted a little, so that 0 is one of the values. Gradients go through the rounding as if it were not there
 * (straight-through), and where values are clipped to `min` or `max`.
 *
 * @param x Float32 of any shape.
 * @param min Float32 scalar, at most 0.
 * @param max Float32 scalar, at least 0, above `min`.
 * @param options `bits` and `narrow`.
 * @returns Float32 of the same shape.
 * @see Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, 2018,
 * https://arxiv.org/abs/1712.05877
 */
export function fakeQuantize(
  x: tf.Tensor,
  min: tf.Tensor,
  max: tf.Tensor,
  options: FakeQuantizeOptions = {},
): tf.Tensor {
  return run("FakeQuantWithMinMaxVars", [x, min, max], options);
}

/**
 * {@linkcode fakeQuantize} with a range for each entry of the last axis.
 *
 * @param x Float32 `[..., channels]`.
 * @param min Float32 `[channels]`.
 * @param max Float32 `[channels]`.
 * @param options `bits` and `narrow`.
 * @returns Float32 of the same shape.
 */
export function fakeQuantizeChannels(
  x: tf.Tensor,
  min: tf.Tensor,
  max: tf.Tensor,
  options: FakeQuantizeOptions = {},
): tf.Tensor {
  return run("FakeQuantWithMinMaxVarsPerChannel", [x, min, max], options);
}

function run(op: string, inputs: readonly tf.Tensor[], options: FakeQuantizeOptions): tf.Tensor {
  const attributes: Record<string, Attribute> = {
    num_bits: { kind: "int", value: options.bits ?? 8 },
    narrow_range: { kind: "bool", value: options.narrow ?? false },
  };
  const quantise = tf.customGrad((...args: unknown[]) => {
    const [x, min, max, save] = args as [tf.Tensor, tf.Tensor, tf.Tensor, (tensors: tf.Tensor[]) => void];
    save([x, min, max]);
    return {
      value: rawOperator(op, [x, min, max], attributes)[0]!,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        rawOperator(`${op}Gradient`, [dy, ...saved], attributes, 3),
    };
  });
  return quantise(...inputs);
}
