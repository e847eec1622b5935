import type { tf } from "../tensorflow/tf.ts";
import { activate, batchNorm, convolution, type Layer, pool, sequential } from "./layers.ts";
import { convolutionBlock, depthwiseSeparable, invertedResidual, roundChannels } from "./blocks.ts";
import { classifierNetwork } from "./classifier.ts";
import {
  type Activations,
  type ClassifierHead,
  type Network,
  standardActivations,
  type Variant,
} from "./network.ts";

/** One row of the architecture: `repeats` blocks, the first with `stride`. */
interface Row {
  readonly stage: number;
  readonly repeats: number;
  readonly kernel: number;
  readonly stride: number;
  /** Expanded channels per input channel; 1 means a depthwise-separable block. */
  readonly expansion: number;
  /** Output channels at width 1. */
  readonly channels: number;
  readonly squeezeExcite: boolean;
  readonly activation: "relu" | "hardSwish";
}

const row = (
  stage: number,
  repeats: number,
  kernel: number,
  stride: number,
  expansion: number,
  channels: number,
  squeezeExcite: boolean,
  activation: Row["activation"],
): Row => ({ stage, repeats, kernel, stride, expansion, channels, squeezeExcite, activation });

/** Tables 1 and 2 of the paper, with expansions as timm writes them. */
const rows: Record<"large" | "small", readonly Row[]> = {
  large: [
    row(0, 1, 3, 1, 1, 16, false, "relu"),
    row(1, 1, 3, 2, 4, 24, false, "relu"),
    row(1, 1, 3, 1, 3, 24, false, "relu"),
    row(2, 3, 5, 2, 3, 40, true, "relu"),
    row(3, 1, 3, 2, 6, 80, false, "hardSwish"),
    row(3, 1, 3, 1, 2.5, 80, false, "hardSwish"),
    row(3, 2, 3, 1, 2.3, 80, false, "hardSwish"),
    row(4, 2, 3, 1, 6, 112, true, "hardSwish"),
    row(5, 3, 5, 2, 6, 160, true, "hardSwish"),
  ],
  small: [
    row(0, 1, 3, 2, 1, 16, true, "relu"),
    row(1, 1, 3, 2, 4.5, 24, false, "relu"),
    row(1, 1, 3, 1, 3.67, 24, false, "relu"),
    row(2, 1, 5, 2, 4, 40, true, "hardSwish"),
    row(2, 2, 5, 1, 6, 40, true, "hardSwish"),
    row(3, 2, 5, 1, 3, 48, true, "hardSwish"),
    row(4, 3, 5, 2, 6, 96, true, "hardSwish"),
  ],
};
/** Channels of the last convolution at width 1, and of the classifier's hidden layer. */
const heads = { large: { last: 960, hidden: 1280 }, small: { last: 576, hidden: 1024 } };

/** Options of {@linkcode mobilenetV3}. */
export interface MobileNetV3Options {
  readonly size: "large" | "small";
  /** Factor on the channel counts, e.g. 0.75. */
  readonly width: number;
  readonly numClasses: number;
  readonly variant: Variant;
  readonly activations?: Activations;
  /** @default {"linear"} */
  readonly head?: ClassifierHead;
}

/**
 * MobileNetV3 under timm's parameter names.
 *
 * @param options Size, width, number of classes and the variant the weights were trained in.
 * @returns The network.
 * @see Howard et al., Searching for MobileNetV3, 2019, https://arxiv.org/abs/1905.02244
 */
export function mobilenetV3(options: MobileNetV3Options): Network {
  return options.variant.keepSmallImagesLarge
    ? withSmallImages(options)
    : network(options, { stem: 2, skippedHalvings: 0 });
}

/** The network for large pictures, and for pictures under 100 pixels the same without its first two halvings. */
function withSmallImages(options: MobileNetV3Options): Network {
  const usual = network(options, { stem: 2, skippedHalvings: 0 });
  const small = network(options, { stem: 1, skippedHalvings: 1 });
  const fitting = (images: tf.Tensor4D) => images.shape[1] < 100 ? small : usual;
  return {
    ...usual,
    features: (params, images, mode) => fitting(images).features(params, images, mode),
    forward: (params, images, mode) => fitting(images).forward(params, images, mode),
  };
}

function network(
  options: MobileNetV3Options,
  halving: { stem: number; skippedHalvings: number },
): Network {
  const { size, width, numClasses, variant, head, activations = standardActivations } = options;
  const { relu, hardSigmoid, hardSwish } = activations;
  let channels = roundChannels(16 * width);
  const features: Layer[] = [
    convolutionBlock({ convolution: "conv_stem", batchNorm: "bn1" }, variant, {
      inChannels: 3,
      outChannels: channels,
      kernel: 3,
      stride: halving.stem,
      activation: hardSwish,
    }),
  ];
  let toSkip = halving.skippedHalvings;
  const blocksInStage: number[] = [];
  for (const row of rows[size]) {
    for (let repeat = 0; repeat < row.repeats; repeat++) {
      const index = blocksInStage[row.stage] ?? 0;
      blocksInStage[row.stage] = index + 1;
      const outChannels = roundChannels(row.channels * width);
      const expandedChannels = roundChannels(channels * row.expansion);
      let stride = repeat === 0 ? row.stride : 1;
      if (stride === 2 && toSkip > 0) {
        stride = 1;
        toSkip--;
      }
      const build = row.expansion === 1 ? depthwiseSeparable : invertedResidual;
      features.push(build(`blocks.${row.stage}.${index}`, variant, {
        kernel: row.kernel,
        stride,
        inChannels: channels,
        expandedChannels,
        outChannels,
        activation: activations[row.activation],
        squeezedChannels: row.squeezeExcite ? roundChannels(expandedChannels * 0.25) : undefined,
        squeezeActivation: relu,
        gate: hardSigmoid,
      }));
      channels = outChannels;
    }
  }
  const last = roundChannels(heads[size].last * width), { hidden } = heads[size];
  const stage = blocksInStage.length;
  features.push(
    convolutionBlock({ convolution: `blocks.${stage}.0.conv`, batchNorm: `blocks.${stage}.0.bn1` }, variant, {
      inChannels: channels,
      outChannels: last,
      kernel: 1,
      stride: 1,
      activation: hardSwish,
    }),
    pool(),
    convolution("conv_head", { inChannels: last, outChannels: hidden, bias: true }),
    ...(variant.classifierBatchNorm ? [batchNorm("classifier_bn", hidden, variant.epsilon)] : []),
    activate(hardSwish),
  );
  return classifierNetwork(sequential(...features), { channels: hidden, numClasses, head });
}
