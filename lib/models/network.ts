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

/** A network: the names and shapes of its parameters, and a function of parameters and pictures. */
export interface Network {
  /** Parameters and running statistics in the order of the network, in tfjs's layouts. */
  readonly parameters: readonly ParameterSpec[];
  /**
   * Runs the network; inside `record` it is written down instead.
   *
   * @param params A float32 tensor for every entry of `parameters`, by name.
   * @param images Float32 `[batch, height, width, 3]`, normalised.
   * @param options `training`: whether batch norms use the statistics of the batch.
   */
  forward(
    params: Readonly<Record<string, tf.Tensor>>,
    images: tf.Tensor4D,
    options: { training: boolean },
  ): ForwardResult;
}
