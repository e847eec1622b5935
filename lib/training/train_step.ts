import type { Preprocessing } from "../data/preprocessing.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import type { Graph } from "../graph/graph.ts";
import type { ParameterSpec } from "../models/layers.ts";
import type { Network } from "../models/network.ts";
import { normaliseImages } from "../operators/normalise_images.ts";
import { record, type SpecTree } from "../tensorflow/record.ts";
import { tf } from "../tensorflow/tf.ts";
import { crossEntropy, type CrossEntropyOptions } from "./losses.ts";
import { type EMAOptions, movingAverage } from "./ema.ts";
import { ascend, type SAMOptions } from "./sam.ts";
import { type OptimizerOptions, settingsOf, sgd } from "./sgd.ts";

/** What a training step is made of. */
export interface TrainStepOptions {
  readonly network: Network;
  readonly preprocessing: Preprocessing;
  readonly batchSize: number;
  readonly loss: CrossEntropyOptions;
  readonly optimizer: OptimizerOptions;
  /** Descends by the gradient at moved weights, which takes a second pass. @default {none} */
  readonly sam?: SAMOptions;
  /** Keeps a moving average of parameters and running statistics. @default {none} */
  readonly ema?: EMAOptions;
  /** Weight of the batch in the running statistics of batch norms. @default {0.1} */
  readonly statisticsMomentum?: number;
}

type Tensors = Record<string, tf.Tensor>;

/** Whether a parameter is trained, or is a running statistic that follows the batches. */
export function isTrainable({ kind }: ParameterSpec): boolean {
  return kind !== "running-mean" && kind !== "running-variance";
}

/**
 * Records a whole training step: bytes to the network's input, forward, loss, gradients, optimiser, running statistics.
 * With sharpness-aware minimisation it has two passes; the running statistics follow the first one's.
 *
 * @param options Network, batch and settings.
 * @returns A graph with the inputs `images` (uint8 `[batch, height, width, 3]`), `labels` (int32 `[batch]`) and
 * `learningRate` (scalar), the state `parameters/*`, `velocities/*`, `statistics/*` and, if asked for, `average/*` as
 * inputs and outputs, and the outputs `loss` (scalar) and `correct` (int32 scalar, pictures of the batch whose best class was right).
 */
export function recordTrainStep(options: TrainStepOptions): Graph {
  const { network, preprocessing, batchSize, loss: lossOptions, optimizer, sam } = options;
  const { ema, statisticsMomentum = 0.1 } = options;
  const { height, width } = preprocessing.size;
  const trained = network.parameters.filter(isTrainable), trainable = trained.map(({ name }) => name);
  const specs = (wanted: boolean): SpecTree =>
    Object.fromEntries(
      network.parameters.filter((spec) => isTrainable(spec) === wanted)
        .map(({ name, shape }) => [name, { dtype: "float32", shape }]),
    );
  const inputs = {
    images: { dtype: "uint8", shape: [batchSize, height, width, 3] },
    labels: { dtype: "int32", shape: [batchSize] },
    learningRate: { dtype: "float32", shape: [] },
    parameters: specs(true),
    velocities: specs(true),
    statistics: specs(false),
    ...(ema === undefined ? {} : { average: { ...specs(true), ...specs(false) } }),
  };

  return record(
    (given) => {
      const { images, labels, learningRate } = given;
      const parameters = given.parameters as Tensors, velocities = given.velocities as Tensors;
      const running = given.statistics as Tensors;
      const input = normaliseImages(images, preprocessing);
      let logits: tf.Tensor2D | undefined;
      let batch: Tensors = {};
      const lossOf = (...values: tf.Tensor[]) => {
        const params = { ...running, ...Object.fromEntries(trainable.map((name, i) => [name, values[i]!])) };
        const result = network.forward(params, input, { training: true });
        batch = result.statistics;
        logits = tf.keep(result.logits); // out of the gradient's scope, as the statistics are
        return crossEntropy(result.logits, labels as tf.Tensor1D, lossOptions);
      };
      const values = trainable.map((name) => parameters[name]!);
      const first = tf.valueAndGrads(lossOf)(values), { value: loss } = first;
      let { grads } = first;
      if (sam !== undefined) {
        const seen = { batch, logits }; // loss, statistics and hits are those of the weights as they are
        grads = tf.valueAndGrads(lossOf)(ascend(values, grads, sam)).grads;
        ({ batch, logits } = seen);
      }

      const updates = trained.map(({ name, kind }, index) =>
        [
          name,
          sgd(values[index]!, grads[index]!, velocities[name]!, learningRate, settingsOf(kind, optimizer)),
        ] as const
      );
      const next: Tensors = {
        ...Object.fromEntries(updates.map(([name, update]) => [name, update.value])),
        ...Object.fromEntries(
          Object.entries(running).map(([name, value]) => [
            name,
            tf.add(tf.mul(value, 1 - statisticsMomentum), tf.mul(batch[name]!, statisticsMomentum)),
          ]),
        ),
      };
      const nextOf = (names: readonly string[]) =>
        Object.fromEntries(names.map((name) => [name, next[name]!]));
      const average = (given as { average?: Tensors }).average ?? {};
      const averages = Object.fromEntries(
        Object.entries(average).map(([name, value]) => [name, movingAverage(value, next[name]!, ema!)]),
      );
      return {
        loss: nanUnlessFinite(loss, Object.values(batch)),
        correct: tf.sum(tf.equal(tf.argMax(logits!, -1), labels).toInt()),
        parameters: nextOf(trainable),
        velocities: Object.fromEntries(updates.map(([name, update]) => [name, update.velocity])),
        statistics: nextOf(Object.keys(running)),
        ...(ema === undefined ? {} : { average: averages }),
      };
    },
    inputs,
    { name: "train_step" },
  );
}

/**
 * The loss, or NaN if a statistic of the batch is not finite. TensorFlow's fused ReLU makes 0 of NaN, so that a network
 * can be lost while its loss looks well; the statistics have seen every activation.
 */
function nanUnlessFinite(loss: tf.Tensor, statistics: readonly tf.Tensor[]): tf.Tensor {
  if (statistics.length === 0) return loss;
  return tf.where(tf.isFinite(tf.sum(tf.concat([...statistics]))), loss, NaN);
}

/**
 * First state of the training step: the weights, velocities of zero, and the weights as their average.
 *
 * @param network The network.
 * @param weights Its parameters and running statistics by name.
 * @param options `ema`: whether the step keeps an average.
 * @returns Variables for the compiled step.
 */
export function initialState(
  network: Network,
  weights: Readonly<Record<string, HostTensor>>,
  { ema }: Pick<TrainStepOptions, "ema"> = {},
): Record<string, HostTensor> {
  const state: Record<string, HostTensor> = {};
  for (const spec of network.parameters) {
    const value = weights[spec.name]!;
    if (ema !== undefined) state[`average/${spec.name}`] = value;
    if (!isTrainable(spec)) {
      state[`statistics/${spec.name}`] = value;
      continue;
    }
    state[`parameters/${spec.name}`] = value;
    state[`velocities/${spec.name}`] = { ...value, data: new Float32Array(value.data.length) };
  }
  return state;
}
