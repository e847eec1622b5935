import { tf } from "../tensorflow/tf.ts";

import type { ParameterKind, ParameterSpec } from "../models/layers.ts";
import { layerScales } from "./layer_decay.ts";

/** Settings of {@linkcode sgd}. */
export interface SGDOptions {
  /** Factor on the velocity of the step before, 0..1; a float32 scalar where it changes from step to step. */
  readonly momentum: number | tf.Tensor;
  /** L2 penalty added to the gradient, >= 0. */
  readonly weightDecay: number;
  /** Factor on the learning rate. @default {1} */
  readonly learningRateFactor?: number;
}

/** Settings of the optimiser of a whole network. */
export interface OptimizerOptions extends SGDOptions {
  /** See {@linkcode settingsOf}. @default {false} */
  readonly noBiasDecay?: boolean;
  /** Factor on the learning rate from a layer to the one before it; see {@linkcode layerScales}. @default {1} */
  readonly layerDecay?: number;
}

/**
 * What the optimiser does with a parameter of some kind. Ranges of quantisers never decay. Without `noBiasDecay` all
 * others are alike. With it only the weights
 * of convolutions and linear layers decay (of a cosine classifier only the direction counts), and biases (batch norms'
 * offsets too) have twice the learning rate.
 *
 * @param kind What the parameter is in its layer.
 * @param options Settings of the whole network.
 * @returns Settings for that parameter.
 * @see He et al.: Bag of tricks for image classification with convolutional neural networks (CVPR 2019,
 * https://arxiv.org/abs/1812.01187), 3.1; the doubled rate is OpenVINO Training Extensions'.
 */
export function settingsOf(kind: ParameterKind, options: OptimizerOptions): SGDOptions {
  const { momentum, weightDecay, noBiasDecay = false } = options;
  if (kind === "quantizer-range") return { momentum, weightDecay: 0 };
  if (!noBiasDecay) return { momentum, weightDecay };
  switch (kind) {
    case "bias":
    case "offset":
      return { momentum, weightDecay: 0, learningRateFactor: 2 };
    case "scale":
    case "cosine":
      return { momentum, weightDecay: 0 };
    default:
      return { momentum, weightDecay };
  }
}

/**
 * What the optimiser does with each parameter of a network: {@linkcode settingsOf} its kind, and a rate by its layer.
 *
 * @param parameters The network's.
 * @param options Settings of the whole network.
 * @returns Settings by name.
 */
export function settingsByName(
  parameters: readonly ParameterSpec[],
  options: OptimizerOptions,
): Record<string, SGDOptions> {
  const scales = layerScales(parameters, options.layerDecay ?? 1);
  return Object.fromEntries(
    parameters.map(({ name, kind }) => {
      const settings = settingsOf(kind, options);
      return [name, { ...settings, learningRateFactor: (settings.learningRateFactor ?? 1) * scales[name]! }];
    }),
  );
}

/**
 * One step of stochastic gradient descent with momentum, as PyTorch's `SGD` has it:
 * `velocity' = momentum * velocity + gradient + weightDecay * value`, `value' = value - learningRate * velocity'`.
 *
 * @param value The parameter.
 * @param gradient Its gradient, same shape.
 * @param velocity Its momentum buffer, same shape, zeros at first.
 * @param learningRate Float32 scalar.
 * @param options Momentum, weight decay and the factor on the rate.
 * @returns The new value and velocity.
 */
export function sgd(
  value: tf.Tensor,
  gradient: tf.Tensor,
  velocity: tf.Tensor,
  learningRate: tf.Tensor,
  options: SGDOptions,
): { value: tf.Tensor; velocity: tf.Tensor } {
  const { momentum, weightDecay, learningRateFactor = 1 } = options;
  const decayed = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(value, weightDecay));
  const newVelocity = tf.add(tf.mul(velocity, momentum), decayed);
  const rate = learningRateFactor === 1 ? learningRate : tf.mul(learningRate, learningRateFactor);
  return { value: tf.sub(value, tf.mul(newVelocity, rate)), velocity: newVelocity };
}
