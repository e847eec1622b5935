import type { Activation } from "../operators/activations.ts";
import type { Padding } from "../operators/padding.ts";
import {
  activate,
  batchNorm,
  convolution,
  depthwiseConvolution,
  type Layer,
  normalised,
  residual,
  sequential,
  squeezeExcite,
} from "./layers.ts";

/** What all blocks of one network share. */
export interface BlockStyle {
  readonly padding: Padding;
  /** Epsilon of every batch norm. */
  readonly epsilon: number;
  /** Where squeeze-and-excite sits in a block with expansion: after the activation (timm), or before it (OTE). */
  readonly squeezeExciteBeforeActivation: boolean;
}

/** One block of a MobileNet or EfficientNet. */
export interface BlockOptions {
  readonly kernel: number;
  readonly stride: number;
  readonly inChannels: number;
  readonly expandedChannels: number;
  readonly outChannels: number;
  readonly activation: Activation;
  /** Channels between the two layers of squeeze-and-excite; none without. */
  readonly squeezedChannels?: number;
  readonly squeezeActivation: Activation;
  readonly gate: Activation;
}

/** Depthwise and pointwise convolution, `[conv_dw, bn1, activation, se, conv_pw, bn2]`, with a residual if shapes allow. */
export function depthwiseSeparable(name: string, style: BlockStyle, block: BlockOptions): Layer {
  const { inChannels, outChannels } = block;
  const body = sequential(
    normalised(
      depthwiseConvolution(`${name}.conv_dw`, { ...block, channels: inChannels, padding: style.padding }),
      batchNorm(`${name}.bn1`, inChannels, style.epsilon),
    ),
    activate(block.activation),
    ...squeeze(name, inChannels, block),
    normalised(
      convolution(`${name}.conv_pw`, { inChannels, outChannels }),
      batchNorm(`${name}.bn2`, outChannels, style.epsilon),
    ),
  );
  return withResidual(body, block);
}

/**
 * Inverted residual: expand, filter each channel, project,
 * `[conv_pw, bn1, activation, conv_dw, bn2, activation, se, conv_pwl, bn3]`.
 *
 * @see Sandler et al., MobileNetV2, 2018, https://arxiv.org/abs/1801.04381
 */
export function invertedResidual(name: string, style: BlockStyle, block: BlockOptions): Layer {
  const { inChannels, expandedChannels, outChannels } = block;
  const excite = squeeze(name, expandedChannels, block);
  const before = style.squeezeExciteBeforeActivation;
  const body = sequential(
    normalised(
      convolution(`${name}.conv_pw`, { inChannels, outChannels: expandedChannels }),
      batchNorm(`${name}.bn1`, expandedChannels, style.epsilon),
    ),
    activate(block.activation),
    normalised(
      depthwiseConvolution(`${name}.conv_dw`, {
        ...block,
        channels: expandedChannels,
        padding: style.padding,
      }),
      batchNorm(`${name}.bn2`, expandedChannels, style.epsilon),
    ),
    ...(before ? excite : []),
    activate(block.activation),
    ...(before ? [] : excite),
    normalised(
      convolution(`${name}.conv_pwl`, { inChannels: expandedChannels, outChannels }),
      batchNorm(`${name}.bn3`, outChannels, style.epsilon),
    ),
  );
  return withResidual(body, block);
}

/** Convolution, batch norm and activation. */
export function convolutionBlock(
  names: { convolution: string; batchNorm: string },
  style: BlockStyle,
  options: {
    inChannels: number;
    outChannels: number;
    kernel: number;
    stride: number;
    activation: Activation;
  },
): Layer {
  return sequential(
    normalised(
      convolution(names.convolution, { ...options, padding: style.padding }),
      batchNorm(names.batchNorm, options.outChannels, style.epsilon),
    ),
    activate(options.activation),
  );
}

function squeeze(name: string, channels: number, block: BlockOptions): Layer[] {
  if (block.squeezedChannels === undefined) return [];
  return [
    squeezeExcite(`${name}.se`, {
      channels,
      squeezed: block.squeezedChannels,
      activation: block.squeezeActivation,
      gate: block.gate,
    }),
  ];
}

function withResidual(body: Layer, block: BlockOptions): Layer {
  return block.stride === 1 && block.inChannels === block.outChannels ? residual(body) : body;
}

/**
 * Rounds a channel count to a multiple of 8, never below 90 % of it: `make_divisible` of the MobileNet papers' code.
 *
 * @param channels Wanted count, may be fractional.
 * @returns A multiple of 8, at least 8.
 */
export function roundChannels(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}
