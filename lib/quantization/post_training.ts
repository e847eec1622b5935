import { createLoader, type Loader, type LoaderOptions } from "../data/loader.ts";
import type { Dataset } from "../data/dataset.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import type { Model } from "../models/model.ts";
import { type FoldedNetwork, foldNetwork } from "../models/quantized/folded_network.ts";
import type { Quantization } from "../models/quantized/quantization.ts";
import { createQuantizedNetwork, rangeName } from "../models/quantized/quantized_network.ts";
import { adaptBiases } from "./adapt_biases.ts";
import { observeValues } from "./observe.ts";
import { predictionDivergence } from "./prediction_divergence.ts";
import { chooseRange, type RangeChoice, type RangeMethod, rangeMethods } from "./ranges.ts";
import { weightRanges } from "./weight_ranges.ts";

/** How a network is quantised after its training. */
export interface PostTrainingSettings {
  /** Bits of the weights. */
  readonly weightBits: 7 | 8;
  /** How ranges are chosen. */
  readonly ranges: RangeChoice;
  /** Whether each layer's channels are given back the means they have in float; `auto`: if it does predictions good. */
  readonly adaptStatistics: boolean | "auto";
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
  /** How the ranges were chosen in the end. */
  readonly ranges: RangeMethod;
  /** Whether the biases give channels the means they have in float. They fit the layers that are quantised. */
  readonly isAdapted: boolean;
}

/**
 * Quantises a model without training: ranges of weights from the weights, ranges of the values between layers from
 * calibration pictures, and biases changed so that each channel has the mean it has in float.
 *
 * Where there is more than one way, each is tried on the calibration pictures, and the one is taken whose predictions are
 * nearest to those in float ({@linkcode predictionDivergence}): no way is best for all networks.
 *
 * @param model A model in float.
 * @param pictures The calibration pictures.
 * @param settings How.
 * @param options How pictures are read, `signal` and `onProgress`.
 * @returns The quantised weights.
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
  const { weightBits } = settings;
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
  const ofWeights = Object.fromEntries(folded.layers.map(({ weight, kind, outChannels }) => {
    const data = weightRanges(float[weight]!, kind, weightBits);
    return [rangeName(weight), { dtype: "float32" as const, shape: [outChannels], data }];
  }));
  const quantization: Quantization = { weightBits, floatLayers: [] };
  const methods = settings.ranges === "auto" ? rangeMethods : [settings.ranges];
  const adaptations = settings.adaptStatistics === "auto" ? [true, false] : [settings.adaptStatistics];
  const adapted = adaptations.includes(true) ? 1 : 0;
  const count = methods.length * adaptations.length, isJudged = count > 1;
  const total = (methods.length * adapted + (isJudged ? count : 0)) * loader.stepsPerEpoch * loader.batchSize;
  let done = 0;
  const advance = (pictures: number) => onProgress?.("statistics", done += pictures, total);
  const divergence = isJudged
    ? await predictionDivergence(
      model,
      createQuantizedNetwork(network, folded, quantization),
      loader,
      signal,
    )
    : undefined;
  let best: QuantizedWeights | undefined, least = Infinity;
  try {
    for (const ranges of methods) {
      const weights: Record<string, HostTensor> = { ...float, ...ofWeights };
      for (const { name } of folded.points) {
        const { min, max } = chooseRange(observed[name]!, ranges);
        weights[`${name}.min`] = scalar(min);
        weights[`${name}.max`] = scalar(max);
      }
      for (const isAdapted of adaptations) {
        const pair = { folded, quantization, float, quantized: weights, preprocessing, loader, signal };
        const candidate: QuantizedWeights = {
          folded,
          float,
          quantization,
          weights: isAdapted
            ? await adaptBiases({ ...pair, onProgress: () => advance(loader.batchSize) })
            : weights,
          ranges,
          isAdapted,
        };
        const apart = await divergence?.of(candidate.weights, advance) ?? 0;
        if (best === undefined || apart < least) [best, least] = [candidate, apart];
      }
    }
  } finally {
    await divergence?.dispose();
  }
  return best!;
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
