import type { Loader } from "../data/loader.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { softmax } from "../metrics/softmax.ts";
import { createInference, type NetworkInference } from "../models/inference.ts";
import type { Model } from "../models/model.ts";
import type { Network } from "../models/network.ts";

/** Measures how far predictions of a quantised network are from those in float. */
export interface PredictionDivergence {
  /**
   * @param weights Weights and ranges of the quantised network.
   * @param onProgress Told how many pictures were looked at since it was told last, and waited for.
   * @returns Kullback-Leibler divergence of the quantised network's probabilities from those in float, in nats, mean over
   * the pictures; 0 where they are the same.
   */
  of(
    weights: Readonly<Record<string, HostTensor>>,
    onProgress?: (done: number) => unknown,
  ): Promise<number>;
  dispose(): Promise<void>;
}

/** Less than this a probability does not count as: the divergence of one picture ends at 28. */
const leastProbability = 1e-12;

/**
 * Gets ready to judge weights and ranges by what becomes of the predictions. Sums of squares inside the network would be
 * ruled by the few pictures that have large values there, whether those matter or not.
 *
 * @param model The model in float.
 * @param quantized The quantised network.
 * @param loader The pictures.
 * @param signal Stops it.
 * @returns What measures; dispose of it after use.
 */
export async function predictionDivergence(
  model: Pick<Model, "network" | "weights" | "preprocessing">,
  quantized: Network,
  loader: Loader,
  signal?: AbortSignal,
): Promise<PredictionDivergence> {
  const { preprocessing } = model;
  const open = (network: Network, weights: Readonly<Record<string, HostTensor>>) =>
    createInference(network, weights, preprocessing, loader.batchSize);
  const probabilities = async (inference: NetworkInference, onProgress?: (done: number) => unknown) => {
    const rows: Float64Array[] = [];
    for await (const { images, count } of loader.epoch(0)) {
      signal?.throwIfAborted();
      for (const logits of await inference.logits(images, count)) rows.push(softmax(logits));
      await onProgress?.(loader.batchSize);
    }
    return rows;
  };
  const float = await open(model.network, model.weights);
  const wanted = await probabilities(float).finally(() => float.dispose());
  let inference: NetworkInference | undefined;
  return {
    async of(weights, onProgress) {
      if (inference === undefined) inference = await open(quantized, weights);
      else await inference.setWeights(weights);
      const found = await probabilities(inference, onProgress);
      return wanted.reduce((sum, row, index) => sum + divergence(row, found[index]!), 0) / wanted.length;
    },
    dispose: async () => await inference?.dispose(),
  };
}

function divergence(wanted: Float64Array, found: Float64Array): number {
  return wanted.reduce(
    (sum, p, index) =>
      p < leastProbability ? sum : sum + p * Math.log(p / Math.max(found[index]!, leastProbability)),
    0,
  );
}
