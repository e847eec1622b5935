import type { CompiledFunction, Precision } from "../../lib/graph/compiled_function.ts";
import type { Graph } from "../../lib/graph/graph.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import type { Preprocessing } from "../../lib/data/preprocessing.ts";
import { initialise } from "../../lib/models/initialise.ts";
import type { Network } from "../../lib/models/network.ts";
import { foldNetwork } from "../../lib/models/quantized/folded_network.ts";
import { createQuantizedNetwork, rangeName } from "../../lib/models/quantized/quantized_network.ts";
import { createNetwork, modelRecord } from "../../lib/models/registry.ts";
import { weightRanges } from "../../lib/quantization/weight_ranges.ts";
import { compileForExecutor } from "../../lib/tensorflow/executor.ts";
import { headOfLoss, marginOf } from "../../lib/training/am_softmax.ts";
import { initialState, type Learner, recordTrainStep } from "../../lib/training/train_step.ts";
import { type Technique, techniques } from "./techniques.ts";

/** A training step of a network with random weights, and a batch for it. */
export interface BenchmarkStep {
  readonly network: Network;
  readonly preprocessing: Preprocessing;
  readonly weights: Record<string, HostTensor>;
  readonly graph: Graph;
  readonly variables: Record<string, HostTensor>;
  /** Noise, with labels. */
  readonly inputs: Record<string, HostTensor>;
}

/**
 * Records the step that is measured: 100 classes, SGD with momentum.
 *
 * @param id timm's id.
 * @param batchSize Pictures.
 * @param size Their side in pixels.
 * @param technique What it has besides.
 * @returns The step, its first state and a batch.
 */
export function createBenchmarkStep(
  id: string,
  batchSize: number,
  size: number,
  technique: keyof typeof techniques = "plain",
): BenchmarkStep {
  const classes = 100, record = modelRecord(id);
  const { loss = "softmax", noBiasDecay, sam, ema, auxiliary: auxiliaryId, int8 } =
    techniques[technique] as Technique;
  const float = createNetwork(record, { numClasses: classes, head: headOfLoss(loss) });
  const preprocessing = { ...record.preprocessing, size: { height: size, width: size } };
  const initial = initialise(float.parameters, 0);
  const { network, weights } = int8
    ? quantised(float, initial, preprocessing)
    : { network: float, weights: initial };
  const optimizer = { momentum: 0.9, weightDecay: 5e-4, noBiasDecay };
  const auxiliary = auxiliaryId === undefined ? [] : [createAuxiliary(auxiliaryId, classes, preprocessing)];
  const noise = crypto.getRandomValues(new Uint8Array(65536));
  return {
    network,
    preprocessing,
    weights,
    graph: recordTrainStep({
      network,
      preprocessing,
      margin: marginOf({ loss }),
      batchSize,
      loss: {},
      optimizer,
      sam,
      ema,
      auxiliary,
    }),
    variables: initialState(network, weights, { ema, auxiliary }),
    inputs: {
      images: {
        dtype: "uint8",
        shape: [batchSize, size, size, 3],
        data: Uint8Array.from({ length: batchSize * size * size * 3 }, (_, i) => noise[i % 65536]!),
      },
      labels: {
        dtype: "int32",
        shape: [batchSize],
        data: Int32Array.from({ length: batchSize }, (_, i) => i % classes),
      },
      learningRate: { dtype: "float32", shape: [], data: new Float32Array([0.01]) },
    },
  };
}

/** The network as it is fine-tuned for int8, all layers of it. */
function quantised(
  float: Network,
  initial: Record<string, HostTensor>,
  { size }: Preprocessing,
): { network: Network; weights: Record<string, HostTensor> } {
  const folded = foldNetwork(float, size);
  const network = createQuantizedNetwork(float, folded, { weightBits: 7, floatLayers: [] });
  const weights = folded.fold(initial);
  const range = (shape: readonly number[], data: Float32Array): HostTensor => ({
    dtype: "float32",
    shape,
    data,
  });
  for (const { weight, kind, outChannels } of folded.layers) {
    weights[rangeName(weight)] = range([outChannels], weightRanges(weights[weight]!, kind, 7));
  }
  for (const { name } of folded.points) {
    weights[`${name}.min`] = range([], Float32Array.of(-3));
    weights[`${name}.max`] = range([], Float32Array.of(3));
  }
  return { network, weights };
}

/** The auxiliary model of the adaptive recipe. */
function createAuxiliary(
  id: string,
  numClasses: number,
  { size }: Preprocessing,
): Learner & { weights: Record<string, HostTensor> } {
  const record = modelRecord(id);
  const network = createNetwork(record, { numClasses, head: "cosine" });
  const preprocessing = { ...record.preprocessing, size };
  return { network, preprocessing, margin: 0.35, weights: initialise(network.parameters, 1) };
}

/** Compiles it for the executor that was opened. */
export function compileStep(
  { graph, variables }: BenchmarkStep,
  precision: Precision = "float32",
): Promise<CompiledFunction> {
  return compileForExecutor(graph, variables, precision);
}
