/** A network of a few layers with one of each kind, so that texts of its graphs can be read. */
import { classifierNetwork } from "../../lib/models/classifier.ts";
import type { Preprocessing } from "../../lib/data/preprocessing.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import {
  activate,
  batchNorm,
  convolution,
  depthwiseConvolution,
  type Layer,
  normalised,
  pool,
  residual,
  sequential,
  squeezeExcite,
} from "../../lib/models/layers.ts";
import type { ClassifierHead, Network } from "../../lib/models/network.ts";
import { hardSigmoid, hardSwish, relu, relu6 } from "../../lib/operators/activations.ts";
import { tensorValues } from "./hash_weights.ts";

/** Size and normalisation of {@linkcode smallNetwork}'s pictures. */
export const smallPreprocessing: Preprocessing = {
  size: { height: 8, width: 8 },
  interpolation: "bilinear",
  channelOrder: "rgb",
  mean: [0.5, 0.4, 0.3],
  std: [0.2, 0.25, 0.3],
};

/** Stem, depthwise convolution, squeeze-and-excitation, a residual block, and a classifier of 3 classes. */
export function smallNetwork(head: ClassifierHead = "linear"): Network {
  const stem = convolution("conv_stem", { inChannels: 3, outChannels: 4, kernel: 3, stride: 2 });
  const depthwise = depthwiseConvolution("block.conv_dw", {
    channels: 4,
    kernel: 3,
    stride: 1,
    padding: "symmetric",
  });
  const layers = sequential(
    normalised(stem, batchNorm("bn1", 4, 1e-5)),
    activate(hardSwish),
    normalised(depthwise, batchNorm("block.bn1", 4, 1e-5)),
    activate(relu6),
    squeezeExcite("block.se", { channels: 4, squeezed: 2, activation: relu, gate: hardSigmoid }),
    residual(
      normalised(
        convolution("block.conv_pw", { inChannels: 4, outChannels: 4 }),
        batchNorm("block.bn2", 4, 1e-5),
      ),
    ),
    pool(),
  );
  return classifierNetwork(layers, { channels: 4, numClasses: 3, head });
}

/** A network of one layer before the mean over the picture. */
export function networkOf(layer: Layer, channels: number): Network {
  return classifierNetwork(sequential(layer, pool()), { channels, numClasses: 3 });
}

/** Weights that are the same at every start, with batch norms that do something. */
export function weightsOf({ parameters }: Network): Record<string, HostTensor> {
  return Object.fromEntries(
    parameters.map(({ name, shape, value }) => {
      const size = shape.reduce((product, length) => product * length, 1);
      const data = value === undefined ? tensorValues(name, shape) : new Float32Array(size).fill(value);
      return [name, { dtype: "float32", shape: [...shape], data }];
    }),
  );
}
