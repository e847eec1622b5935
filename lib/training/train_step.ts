import type { Preprocessing } from "../data/preprocessing.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import type { Graph } from "../graph/graph.ts";
import { isTrainable } from "../models/layers.ts";
import type { Network } from "../models/network.ts";
import { normaliseImages } from "../operators/normalise_images.ts";
import { record, type SpecTree } from "../tensorflow/record.ts";
import { tf } from "../tensorflow/tf.ts";
import { withMargin } from "./am_softmax.ts";
import { type EMAOptions, movingAverage } from "./ema.ts";
import { crossEntropy, type CrossEntropyOptions } from "./losses.ts";
import { mixedLoss, type OtherLabels } from "./mixed_loss.ts";
import { mutualLoss } from "./mutual_learning.ts";
import { ascend, type SAMOptions } from "./sam.ts";
import { stopGradient } from "../operators/stop_gradient.ts";
import { type OptimizerOptions, settingsByName, sgd } from "./sgd.ts";

/** A network that learns in a step. */
export interface Learner {
  readonly network: Network;
  readonly preprocessing: Preprocessing;
  /** Margin of AM-softmax, for a cosine classifier. @default {0} */
  readonly margin?: number;
  /** Share of the classifier's inputs that is set to 0, 0..1: the step takes a mask. @default {0} */
  readonly dropout?: number;
  /** Whether it teaches the others only, in evaluation mode, and stays as it is. @default {false} */
  readonly frozen?: boolean;
  /** Factor on the step's learning rate. @default {1} */
  readonly learningRateFactor?: number;
}

/** What a training step is made of. The step's own network is the main one: loss, hits and average are its. */
export interface TrainStepOptions extends Learner {
  readonly batchSize: number;
  /** What the main network sees: bytes of pictures, or, if it is a classifier only, features. @default {"images"} */
  readonly input?: "images" | "features";
  readonly loss: CrossEntropyOptions;
  readonly optimizer: OptimizerOptions;
  /** Whether the step takes the optimiser's momentum as an input. @default {false} */
  readonly cyclesMomentum?: boolean;
  /** Networks that learn beside the main one, and it from them; inputs of their own size are not possible. @default {none} */
  readonly auxiliary?: readonly Learner[];
  /** Whether pictures are mixed of two, and have two labels. @default {false} */
  readonly mixed?: boolean;
  /** Descends by the gradient at moved weights, which takes a second pass. @default {none} */
  readonly sam?: SAMOptions;
  /** Keeps a moving average of the main network's parameters and running statistics. @default {none} */
  readonly ema?: EMAOptions;
  /** Weight of the batch in the running statistics of batch norms. @default {0.1} */
  readonly statisticsMomentum?: number;
}

type Tensors = Record<string, tf.Tensor>;

/** State of one network of a step. */
interface LearnerState {
  readonly parameters: Tensors;
  readonly velocities: Tensors;
  readonly statistics: Tensors;
}

/** What a pass over the batch gives of one network. */
interface Pass {
  readonly logits: tf.Tensor2D;
  readonly statistics: Tensors;
}

/**
 * Records a whole training step: bytes to the networks' inputs, forward, loss, gradients, optimiser, running statistics,
 * moving average. With sharpness-aware minimisation it has two passes; loss, hits and running statistics are the first
 * one's. Networks that learn together share one loss (the mean of theirs, and {@linkcode mutualLoss}); each has its own
 * optimiser and, for the second pass, its own norm.
 *
 * @param options Networks, batch and settings.
 * @returns A graph with the inputs `images` (uint8 `[batch, height, width, 3]`) or `features` (float32
 * `[batch, 1, 1, featureChannels]`), `labels` (int32 `[batch]`), for mixed pictures `otherLabels` (int32 `[batch]`) and
 * `labelWeight` (scalar: the share of `labels`, the rest is of the others), `learningRate` (scalar), if the momentum
 * cycles `momentum` (scalar) and, for a network with dropout, `dropout/<index>` (float32 `[batch, featureChannels]`, index 0
 * for the main one), the state `parameters/*`, `velocities/*`, `statistics/*`, for the auxiliary networks
 * `auxiliary/<1, 2, ...>/parameters/*` and so on, and, if asked for, `average/*` as inputs and outputs, and the outputs
 * `loss` (scalar) and `correct` (int32 scalar, pictures of the batch whose best class was that of `labels`).
 */
export function recordTrainStep(options: TrainStepOptions): Graph {
  const { preprocessing, batchSize, loss: lossOptions, auxiliary = [], sam, ema } = options;
  const { input: kind = "images", mixed = false, cyclesMomentum = false, statisticsMomentum = 0.1 } = options;
  const { height, width } = preprocessing.size;
  const learners: readonly Learner[] = [options, ...auxiliary];
  const [main, ...others] = learners.map(stateSpecs);
  const inputs = {
    [kind]: kind === "images"
      ? { dtype: "uint8", shape: [batchSize, height, width, 3] }
      : { dtype: "float32", shape: [batchSize, 1, 1, options.network.featureChannels] },
    labels: { dtype: "int32", shape: [batchSize] },
    ...(mixed
      ? {
        otherLabels: { dtype: "int32", shape: [batchSize] } as const,
        labelWeight: { dtype: "float32", shape: [] } as const,
      }
      : {}),
    learningRate: { dtype: "float32", shape: [] },
    ...(cyclesMomentum ? { momentum: { dtype: "float32", shape: [] } as const } : {}),
    dropout: Object.fromEntries(
      learners.flatMap(({ dropout = 0, network }, index) =>
        dropout === 0
          ? []
          : [[index, { dtype: "float32", shape: [batchSize, network.featureChannels] } as const]]
      ),
    ),
    ...main!,
    auxiliary: Object.fromEntries(others.map((specs, index) => [index + 1, specs])),
    ...(ema === undefined ? {} : { average: { ...main!["parameters"]!, ...main!["statistics"]! } }),
  } satisfies SpecTree;

  return record(
    (given) => {
      const { labels, learningRate, dropout } = given;
      const seen = (given as Record<string, unknown>)[kind] as tf.Tensor4D;
      const { momentum = options.optimizer.momentum } = given as { momentum?: tf.Tensor };
      const optimizer: OptimizerOptions = { ...options.optimizer, momentum };
      const states = [given, ...Object.values(given.auxiliary)] as unknown as readonly LearnerState[];
      const forward = (index: number, parameters: Tensors, input: tf.Tensor4D): Pass =>
        learners[index]!.network.forward({ ...states[index]!.statistics, ...parameters }, input, {
          training: !learners[index]!.frozen,
          dropout: (dropout as Tensors)[index],
        });
      const input = learners.map(({ preprocessing }) =>
        kind === "images" ? normaliseImages(seen, preprocessing) : seen
      );
      const teachers = learners.map(({ frozen }, index) =>
        frozen ? { ...forward(index, states[index]!.parameters, input[index]!), statistics: {} } : undefined
      );
      const other = mixed ? given as unknown as OtherLabels : undefined;
      const shared = (passes: readonly Pass[]) => {
        const losses = passes.flatMap(({ logits }, index) => {
          const { network: { head }, margin = 0, frozen } = learners[index]!;
          if (frozen) return []; // its own mistakes are nobody's to learn from
          const lossFor = (labels: tf.Tensor1D) => {
            const scores = head === "linear" || margin === 0
              ? logits
              : withMargin(logits, labels, scaleOf(states[index]!), margin);
            return crossEntropy(scores, labels, lossOptions);
          };
          return [mixedLoss(lossFor, labels as tf.Tensor1D, other)];
        });
        if (passes.length === 1) return losses[0]!;
        const mean = tf.div(tf.addN(losses), losses.length);
        return tf.add(mean, mutualLoss(passes.map(({ logits }) => logits))) as tf.Scalar;
      };
      /** Loss, passes and each network's gradients at some parameters. */
      const gradients = (parameters: readonly Tensors[]) => {
        let passes: Pass[] = [];
        const { value, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
          let at = 0;
          passes = parameters.map((own, index) => {
            const teacher = teachers[index];
            if (teacher !== undefined) {
              return { ...teacher, logits: stopGradient(teacher.logits) as tf.Tensor2D };
            }
            const params = Object.fromEntries(Object.keys(own).map((name) => [name, values[at++]!]));
            const pass = forward(index, params, input[index]!);
            return { ...pass, logits: tf.keep(pass.logits) }; // out of the gradient's scope, as the statistics are
          });
          return shared(passes);
        })(parameters.flatMap((own) => Object.values(own)));
        let at = 0;
        const each = parameters.map((own) =>
          Object.fromEntries(Object.keys(own).map((name) => [name, grads[at++]!]))
        );
        return { loss: value, passes, grads: each };
      };

      const parameters = states.map((state, index) => learners[index]!.frozen ? {} : state.parameters);
      const first = gradients(parameters);
      const { grads } = sam === undefined
        ? first
        : gradients(parameters.map((own, index) => moved(own, first.grads[index]!, sam)));
      // Several processes would average `grads` and the statistics of `first.passes` here, and nothing else.
      const next = learners.map((learner, index) => ({
        ...descended(learner, states[index]!, grads[index]!, learningRate, optimizer),
        statistics: followed(states[index]!.statistics, first.passes[index]!.statistics, statisticsMomentum),
      }));

      const [nextMain, ...nextOthers] = next;
      const all: Tensors = { ...nextMain!.parameters, ...nextMain!.statistics };
      const averages = Object.fromEntries(
        Object.entries((given as { average?: Tensors }).average ?? {})
          .map(([name, value]) => [name, movingAverage(value, all[name]!, ema!)]),
      );
      return {
        loss: nanUnlessFinite(
          first.loss,
          first.passes.flatMap(({ statistics }) => Object.values(statistics)),
        ),
        correct: tf.sum(tf.equal(tf.argMax(first.passes[0]!.logits, -1), labels).toInt()),
        ...nextMain!,
        ...(others.length === 0 ? {} : {
          auxiliary: Object.fromEntries(nextOthers.map((state, index) => [index + 1, state])),
        }),
        ...(ema === undefined ? {} : { average: averages }),
      };
    },
    inputs,
    { name: "train_step" },
  );
}

/** Names and shapes of the state of one network. */
function stateSpecs({ network }: Learner) {
  const specs = (wanted: boolean) =>
    Object.fromEntries(
      network.parameters.filter((spec) => isTrainable(spec) === wanted)
        .map(({ name, shape }) => [name, { dtype: "float32", shape } as const]),
    );
  return { parameters: specs(true), velocities: specs(true), statistics: specs(false) };
}

function scaleOf({ statistics }: LearnerState): tf.Tensor {
  return statistics["classifier.scale"]!;
}

function moved(parameters: Tensors, grads: Tensors, sam: SAMOptions): Tensors {
  if (Object.keys(parameters).length === 0) return {}; // of a frozen network
  const values = ascend(Object.values(parameters), Object.values(grads), sam);
  return Object.fromEntries(Object.keys(parameters).map((name, index) => [name, values[index]!]));
}

/** Parameters and velocities after a step of the optimiser. */
function descended(
  { network, learningRateFactor = 1, frozen = false }: Learner,
  { parameters, velocities }: LearnerState,
  grads: Tensors,
  learningRate: tf.Tensor,
  optimizer: OptimizerOptions,
): Pick<LearnerState, "parameters" | "velocities"> {
  if (frozen) return { parameters: unchanged(parameters), velocities: unchanged(velocities) };
  const rate = learningRateFactor === 1 ? learningRate : tf.mul(learningRate, learningRateFactor);
  const settings = settingsByName(network.parameters, optimizer);
  const updates = network.parameters.filter(isTrainable).map(({ name }) =>
    [name, sgd(parameters[name]!, grads[name]!, velocities[name]!, rate, settings[name]!)] as const
  );
  return {
    parameters: Object.fromEntries(updates.map(([name, { value }]) => [name, value])),
    velocities: Object.fromEntries(updates.map(([name, { velocity }]) => [name, velocity])),
  };
}

/** Copies: a variable's next value is an output of its own. */
function unchanged(values: Tensors): Tensors {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, tf.mul(value, 1)]));
}

/** Running statistics after a batch. What is no statistic of the batch is a constant, and stays. */
function followed(running: Tensors, batch: Tensors, momentum: number): Tensors {
  return Object.fromEntries(
    Object.entries(running).map(([name, value]) => {
      const seen = batch[name];
      return [
        name,
        seen === undefined ? tf.mul(value, 1) : tf.add(tf.mul(value, 1 - momentum), tf.mul(seen, momentum)),
      ];
    }),
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

/** A network with its first weights. */
export interface WeightedNetwork {
  readonly network: Network;
  /** Its parameters and running statistics by name. */
  readonly weights: Readonly<Record<string, HostTensor>>;
}

/**
 * First state of the training step: the weights, velocities of zero, and the main network's weights as their average.
 *
 * @param network The main network.
 * @param weights Its parameters and running statistics by name.
 * @param options `ema`: whether the step keeps an average; `auxiliary`: the networks beside it.
 * @returns Variables for the compiled step.
 */
export function initialState(
  network: Network,
  weights: Readonly<Record<string, HostTensor>>,
  options: Pick<TrainStepOptions, "ema"> & { auxiliary?: readonly WeightedNetwork[] } = {},
): Record<string, HostTensor> {
  const { ema, auxiliary = [] } = options;
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
  auxiliary.forEach(({ network, weights }, index) => {
    for (const [name, value] of Object.entries(initialState(network, weights))) {
      state[`auxiliary/${index + 1}/${name}`] = value;
    }
  });
  return state;
}
