import { batchNormFactors, batchNormTraining } from "../operators/batch_norm.ts";
import { biasAdd } from "../operators/bias_add.ts";
import { conv2d, depthwiseConv2d } from "../operators/conv2d.ts";
import type { Activation } from "../operators/activations.ts";
import type { Padding } from "../operators/padding.ts";
import { globalAveragePool } from "../operators/global_average_pool.ts";
import { tf } from "../tensorflow/tf.ts";

/** How a parameter is initialised and which group of the optimiser it belongs to. */
export type ParameterKind =
  | "convolution"
  | "depthwise-convolution"
  | "linear"
  | "cosine"
  | "bias"
  | "scale"
  | "offset"
  | "running-mean"
  | "running-variance"
  | "constant"
  | "quantizer-range";

/** Name, shape and kind of one parameter or running statistic. */
export interface ParameterSpec {
  /** timm's name, e.g. `blocks.0.0.conv_dw.weight`. */
  readonly name: string;
  /** Shape in tfjs's layout: convolutions HWIO, depthwise `[k, k, channels, 1]`, linear `[in, out]`. */
  readonly shape: readonly number[];
  /** What it is in its layer. */
  readonly kind: ParameterKind;
  /** Value of a `constant`, which is stored with the weights and never trained. */
  readonly value?: number;
}

/** Whether a parameter is trained; the others are running statistics, which follow the batches, and constants. */
export function isTrainable({ kind }: ParameterSpec): boolean {
  return kind !== "running-mean" && kind !== "running-variance" && kind !== "constant";
}

/** What a layer sees while the network runs. */
export interface ForwardContext {
  readonly params: Readonly<Record<string, tf.Tensor>>;
  readonly training: boolean;
  /** Batch statistics of this pass, by the name of the running statistic they feed; filled in training only. */
  readonly statistics: Record<string, tf.Tensor>;
}

/** A part of a network: the parameters it owns, and the function. */
export interface Layer {
  readonly parameters: readonly ParameterSpec[];
  forward(x: tf.Tensor4D, context: ForwardContext): tf.Tensor4D;
}

/** Layers one after another. */
export function sequential(...layers: readonly Layer[]): Layer {
  return {
    parameters: layers.flatMap((layer) => layer.parameters),
    forward: (x, context) => layers.reduce((value, layer) => layer.forward(value, context), x),
  };
}

/** `x + layer(x)`. */
export function residual(layer: Layer): Layer {
  return {
    parameters: layer.parameters,
    forward: (x, context) => tf.add(layer.forward(x, context), x),
  };
}

/** An activation as a layer. */
export function activate(activation: Activation): Layer {
  return { parameters: [], forward: (x) => activation(x) as tf.Tensor4D };
}

/** A convolution, which can also be done with scaled filters. */
export interface ConvolutionLayer extends Layer {
  /** Convolves with each filter multiplied by its factor, `[channels]`; no bias is added. */
  forwardScaled(x: tf.Tensor4D, context: ForwardContext, factors: tf.Tensor1D): tf.Tensor4D;
}

/** Options of {@linkcode convolution}. */
export interface ConvolutionLayerOptions {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Side of the filter; 1 by default. */
  readonly kernel?: number;
  /** 1 by default. */
  readonly stride?: number;
  readonly padding?: Padding;
  /** Whether `<name>.bias` is added; no by default. */
  readonly bias?: boolean;
}

/** Dense convolution with the parameters `<name>.weight` and, if wanted, `<name>.bias`. */
export function convolution(name: string, options: ConvolutionLayerOptions): ConvolutionLayer {
  const { inChannels, outChannels, kernel = 1, stride = 1, padding = "symmetric", bias = false } = options;
  const weight = `${name}.weight`;
  const convolve = (x: tf.Tensor4D, filter: tf.Tensor) =>
    conv2d(x, filter as tf.Tensor4D, { stride, padding });
  return {
    parameters: [
      { name: weight, shape: [kernel, kernel, inChannels, outChannels], kind: "convolution" },
      ...(bias ? [{ name: `${name}.bias`, shape: [outChannels], kind: "bias" as const }] : []),
    ],
    forward(x, { params }) {
      const y = convolve(x, params[weight]!);
      return bias ? biasAdd(y, params[`${name}.bias`]!) : y;
    },
    forwardScaled: (x, { params }, factors) => convolve(x, tf.mul(params[weight]!, factors)),
  };
}

/** Depthwise convolution with the parameter `<name>.weight`. */
export function depthwiseConvolution(
  name: string,
  options: { channels: number; kernel: number; stride: number; padding: Padding },
): ConvolutionLayer {
  const { channels, kernel, stride, padding } = options;
  const weight = `${name}.weight`;
  const convolve = (x: tf.Tensor4D, filter: tf.Tensor) =>
    depthwiseConv2d(x, filter as tf.Tensor4D, { stride, padding });
  return {
    parameters: [{ name: weight, shape: [kernel, kernel, channels, 1], kind: "depthwise-convolution" }],
    forward: (x, { params }) => convolve(x, params[weight]!),
    forwardScaled: (x, { params }, factors) =>
      convolve(x, tf.mul(params[weight]!, tf.reshape(factors, [channels, 1]))),
  };
}

/** A batch norm, which in evaluation is `x * scale + offset` per channel. */
export interface BatchNormLayer extends Layer {
  /** Scale and offset in evaluation, `[channels]` each. */
  factors(params: Readonly<Record<string, tf.Tensor>>): { scale: tf.Tensor1D; offset: tf.Tensor1D };
}

/** Batch normalisation with `<name>.weight`, `.bias`, `.running_mean` and `.running_var`. */
export function batchNorm(name: string, channels: number, epsilon: number): BatchNormLayer {
  const names = {
    scale: `${name}.weight`,
    offset: `${name}.bias`,
    mean: `${name}.running_mean`,
    variance: `${name}.running_var`,
  };
  const factors: BatchNormLayer["factors"] = (params) => {
    const [scale, offset, mean, variance] = [names.scale, names.offset, names.mean, names.variance]
      .map((name) => params[name] as tf.Tensor1D);
    return batchNormFactors(scale!, offset!, mean!, variance!, epsilon);
  };
  return {
    factors,
    parameters: [
      { name: names.scale, shape: [channels], kind: "scale" },
      { name: names.offset, shape: [channels], kind: "offset" },
      { name: names.mean, shape: [channels], kind: "running-mean" },
      { name: names.variance, shape: [channels], kind: "running-variance" },
    ],
    forward(x, { params, training, statistics }) {
      if (!training) {
        const { scale, offset } = factors(params);
        return tf.add(tf.mul(x, scale), offset);
      }
      const [scale, offset] = [params[names.scale] as tf.Tensor1D, params[names.offset] as tf.Tensor1D];
      const { output, mean, variance } = batchNormTraining(x, scale, offset, epsilon);
      statistics[names.mean] = mean;
      statistics[names.variance] = variance;
      return output;
    },
  };
}

/**
 * A convolution without bias and its batch norm. In evaluation they are one convolution: the norm's factors go into the
 * filters and a bias.
 */
export function normalised(convolution: ConvolutionLayer, norm: BatchNormLayer): Layer {
  return {
    parameters: [...convolution.parameters, ...norm.parameters],
    forward(x, context) {
      if (context.training) return norm.forward(convolution.forward(x, context), context);
      const { scale, offset } = norm.factors(context.params);
      return biasAdd(convolution.forwardScaled(x, context, scale), offset);
    },
  };
}

/** Mean over height and width: `[batch, height, width, channels]` to `[batch, 1, 1, channels]`. */
export function pool(): Layer {
  return { parameters: [], forward: (x) => globalAveragePool(x) };
}

/**
 * Squeeze-and-excitation: channels weighted by a gate computed from their means. Parameters `<name>.conv_reduce.*` and
 * `<name>.conv_expand.*`.
 *
 * @see Hu et al., Squeeze-and-Excitation Networks, 2018, https://arxiv.org/abs/1709.01507
 */
export function squeezeExcite(
  name: string,
  options: { channels: number; squeezed: number; activation: Activation; gate: Activation },
): Layer {
  const { channels, squeezed, activation, gate } = options;
  const gated = sequential(
    pool(),
    convolution(`${name}.conv_reduce`, { inChannels: channels, outChannels: squeezed, bias: true }),
    activate(activation),
    convolution(`${name}.conv_expand`, { inChannels: squeezed, outChannels: channels, bias: true }),
    activate(gate),
  );
  return {
    parameters: gated.parameters,
    forward: (x, context) => tf.mul(x, gated.forward(x, context)),
  };
}
