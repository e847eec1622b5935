import { type Layer, pool, sequential } from "./layers.ts";
import { convolutionBlock, depthwiseSeparable, invertedResidual } from "./blocks.ts";
import { classifierNetwork } from "./classifier.ts";
import {
  type Activations,
  type ClassifierHead,
  type Network,
  standardActivations,
  type Variant,
} from "./network.ts";

/** Table 1 of the paper, width 1: repeats, kernel, stride, expansion, output channels. */
const stages = [
  [1, 3, 1, 1, 16],
  [2, 3, 2, 6, 24],
  [2, 5, 2, 6, 40],
  [3, 3, 2, 6, 80],
  [3, 5, 1, 6, 112],
  [4, 5, 2, 6, 192],
  [1, 3, 1, 6, 320],
] as const;

/** Options of {@linkcode efficientNetB0}. */
export interface EfficientNetOptions {
  /** The Lite variant has ReLU6 instead of swish and no squeeze-and-excite. */
  readonly lite: boolean;
  readonly numClasses: number;
  readonly variant: Variant;
  readonly activations?: Activations;
  /** @default {"linear"} */
  readonly head?: ClassifierHead;
}

/**
 * EfficientNet-B0 or EfficientNet-Lite0 under timm's parameter names.
 *
 * @param options Lite or not, number of classes and the variant the weights were trained in.
 * @returns The network.
 * @see Tan and Le, EfficientNet, 2019, https://arxiv.org/abs/1905.11946; Lite: TensorFlow TPU repository,
 * models/official/efficientnet/lite.
 */
export function efficientNetB0(options: EfficientNetOptions): Network {
  const { lite, numClasses, variant, head, activations = standardActivations } = options;
  const { relu6, sigmoid, swish } = activations;
  const activation = lite ? relu6 : swish;
  let channels = 32;
  const features: Layer[] = [
    convolutionBlock({ convolution: "conv_stem", batchNorm: "bn1" }, variant, {
      inChannels: 3,
      outChannels: channels,
      kernel: 3,
      stride: 2,
      activation,
    }),
  ];
  stages.forEach(([repeats, kernel, stride, expansion, outChannels], stage) => {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const build = expansion === 1 ? depthwiseSeparable : invertedResidual;
      features.push(build(`blocks.${stage}.${repeat}`, variant, {
        kernel,
        stride: repeat === 0 ? stride : 1,
        inChannels: channels,
        expandedChannels: channels * expansion,
        outChannels,
        activation,
        // A quarter of the block's input, not of the expanded channels.
        squeezedChannels: lite ? undefined : channels / 4,
        squeezeActivation: swish,
        gate: sigmoid,
      }));
      channels = outChannels;
    }
  });
  features.push(
    convolutionBlock({ convolution: "conv_head", batchNorm: "bn2" }, variant, {
      inChannels: channels,
      outChannels: 1280,
      kernel: 1,
      stride: 1,
      activation,
    }),
    pool(),
  );
  return classifierNetwork(sequential(...features), { channels: 1280, numClasses, head });
}
