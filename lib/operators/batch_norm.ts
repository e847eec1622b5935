import { rawOperator } from "../tensorflow/backend.ts";
import { tf } from "../tensorflow/tf.ts";
import type { Attribute } from "../graph/graph.ts";

const float: Attribute = { kind: "dtype", value: "float32" };

function attributesOf(epsilon: number): Record<string, Attribute> {
  return {
    T: float,
    U: float,
    epsilon: { kind: "float", value: epsilon },
    data_format: { kind: "string", value: "NHWC" },
    is_training: { kind: "bool", value: true },
  };
}

/** What {@linkcode batchNormTraining} returns. */
export interface BatchNormOutput {
  /** The normalised input, same shape. */
  readonly output: tf.Tensor4D;
  /** Mean of the batch, `[channels]`. Kept: the caller disposes it. */
  readonly mean: tf.Tensor1D;
  /** Unbiased variance of the batch, `[channels]`. Kept: the caller disposes it. */
  readonly variance: tf.Tensor1D;
}

/**
 * Batch normalisation with the statistics of the batch, differentiable in `x`, `scale` and `offset`.
 * The output is normalised with the biased variance, as in the paper; `variance` is the unbiased one, which is what
 * PyTorch puts into the running variance.
 *
 * @param x Float32 `[batch, height, width, channels]`.
 * @param scale Float32 `[channels]`, gamma.
 * @param offset Float32 `[channels]`, beta.
 * @param epsilon Added to the variance, > 0.
 * @returns Output and statistics of the batch.
 * @see Ioffe and Szegedy, Batch Normalization, 2015, https://arxiv.org/abs/1502.03167
 */
export function batchNormTraining(
  x: tf.Tensor4D,
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  epsilon: number,
): BatchNormOutput {
  let mean: tf.Tensor | undefined;
  let variance: tf.Tensor | undefined;
  const normalise = tf.customGrad((...args: unknown[]) => {
    const [x, scale, offset, save] = args as [
      tf.Tensor4D,
      tf.Tensor1D,
      tf.Tensor1D,
      (t: tf.Tensor[]) => void,
    ];
    const none = tf.tensor1d([]);
    const outputs = rawOperator("FusedBatchNormV3", [x, scale, offset, none, none], {
      ...attributesOf(epsilon),
      exponential_avg_factor: { kind: "float", value: 1 },
    }, 6) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const [output, batchMean, batchVariance, ...reserved] = outputs;
    mean = tf.keep(batchMean);
    variance = tf.keep(batchVariance);
    save([x, scale, ...reserved]);
    return {
      value: output,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        rawOperator("FusedBatchNormGradV3", [dy, ...saved], attributesOf(epsilon), 5).slice(0, 3),
    };
  });
  return {
    output: normalise(x, scale, offset) as tf.Tensor4D,
    mean: mean as tf.Tensor1D,
    variance: variance as tf.Tensor1D,
  };
}

/**
 * Batch normalisation with given statistics, as in evaluation, as `x * scale + offset` per channel. In this form it can
 * be put into the filter and the bias of the convolution before it.
 *
 * @param scale Float32 `[channels]`, gamma.
 * @param offset Float32 `[channels]`, beta.
 * @param mean Float32 `[channels]`, the running mean.
 * @param variance Float32 `[channels]`, the running variance.
 * @param epsilon Added to the variance, > 0.
 * @returns `scale / sqrt(variance + epsilon)` and `offset - mean * scale / sqrt(variance + epsilon)`, `[channels]` each.
 */
export function batchNormFactors(
  scale: tf.Tensor1D,
  offset: tf.Tensor1D,
  mean: tf.Tensor1D,
  variance: tf.Tensor1D,
  epsilon: number,
): { scale: tf.Tensor1D; offset: tf.Tensor1D } {
  const factor: tf.Tensor1D = tf.div(scale, tf.sqrt(tf.add(variance, epsilon)));
  return { scale: factor, offset: tf.sub(offset, tf.mul(mean, factor)) };
}
