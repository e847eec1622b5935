/**
 * The networks against timm and PyTorch: logits, loss, statistics of batch norms, every gradient, and the parameters
 * after three steps of SGD, computed by the very training step that fineTune runs, by both executors.
 */
import assert from "node:assert/strict";
import type { Preprocessing } from "../../lib/data/preprocessing.ts";
import { countOperations } from "../../lib/graph/complexity.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { recordInference } from "../../lib/models/inference.ts";
import { type Activations, standardActivations } from "../../lib/models/network.ts";
import { isTrainable } from "../../lib/models/layers.ts";
import { createNetwork, modelRecord } from "../../lib/models/registry.ts";
import { fromTfjsLayout } from "../../lib/models/weights/layouts.ts";
import { sigmoid, swish } from "../../lib/operators/activations.ts";
import { compile, tf } from "../../lib/tensorflow/mod.ts";
import { recordTrainStep } from "../../lib/training/train_step.ts";
import {
  distance,
  type EvaluationOracle,
  generatedWeights,
  readOracle,
  type TensorRecord,
  type TrainingOracle,
} from "./_oracle.ts";
import { classWeights, imageBytes, labels, networkInput } from "./hash_weights.ts";

const ids = [
  "mobilenetv3_small_100",
  "mobilenetv3_large_100",
  "mobilenetv3_large_075",
  "efficientnet_b0",
  "efficientnet_lite0",
  "tf_mobilenetv3_small_100",
  "tf_mobilenetv3_large_100",
  "tf_mobilenetv3_large_075",
  "tf_efficientnet_b0",
  "tf_efficientnet_lite0",
  "mobilenetv3_small_100.ote",
  "mobilenetv3_large_100.ote",
  "mobilenetv3_large_075.ote",
  "efficientnet_b0.ote",
];

/** Smooth functions in place of the kinked: PyTorch's side has the same. */
const smooth: Activations = {
  ...standardActivations,
  relu: swish,
  relu6: swish,
  hardSwish: swish,
  hardSigmoid: sigmoid,
};

/** `(pixel - 127.5) / 64`. */
const preprocessing = (height: number, width: number): Preprocessing => ({
  size: { height, width },
  interpolation: "bilinear",
  channelOrder: "rgb",
  mean: [0.5, 0.5, 0.5],
  std: [64 / 255, 64 / 255, 64 / 255],
});

function prefixed(prefix: string, tensors: Record<string, HostTensor>): Record<string, HostTensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [`${prefix}/${name}`, value]));
}

const executors = ["tensorflow", "onednn"] as const;
type ExecutorName = (typeof executors)[number];

for (const id of ids) {
  /** A test for each executor. */
  const test = (name: string, run: (executor: ExecutorName) => Promise<void>) => {
    for (const executor of executors) Deno.test(`${id}: ${name}, by ${executor}`, () => run(executor));
  };

  Deno.test(`${id}: logits equal PyTorch's within 1e-4 of their range, op by op and recorded`, async () => {
    const oracle = readOracle<EvaluationOracle>(`${id}.eval.json`);
    const network = createNetwork(modelRecord(id), { numClasses: oracle.classes });
    const weights = generatedWeights(id, oracle.gain);
    assert.deepEqual(
      Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, shape])),
      Object.fromEntries(network.parameters.map(({ name, shape }) => [name, shape])),
    );
    const check = (found: ArrayLike<number>, wanted: number[], what: string) => {
      const range = Math.max(...wanted) - Math.min(...wanted);
      const error = Math.max(...wanted.map((value, i) => Math.abs(value - found[i]!))) / range;
      assert.ok(error <= 1e-4, `${what}: off by ${error} of the range`);
    };
    for (const { height, width, float64, smooth: smoothed } of oracle.sizes) {
      const shape = [oracle.images, height, width, 3] as const;
      const params = Object.fromEntries(
        Object.entries(weights).map((
          [name, { shape, data }],
        ) => [name, tf.tensor(data as Float32Array, [...shape])]),
      );
      const images = tf.tensor4d(networkInput(0, oracle.images, height, width), [...shape]);
      const eager = tf.tidy(() => network.forward(params, images, { training: false }).logits);
      check(await eager.data(), float64, `${id} at ${height} x ${width}, op by op`);
      tf.dispose([params, images, eager]);

      for (const [activations, wanted] of [[standardActivations, float64], [smooth, smoothed]] as const) {
        const same = createNetwork(modelRecord(id), { numClasses: oracle.classes, activations });
        const graph = recordInference(same, preprocessing(height, width), oracle.images);
        for (const executor of executors) {
          await using inference = compile(graph, { executor, variables: prefixed("params", weights) });
          const { logits } = await inference.run({
            images: {
              dtype: "uint8",
              shape: [...shape],
              data: imageBytes(0, oracle.images, height, width),
            } as HostTensor,
          });
          check(logits!.data as Float32Array, wanted, `${id} at ${height} x ${width}, by ${executor}`);
        }
      }
    }
  });

  test("a smooth network trains as PyTorch's float64 does, within 1e-3 per tensor", async (executor) => {
    const oracle = readOracle<TrainingOracle>(`${id}.smooth.json`);
    const found = await train(id, oracle, executor);
    compare("gradient", found.gradients, oracle.gradients, () => 1e-3);
    compare("statistic", found.statistics, oracle.statistics, () => 1e-5);
    // What changed, against the change itself; the parameters are far closer.
    compare("change", found.changes, oracle.changes, (record) => Math.max(1e-3, 3 * record.float32));
    compare("parameter", found.changes, parametersOf(oracle.changes), () => 1e-3);
    oracle.losses.forEach((loss, step) => {
      const tolerance = Math.max(1e-5 * loss, 3 * oracle.lossesFloat32[step]!);
      assert.ok(
        Math.abs(found.losses[step]! - loss) <= tolerance,
        `loss ${step}: ${found.losses[step]}, not ${loss}`,
      );
    });
  });

  test("trains as well as PyTorch in float32, within 3x of its error per tensor", async (executor) => {
    const oracle = readOracle<TrainingOracle>(`${id}.real.json`);
    const found = await train(id, oracle, executor);
    compare("gradient", found.gradients, oracle.gradients, (record) => Math.max(1e-5, 3 * record.float32));
    compare("statistic", found.statistics, oracle.statistics, (record) => Math.max(1e-6, 3 * record.float32));
    compare("change", found.changes, oracle.changes, (record) => Math.max(1e-5, 3 * record.float32));
    oracle.losses.forEach((loss, step) => {
      const tolerance = Math.max(1e-5 * loss, 3 * oracle.lossesFloat32[step]!);
      assert.ok(
        Math.abs(found.losses[step]! - loss) <= tolerance,
        `loss ${step}: ${found.losses[step]}, not ${loss}`,
      );
    });
  });

  Deno.test(`${id}: has PyTorch's number of operations and parameters`, () => {
    const counts = readOracle<Record<string, { classes: number; flops: number; parameters: number }[]>>(
      "complexity.json",
    );
    for (const { classes, flops, parameters } of counts[id]!) {
      const network = createNetwork(modelRecord(id), { numClasses: classes });
      assert.equal(countOperations(recordInference(network, preprocessing(224, 224), 1)), flops);
      const sizes = network.parameters.filter(isTrainable).map(({ shape }) =>
        shape.reduce((a, b) => a * b, 1)
      );
      assert.equal(sizes.reduce((a, b) => a + b, 0), parameters);
    }
  });
}

/** Records of changes as records of the parameters: the same distance, against the parameter's norm. */
function parametersOf(changes: Record<string, TensorRecord>): Record<string, TensorRecord> {
  return Object.fromEntries(
    Object.entries(changes).map(([name, record]) => [name, { ...record, norm: record.parameterNorm! }]),
  );
}

/**
 * Fails with all tensors whose relative distance is above the tolerance. A tensor whose norm all but vanishes (the
 * gradient of a bias before a batch norm) is judged against 1e-6 of the norm of all tensors together.
 */
function compare(
  what: string,
  found: Record<string, ArrayLike<number>>,
  records: Record<string, TensorRecord>,
  tolerance: (record: TensorRecord) => number,
): void {
  assert.deepEqual(Object.keys(found).sort(), Object.keys(records).sort());
  const whole = Math.sqrt(Object.values(records).reduce((sum, { norm }) => sum + norm ** 2, 0));
  const problems: string[] = [];
  for (const [name, record] of Object.entries(records)) {
    const off = distance(name, found[name]!, record);
    const allowed = tolerance(record) * record.norm + 1e-6 * whole;
    if (!(off <= allowed)) {
      problems.push(
        `${name}: ${(off / record.norm).toExponential(2)}, allowed ${
          (allowed / record.norm).toExponential(2)
        }` +
          ` (PyTorch in float32: ${record.float32})`,
      );
    }
  }
  assert.ok(problems.length === 0, `${problems.length} of each ${what} are off:\n  ${problems.join("\n  ")}`);
}

/** Three steps of the project's own training step; gradients and statistics of the first. All in PyTorch's layout. */
async function train(id: string, oracle: TrainingOracle, executor: ExecutorName) {
  const { batch, height, width, classes } = oracle.train;
  const { learningRate, momentum, weightDecay, steps } = oracle.sgd;
  const network = createNetwork(modelRecord(id), {
    numClasses: classes,
    activations: oracle.activations === "smooth" ? smooth : standardActivations,
  });
  const weights = generatedWeights(id, oracle.gain);
  const trainable = new Set(network.parameters.filter(isTrainable).map(({ name }) => name));
  const pick = (wanted: boolean) =>
    Object.fromEntries(Object.entries(weights).filter(([name]) => trainable.has(name) === wanted));
  const before = pick(true);
  const zeros = Object.fromEntries(
    Object.entries(before).map((
      [name, value],
    ) => [name, { ...value, data: new Float32Array(value.data.length) } as HostTensor]),
  );
  const graph = recordTrainStep({
    network,
    preprocessing: preprocessing(height, width),
    batchSize: batch,
    loss: {
      labelSmoothing: oracle.loss.labelSmoothing,
      ...(oracle.loss.classWeights ? { classWeights: classWeights(classes) } : {}),
    },
    optimizer: { momentum, weightDecay },
  });
  await using step = compile(graph, {
    executor,
    variables: {
      ...prefixed("parameters", before),
      ...prefixed("velocities", zeros),
      ...prefixed("statistics", pick(false)),
    },
  });
  const losses: number[] = [];
  let gradients: Record<string, ArrayLike<number>> = {}, statistics: Record<string, ArrayLike<number>> = {};
  const torch = (name: string, shape: readonly number[], data: Float32Array) =>
    fromTfjsLayout(name, { dtype: "float32", shape, data } as HostTensor).data as Float32Array;
  for (let index = 0; index < steps; index++) {
    const first = index * batch;
    const { loss } = await step.run({
      images: {
        dtype: "uint8",
        shape: [batch, height, width, 3],
        data: imageBytes(first, batch, height, width),
      },
      labels: { dtype: "int32", shape: [batch], data: labels(first, batch, classes) },
      learningRate: { dtype: "float32", shape: [], data: new Float32Array([learningRate]) },
    } as Record<string, HostTensor>);
    losses.push((loss!.data as Float32Array)[0]!);
    if (index > 0) continue;
    // The velocity after one step is the gradient plus the weight decay.
    gradients = Object.fromEntries(
      Object.entries(await step.read("velocities/")).map(([name, { shape, data }]) => {
        const value = before[name]!.data as Float32Array;
        return [name, torch(name, shape, (data as Float32Array).map((v, i) => v - weightDecay * value[i]!))];
      }),
    );
    statistics = Object.fromEntries(
      Object.entries(await step.read("statistics/")).map(([name, { data }]) => [name, data as Float32Array]),
    );
  }
  const changes = Object.fromEntries(
    Object.entries(await step.read("parameters/")).map(([name, { shape, data }]) => {
      const value = before[name]!.data as Float32Array;
      return [name, torch(name, shape, (data as Float32Array).map((v, i) => v - value[i]!))];
    }),
  );
  return { losses, gradients, statistics, changes };
}
