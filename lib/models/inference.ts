import type { View } from "../augment/test_time_views.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { normaliseImages } from "../operators/normalise_images.ts";
import { compileForExecutor } from "../tensorflow/executor.ts";
import { record, type SpecTree } from "../tensorflow/record.ts";
import type { tf } from "../tensorflow/tf.ts";
import type { Graph } from "../graph/graph.ts";
import { logitsOfViews } from "./logits_of_views.ts";
import type { Network } from "./network.ts";

/** A classifier in evaluation mode, ready for batches of one size, whatever computes it. */
export interface Inference {
  readonly batchSize: number;
  /**
   * @param images RGB bytes `[batchSize, height, width, 3]`.
   * @param count How many rows are pictures; the rest is padding.
   * @param views What is looked at in place of the pictures; the probabilities of the views are averaged.
   * @default {the pictures themselves}
   * @returns Logits of the first `count` rows, one array a picture.
   */
  logits(images: Uint8Array, count: number, views?: readonly View[]): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

/** A compiled network in evaluation mode. */
export interface NetworkInference extends Inference {
  /** Puts other weights in place. */
  setWeights(weights: Readonly<Record<string, HostTensor>>): Promise<void>;
}

/**
 * Records a network in evaluation mode, from bytes to logits.
 *
 * @param network The network.
 * @param preprocessing Size and normalisation of its input.
 * @param batchSize Rows of a batch.
 * @returns A graph with the inputs `images` and `params/<name>` and the output `logits`.
 */
export function recordInference(network: Network, preprocessing: Preprocessing, batchSize: number): Graph {
  const { height, width } = preprocessing.size;
  const params: SpecTree = Object.fromEntries(
    network.parameters.map(({ name, shape }) => [name, { dtype: "float32", shape }]),
  );
  return record(
    ({ images, params }) => {
      const input = normaliseImages(images, preprocessing);
      return {
        logits: network.forward(params as Record<string, tf.Tensor>, input, { training: false }).logits,
      };
    },
    { images: { dtype: "uint8", shape: [batchSize, height, width, 3] }, params },
    { name: "inference" },
  );
}

/**
 * Compiles a network in evaluation mode.
 *
 * @param network The network.
 * @param weights Its parameters and running statistics by name, in tfjs's layouts.
 * @param preprocessing Size and normalisation of its input.
 * @param batchSize Rows of a batch.
 * @returns The compiled network; dispose of it after use.
 */
export async function createInference(
  network: Network,
  weights: Readonly<Record<string, HostTensor>>,
  preprocessing: Preprocessing,
  batchSize: number,
): Promise<NetworkInference> {
  const { height, width } = preprocessing.size;
  const graph = recordInference(network, preprocessing, batchSize);
  const compiled = await compileForExecutor(graph, toVariables(weights));
  async function logitsOf(images: Uint8Array, count: number): Promise<Float32Array[]> {
    const shape = [batchSize, height, width, 3];
    const { logits } = await compiled.run({ images: { dtype: "uint8", shape, data: images } });
    const classes = logits!.shape[1]!;
    const values = logits!.data as Float32Array;
    return Array.from({ length: count }, (_, row) => values.slice(row * classes, (row + 1) * classes));
  }
  return {
    batchSize,
    logits: (images, count, views) => logitsOfViews(logitsOf, images, count, preprocessing.size, views),
    setWeights: (weights) => compiled.write(toVariables(weights)),
    dispose: () => compiled.dispose(),
  };
}

function toVariables(weights: Readonly<Record<string, HostTensor>>): Record<string, HostTensor> {
  return Object.fromEntries(Object.entries(weights).map(([name, value]) => [`params/${name}`, value]));
}
