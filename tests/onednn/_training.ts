import type { Preprocessing } from "../../lib/data/preprocessing.ts";
import type { Graph } from "../../lib/graph/graph.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { type Activations, standardActivations } from "../../lib/models/network.ts";
import { createNetwork, modelRecord } from "../../lib/models/registry.ts";
import { sigmoid, swish } from "../../lib/operators/activations.ts";
import { initialState, recordTrainStep } from "../../lib/training/train_step.ts";
import { generatedWeights, readOracle } from "../models/_oracle.ts";
import { imageBytes, labels } from "../models/hash_weights.ts";

/** Sizes of a training. */
export interface TrainingSizes {
  readonly batchSize: number;
  readonly height: number;
  readonly width: number;
}

/** How many classes the trainings here have. */
export const classes = 10;

/** Bytes to about -2..2. */
export function preprocessingOf({ height, width }: TrainingSizes): Preprocessing {
  return {
    size: { height, width },
    interpolation: "bilinear",
    channelOrder: "rgb",
    mean: [0.5, 0.4, 0.3],
    std: [0.2, 0.25, 0.3],
  };
}

/**
 * Smooth functions in place of the kinked, and weights that are no more than usual: else a picture's rounding, by
 * whichever executor, decides on which side of a kink it falls, and two trainings part within three steps.
 */
export const smooth: Activations = {
  ...standardActivations,
  relu: swish,
  relu6: swish,
  hardSwish: swish,
  hardSigmoid: sigmoid,
};

/**
 * Weights with which a model's activations neither vanish nor grow.
 *
 * @param use `eval`: as it is; `smooth`: with smooth activations.
 */
export function weightsOf(id: string, use: "eval" | "smooth"): Record<string, HostTensor> {
  const name = id.endsWith(".ote") ? id : id.split(".")[0]!;
  return generatedWeights(name, readOracle<{ gain: number }>(`${name}.${use}.json`).gain);
}

/** Training step and first state of a model. */
export function createTraining(
  id: string,
  sizes: TrainingSizes,
): { graph: Graph; variables: Record<string, HostTensor> } {
  const network = createNetwork(modelRecord(id), { numClasses: classes, activations: smooth });
  const graph = recordTrainStep({
    network,
    preprocessing: preprocessingOf(sizes),
    batchSize: sizes.batchSize,
    loss: { labelSmoothing: 0.1 },
    optimizer: { momentum: 0.9, weightDecay: 1e-4 },
  });
  return { graph, variables: initialState(network, weightsOf(id, "smooth")) };
}

/** What step number `step` is given. The learning rate is small: what differs by rounding grows by large steps. */
export function trainingInputs(step: number, sizes: TrainingSizes): Record<string, HostTensor> {
  const { batchSize, height, width } = sizes;
  const first = step * batchSize;
  const tensors = {
    images: {
      dtype: "uint8",
      shape: [batchSize, height, width, 3],
      data: imageBytes(first, batchSize, height, width),
    },
    labels: { dtype: "int32", shape: [batchSize], data: labels(first, batchSize, classes) },
    learningRate: { dtype: "float32", shape: [], data: Float32Array.of(1e-4) },
  };
  return tensors as Record<string, HostTensor>;
}

/** SHA-256 of tensors. */
export async function digest(tensors: Readonly<Record<string, HostTensor>>): Promise<string> {
  const bytes = Object.entries(tensors).flatMap(([name, { data }]) => [
    new TextEncoder().encode(name),
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  ]);
  const hash = await crypto.subtle.digest("SHA-256", await new Blob(bytes as BlobPart[]).arrayBuffer());
  return new Uint8Array(hash).toHex();
}
