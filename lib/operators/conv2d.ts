import type { Attribute } from "../graph/graph.ts";
import { rawOperator } from "../tensorflow/backend.ts";
import { tf } from "../tensorflow/tf.ts";
import { applyPadding, type Padding } from "./padding.ts";

/** Options of a convolution. */
export interface ConvolutionOptions {
  /** Step of the filter, the same in both directions. */
  stride?: number;
  padding?: Padding;
}

/**
 * Dense two-dimensional convolution (cross-correlation), differentiable in both inputs.
 *
 * @param x Float32 `[batch, height, width, inChannels]`.
 * @param filter Float32 `[kernel, kernel, inChannels, outChannels]` with an odd kernel.
 * @param options `stride` (default 1) and `padding` (default `symmetric`).
 * @returns Float32 `[batch, outHeight, outWidth, outChannels]`.
 */
export function conv2d(x: tf.Tensor4D, filter: tf.Tensor4D, options: ConvolutionOptions = {}): tf.Tensor4D {
  return convolve(kernels.dense, x, filter, options);
}

/**
 * Depthwise two-dimensional convolution: one filter for each channel, differentiable in both inputs.
 *
 * @param x Float32 `[batch, height, width, channels]`.
 * @param filter Float32 `[kernel, kernel, channels, 1]` with an odd kernel.
 * @param options `stride` (default 1) and `padding` (default `symmetric`).
 * @returns Float32 `[batch, outHeight, outWidth, channels]`.
 */
export function depthwiseConv2d(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  options: ConvolutionOptions = {},
): tf.Tensor4D {
  return convolve(kernels.depthwise, x, filter, options);
}

/** TensorFlow's operators of a convolution and its two gradients. */
interface ConvolutionKernels {
  readonly forward: string;
  readonly inputGradient: string;
  readonly filterGradient: string;
}

const kernels = {
  dense: { forward: "Conv2D", inputGradient: "Conv2DBackpropInput", filterGradient: "Conv2DBackpropFilter" },
  depthwise: {
    forward: "DepthwiseConv2dNative",
    inputGradient: "DepthwiseConv2dNativeBackpropInput",
    filterGradient: "DepthwiseConv2dNativeBackpropFilter",
  },
} as const;

function convolve(
  kernels: ConvolutionKernels,
  input: tf.Tensor4D,
  filter: tf.Tensor4D,
  options: ConvolutionOptions,
): tf.Tensor4D {
  const { stride = 1 } = options;
  const { x, padding } = applyPadding(input, filter.shape[0], stride, options.padding ?? "symmetric");
  const attributes: Record<string, Attribute> = {
    T: { kind: "dtype", value: "float32" },
    strides: { kind: "ints", value: [1, stride, stride, 1] },
    padding: { kind: "string", value: padding },
    data_format: { kind: "string", value: "NHWC" },
    dilations: { kind: "ints", value: [1, 1, 1, 1] },
  };
  const run = tf.customGrad((...args: unknown[]) => {
    const [x, filter, save] = args as [tf.Tensor4D, tf.Tensor4D, (tensors: tf.Tensor[]) => void];
    save([x, filter]);
    return {
      value: rawOperator(kernels.forward, [x, filter], attributes)[0]!,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D];
        const { inputGradient, filterGradient } = kernels;
        return [
          rawOperator(inputGradient, [tf.tensor1d(x.shape, "int32"), filter, dy], attributes)[0]!,
          rawOperator(filterGradient, [x, tf.tensor1d(filter.shape, "int32"), dy], attributes)[0]!,
        ];
      },
    };
  });
  return run(x, filter) as tf.Tensor4D;
}
