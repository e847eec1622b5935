import { tf } from "../tensorflow/tf.ts";
import type { ForwardContext, Layer, ParameterSpec } from "./layers.ts";
import type { Network } from "./network.ts";

/** Puts the linear classifier behind features of spatial size 1. */
export function classifierNetwork(features: Layer, channels: number, numClasses: number): Network {
  const classifier = linear("classifier", channels, numClasses);
  return {
    parameters: [...features.parameters, ...classifier.parameters],
    forward(params, images, { training }) {
      const context: ForwardContext = { params, training, statistics: {} };
      const pooled = features.forward(images, context); // [batch, 1, 1, channels]
      const flat = tf.reshape(pooled, [images.shape[0], channels]) as tf.Tensor2D;
      return { logits: classifier.forward(flat, params), statistics: context.statistics };
    },
  };
}

/** A fully connected layer. */
interface Linear {
  readonly parameters: readonly ParameterSpec[];
  /** Float32 `[batch, in]` to `[batch, out]`. */
  forward(x: tf.Tensor2D, params: Readonly<Record<string, tf.Tensor>>): tf.Tensor2D;
}

/** `x W + b` with the parameters `<name>.weight` `[in, out]` and `<name>.bias` `[out]`. */
function linear(name: string, inChannels: number, outChannels: number): Linear {
  const weight = `${name}.weight`, bias = `${name}.bias`;
  return {
    parameters: [
      { name: weight, shape: [inChannels, outChannels], kind: "linear" },
      { name: bias, shape: [outChannels], kind: "bias" },
    ],
    forward: (x, params) => tf.add(tf.matMul(x, params[weight] as tf.Tensor2D), params[bias]!),
  };
}
