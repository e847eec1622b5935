import { createLoader, type Loader, type LoaderOptions } from "../data/loader.ts";
import type { Dataset } from "../data/dataset.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import type { Model } from "../models/model.ts";
import { type FoldedNetwork, foldNetwork } from "../models/quantized/folded_network.ts";
import type { Quantization } from "../models/quantized/quantization.ts";
import { rangeName } from "../models/quantized/quantized_network.ts";
import { compareLayers } from "./compare_layers.ts";
import { observeValues } from "./observe.ts";
import { chooseRange, type RangeMethod } from "./ranges.ts";
import { weightRanges } from "./weight_ranges.ts";

/** How a network is quantised after its training. */
export interface PostTrainingSettings {
  /** Bits of the weights. */
  readonly weightBits: 7 | 8;
  /** How ranges are chosen. */
  readonly ranges: RangeMethod;
  /** Whether each layer's channels are given back the means they have in float. */
  readonly adaptStatistics: boolean;
  /** Pictures run through at a time; the result depends on it a little. */
  readonly batchSize: number;
}

/** A quantised network as data. */
export interface QuantizedWeights {
  readonly folded: FoldedNetwork;
  /** Weights of the folded network in float. */
  readonly float: Readonly<Record<string, HostTensor>>;
  readonly quantization: Quantization;
  /** Weights, biases and ranges. */
  readonly weights: Readonly<Record<string, HostTensor>>;
}

/**
 * Quantises a model without training: ranges of weights from the weights, ranges of the values between layers from
 * calibration pictures, and biases changed so that each channel has the mean it has in float.
 *
 * The last is what NNCF's batch-norm adaptation is for; batch norms are folded here, so that their mean is in the bias.
 *
 * @param model A model in float.
 * @param pictures The calibration pictures.
 * @param settings How.
 * @param options How pictures are read, `signal` and `onProgress`.
 * @returns The quantised weights.
 * @see Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, 2019,
 * https://arxiv.org/abs/1906.04721, 4.2
 */
export async function quantizeAfterTraining(
  model: Model,
  pictures: Dataset,
  settings: PostTrainingSettings,
  options: Pick<LoaderOptions, "workers" | "onUnreadable" | "signal"> & {
    readonly onProgress?: (step: "calibration" | "statistics", done: number, total: number) => unknown;
  } = {},
): Promise<QuantizedWeights> {
  const { preprocessing, network } = model;
  const { weightBits, ranges: method } = settings;
  const { signal, onProgress, ...loading } = options;
  const folded = foldNetwork(network, preprocessing.size);
  const float = folded.fold(model.weights);
  const loader = calibrationLoader(pictures, model, settings.batchSize, { ...loading, signal });
  const observed = await observeValues({
    folded,
    weights: float,
    preprocessing,
    loader,
    signal,
    onProgress: (done, total) => onProgress?.("calibration", done, total),
  });
  const weights: Record<string, HostTensor> = { ...float };
  for (const { name } of folded.points) {
    const { min, max } = chooseRange(observed[name]!, method);
    weights[`${name}.min`] = scalar(min);
    weights[`${name}.max`] = scalar(max);
  }
  for (const { weight, kind, outChannels } of folded.layers) {
    const data = weightRanges(float[weight]!, kind, weightBits);
    weights[rangeName(weight)] = { dtype: "float32", shape: [outChannels], data };
  }
  const quantization: Quantization = { weightBits, floatLayers: [] };
  if (settings.adaptStatistics) {
    const differences = await compareLayers({
      folded,
      quantization,
      float,
      quantized: weights,
      preprocessing,
      loader,
      adapt: true,
      signal,
      onProgress: (done, total) => onProgress?.("statistics", done, total),
    });
    for (const { name, bias } of folded.layers) {
      if (bias === undefined) continue;
      const { shape, data } = weights[bias]!, { meanDifference } = differences[name]!;
      weights[bias] = {
        dtype: "float32",
        shape,
        data: Float32Array.from(data as Float32Array, (value, channel) => value + meanDifference[channel]!),
      };
    }
  }
  return { folded, float, quantization, weights };
}

/** Calibration pictures as the model sees them. */
export function calibrationLoader(
  pictures: Dataset,
  { preprocessing }: Pick<Model, "preprocessing">,
  batchSize: number,
  options: Pick<LoaderOptions, "workers" | "onUnreadable" | "signal"> = {},
): Loader {
  return createLoader(pictures, {
    preprocessing,
    batchSize: Math.min(batchSize, pictures.samples.length),
    training: false,
    ...options,
  });
}

function scalar(value: number): HostTensor {
  return { dtype: "float32", shape: [], data: Float32Array.of(value) };
}
