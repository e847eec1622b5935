import type { tf } from "../tensorflow/tf.ts";
import type { Activation } from "../operators/activations.ts";
import { hardSigmoid, hardSwish, relu, relu6, sigmoid, swish } from "../operators/activations.ts";
import type { BlockStyle } from "./blocks.ts";
import type { ParameterSpec } from "./layers.ts";

/** What differs between networks of one architecture: how the weights were trained decides it. */
export interface Variant extends BlockStyle {
  /** Whether the classifier's hidden layer has a batch norm of its own (OTE's MobileNetV3). */
  readonly classifierBatchNorm: boolean;
  /** Whether pictures under 100 pixels high skip the first two halvings (OTE's MobileNetV3). */
  readonly keepSmallImagesLarge: boolean;
}

/** The activations of the networks; tests put smooth ones in place of the kinked. */
export interface Activations {
  readonly relu: Activation;
  readonly relu6: Activation;
  readonly hardSwish: Activation;
  readonly hardSigmoid: Activation;
  readonly swish: Activation;
  readonly sigmoid: Activation;
}

/** The activations as the papers have them. */
export const standardActivations: Activations = { relu, relu6, hardSwish, hardSigmoid, swish, sigmoid };

/** What one pass through a network gives. */
export interface ForwardResult {
  /** Float32 `[batch, classes]`, before the softmax. */
  readonly logits: tf.Tensor2D;
  /**
   * In training, mean and unbiased variance of the batch for each batch norm, under the names of the running
   * statistics they feed (`bn1.running_mean` ...). Kept: the caller disposes them. Empty in evaluation.
   */
  readonly statistics: Record<string, tf.Tensor>;
}

/**
 * What gives the class scores: `linear` is `x W + b`; `cosine` is a stored scale times the cosine between features and
 * each class's weights.
 */
export type ClassifierHead = "linear" | "cosine";

/** How one pass through a network is done. */
export interface ForwardOptions {
  /** Whether batch norms use the statistics of the batch. */
  readonly training: boolean;
  /** Float32 `[batch, featureChannels]`, what the classifier's input is multiplied by: 0 or `1 / (1 - rate)`. */
  readonly dropout?: tf.Tensor;
}

/** A network: the names and shapes of its parameters, and a function of parameters and pictures. */
export interface Network {
  /** Parameters and running statistics in the order of the network, in tfjs's layouts. */
  readonly parameters: readonly ParameterSpec[];
  /** What gives its class scores. */
  readonly head: ClassifierHead;
  /** Channels of what the classifier sees. */
  readonly featureChannels: number;
  /**
   * Everything before the classifier.
   *
   * @param params A float32 tensor for every entry of `parameters` but the classifier's, by name.
   * @param images Float32 `[batch, height, width, 3]`, normalised.
   * @param options `training`: whether batch norms use the statistics of the batch.
   * @returns Features `[batch, featureChannels]` and, in training, the statistics of the batch; see
   * {@linkcode ForwardResult}.
   */
  features(
    params: Readonly<Record<string, tf.Tensor>>,
    images: tf.Tensor4D,
    options: ForwardOptions,
  ): { features: tf.Tensor2D; statistics: Record<string, tf.Tensor> };
  /**
   * The classifier.
   *
   * @param params Float32 tensors for its parameters (`classifier.*`), by name.
   * @param features Float32 `[batch, featureChannels]`.
   * @returns Logits `[batch, classes]`.
   */
  classify(params: Readonly<Record<string, tf.Tensor>>, features: tf.Tensor2D): tf.Tensor2D;
  /**
   * Runs the network; inside `record` it is written down instead.
   *
   * @param params A float32 tensor for every entry of `parameters`, by name.
   * @param images Float32 `[batch, height, width, 3]`, normalised.
   * @param options See {@linkcode ForwardOptions}.
   */
  forward(
    params: Readonly<Record<string, tf.Tensor>>,
    images: tf.Tensor4D,
    options: ForwardOptions,
  ): ForwardResult;
}
