import { tf } from "../tensorflow/tf.ts";
import type { ForwardContext, Layer, ParameterSpec } from "./layers.ts";
import type { ClassifierHead, Network } from "./network.ts";

/** How {@linkcode classifierNetwork} ends a network. */
export interface ClassifierOptions {
  /** Channels of the features. */
  readonly channels: number;
  readonly numClasses: number;
  /** @default {"linear"} */
  readonly head?: ClassifierHead;
}

/** Puts the classifier behind features of spatial size 1. */
export function classifierNetwork(layers: Layer, options: ClassifierOptions): Network {
  const { channels, numClasses, head = "linear" } = options;
  const classifier = (head === "cosine" ? cosine : linear)("classifier", channels, numClasses);
  return endedBy(layers, classifier, head, channels);
}

function endedBy(layers: Layer, classifier: Classifier, head: ClassifierHead, channels: number): Network {
  const features: Network["features"] = (params, images, { training }) => {
    const context: ForwardContext = { params, training, statistics: {} };
    const pooled = layers.forward(images, context); // [batch, 1, 1, channels]
    const flat = tf.reshape(pooled, [images.shape[0], channels]) as tf.Tensor2D;
    return { features: flat, statistics: context.statistics };
  };
  const classify: Network["classify"] = (params, x) => classifier.forward(x, params);
  return {
    parameters: [...layers.parameters, ...classifier.parameters],
    head,
    featureChannels: channels,
    features,
    classify,
    forward(params, images, mode) {
      const { features: all, statistics } = features(params, images, mode);
      const kept = mode.dropout === undefined ? all : tf.mul(all, mode.dropout) as tf.Tensor2D;
      return { logits: classify(params, kept), statistics };
    },
  };
}

/**
 * The classifier of a network as a network of its own, which takes the features as pictures of one pixel.
 *
 * @param network The network.
 * @returns A network with the classifier's parameters only; its pictures are `[batch, 1, 1, featureChannels]`.
 */
export function classifierOnly({ parameters, head, featureChannels, classify }: Network): Network {
  const own = parameters.filter(({ name }) => name.startsWith("classifier."));
  const nothing: Layer = { parameters: [], forward: (x) => x };
  return endedBy(
    nothing,
    { parameters: own, forward: (x, params) => classify(params, x) },
    head,
    featureChannels,
  );
}

/**
 * Which classifier weights belong to: a cosine classifier has no bias.
 *
 * @param weights Weights under timm's names; without a classifier they count as a linear one's.
 */
export function headOf(weights: Readonly<Record<string, unknown>>): ClassifierHead {
  return "classifier.weight" in weights && !("classifier.bias" in weights) ? "cosine" : "linear";
}

/**
 * Scale of a cosine classifier for some number of classes, `max(sqrt(2) ln(classes - 1), 3)`: with it the softmax can
 * come near 1 for the right class. OpenVINO Training Extensions' `compute_s`.
 *
 * @param numClasses Classes, >= 1; up to 9 the scale is 3.
 */
export function cosineScale(numClasses: number): number {
  return Math.max(Math.SQRT2 * Math.log(Math.max(numClasses - 1, 1)), 3);
}

/** A layer that ends in class scores. */
interface Classifier {
  readonly parameters: readonly ParameterSpec[];
  /** Float32 `[batch, in]` to `[batch, out]`. */
  forward(x: tf.Tensor2D, params: Readonly<Record<string, tf.Tensor>>): tf.Tensor2D;
}

/** `x W + b` with the parameters `<name>.weight` `[in, out]` and `<name>.bias` `[out]`. */
function linear(name: string, inChannels: number, outChannels: number): Classifier {
  const weight = `${name}.weight`, bias = `${name}.bias`;
  return {
    parameters: [
      { name: weight, shape: [inChannels, outChannels], kind: "linear" },
      { name: bias, shape: [outChannels], kind: "bias" },
    ],
    forward: (x, params) => tf.add(tf.matMul(x, params[weight] as tf.Tensor2D), params[bias]!),
  };
}

/**
 * `scale * cos(x, W)` for each column of `<name>.weight` `[in, out]`, with the stored `<name>.scale` `[]`: the scores of
 * training, evaluation and exports are the same numbers.
 *
 * @see Wang, Cheng, Liu, Liu: Additive margin softmax for face verification (2018, https://arxiv.org/abs/1801.05599)
 */
function cosine(name: string, inChannels: number, outChannels: number): Classifier {
  const weight = `${name}.weight`, scale = `${name}.scale`;
  return {
    parameters: [
      { name: weight, shape: [inChannels, outChannels], kind: "cosine" },
      { name: scale, shape: [], kind: "constant", value: cosineScale(outChannels) },
    ],
    forward(x, params) {
      const columns = unit(params[weight] as tf.Tensor2D, 0); // [in, out], each column of length 1
      return tf.mul(tf.matMul(unit(x, 1), columns), params[scale]!);
    },
  };
}

/** Vectors along an axis, divided by their length. A vector of zeros stays one, with a gradient of zeros. */
function unit(x: tf.Tensor2D, axis: 0 | 1): tf.Tensor2D {
  const length = tf.sqrt(tf.add(tf.sum(tf.square(x), axis, true), 1e-12));
  return tf.div(x, length);
}
