import assert from "node:assert/strict";
import type { Preprocessing } from "../../lib/data/preprocessing.ts";
import { sizeOf } from "../../lib/graph/host_tensor.ts";
import { batchNorm, convolution, isTrainable, pool, sequential } from "../../lib/models/layers.ts";
import type { Network } from "../../lib/models/network.ts";
import { compile, tf } from "../../lib/tensorflow/mod.ts";
import { initialState, recordTrainStep } from "../../lib/training/train_step.ts";
import { assertClose, generate } from "../operators/_check.ts";

const batchSize = 3, side = 5, classes = 4, channels = 6, epsilon = 1e-3;
const preprocessing: Preprocessing = {
  size: { height: side, width: side },
  interpolation: "bilinear",
  channelOrder: "rgb",
  mean: [0.5, 0.4, 0.3],
  std: [0.2, 0.25, 0.3],
};

/** A network of each kind of parameter: convolution, batch norm, bias. */
const body = sequential(
  convolution("conv", { inChannels: 3, outChannels: channels, kernel: 3 }),
  batchNorm("bn", channels, epsilon),
  pool(),
  convolution("head", { inChannels: channels, outChannels: classes, bias: true }),
);
const forward: Network["forward"] = (params, images, { training }) => {
  const statistics: Record<string, tf.Tensor> = {};
  const y = body.forward(images, { params, training, statistics });
  return { logits: tf.reshape(y, [-1, classes]), statistics };
};
const network: Network = {
  parameters: body.parameters,
  head: "linear",
  featureChannels: classes,
  forward,
  features(params, images, mode) {
    const { logits, statistics } = forward(params, images, mode);
    return { features: logits, statistics };
  },
  classify: (_, features) => features,
};
const weights = Object.fromEntries(
  network.parameters.map((
    { name, shape },
  ) => [name, generate(name, [...shape], 0.3, name.endsWith("var") ? 1 : 0)]),
);
const settings = { momentum: 0.8, weightDecay: 0.01, statisticsMomentum: 0.2, labelSmoothing: 0.1 };
const classWeights = [1, 2, 0.5, 0.5];
const images = Uint8Array.from({ length: batchSize * side * side * 3 }, (_, i) => (i * 7919) % 256);
const labels = Int32Array.of(1, 3, 0);

Deno.test("recordTrainStep() takes the steps that tfjs takes by hand", async () => {
  const graph = recordTrainStep({
    network,
    preprocessing,
    batchSize,
    loss: { labelSmoothing: settings.labelSmoothing, classWeights },
    optimizer: settings,
    statisticsMomentum: settings.statisticsMomentum,
  });
  await using step = compile(graph, { variables: initialState(network, weights) });
  const byHand = stepByHand();
  for (const learningRate of [0.5, 0.05, 0.005]) {
    const outputs = await step.run({
      images: { dtype: "uint8", shape: [batchSize, side, side, 3], data: images },
      labels: { dtype: "int32", shape: [batchSize], data: labels },
      learningRate: { dtype: "float32", shape: [], data: Float32Array.of(learningRate) },
    });
    const wanted = await byHand(learningRate);
    assertClose(outputs["loss"]!.data as Float32Array, [wanted.loss], 1e-5, "loss");
    assert.deepEqual([...outputs["correct"]!.data as Int32Array], [wanted.correct]);
    const found = { ...await step.read("parameters/"), ...await step.read("statistics/") };
    assert.deepEqual(Object.keys(found).sort(), Object.keys(wanted.values).sort());
    for (const [name, { data }] of Object.entries(found)) {
      assertClose(data as Float32Array, wanted.values[name]!, 1e-5, name);
    }
    for (const [name, { data }] of Object.entries(await step.read("velocities/"))) {
      assertClose(data as Float32Array, wanted.velocities[name]!, 1e-4, `velocity of ${name}`, 1e-3);
    }
  }
});

/** The same step from tfjs's own operators, op by op, and plain arithmetic. */
function stepByHand() {
  const values = Object.fromEntries(
    Object.entries(weights).map(([name, { data }]) => [name, Float64Array.from(data)]),
  );
  const trainable = network.parameters.filter(isTrainable);
  const velocities = Object.fromEntries(
    trainable.map(({ name, shape }) => [name, new Float64Array(sizeOf(shape))]),
  );
  return async (learningRate: number) => {
    let batchMean: tf.Tensor1D | undefined,
      batchVariance: tf.Tensor1D | undefined,
      logits: tf.Tensor2D | undefined;
    const input = tf.tidy(() =>
      tf.tensor4d(images, [batchSize, side, side, 3], "int32").toFloat().div(255)
        .sub(tf.tensor1d([...preprocessing.mean])).div(tf.tensor1d([...preprocessing.std]))
    );
    const lossOf = (...params: tf.Tensor[]) => {
      const [conv, scale, offset, head, bias] = params;
      const x = tf.conv2d(input as tf.Tensor4D, conv as tf.Tensor4D, 1, "same");
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      const count = batchSize * side * side;
      batchMean = tf.keep(mean as tf.Tensor1D);
      batchVariance = tf.keep(variance.mul(count / (count - 1)) as tf.Tensor1D); // PyTorch keeps the unbiased one
      const normal = x.sub(mean).div(tf.sqrt(variance.add(epsilon))).mul(scale!).add(offset!);
      const pooled = normal.mean([1, 2]) as tf.Tensor2D;
      logits = tf.keep(tf.matMul(pooled, tf.reshape(head!, [channels, classes])).add(bias!) as tf.Tensor2D);
      const { labelSmoothing: smoothing } = settings;
      const target = tf.oneHot(tf.tensor1d(labels, "int32"), classes).toFloat();
      const smooth = target.mul(1 - smoothing).add(smoothing / classes);
      const weightOf = tf.tensor1d(classWeights);
      const losses = smooth.mul(weightOf).mul(tf.logSoftmax(logits)).sum(-1).neg();
      return tf.div(losses.sum(), target.mul(weightOf).sum()) as tf.Scalar;
    };
    const names = ["conv.weight", "bn.weight", "bn.bias", "head.weight", "head.bias"];
    assert.deepEqual(trainable.map(({ name }) => name).sort(), [...names].sort());
    const shapes = new Map(network.parameters.map(({ name, shape }) => [name, [...shape]]));
    const params = names.map((name) => tf.tensor(Float32Array.from(values[name]!), shapes.get(name)));
    const { value, grads } = tf.valueAndGrads(lossOf)(params);
    for (const [index, name] of names.entries()) {
      const gradient = await grads[index]!.data();
      const parameter = values[name]!, velocity = velocities[name]!;
      for (let i = 0; i < parameter.length; i++) {
        velocity[i] = settings.momentum * velocity[i]! + gradient[i]! + settings.weightDecay * parameter[i]!;
        parameter[i]! -= learningRate * velocity[i]!;
      }
    }
    for (
      const [name, batch] of [["bn.running_mean", batchMean!], ["bn.running_var", batchVariance!]] as const
    ) {
      const new_ = await batch.data();
      values[name] = values[name]!.map((old, i) =>
        (1 - settings.statisticsMomentum) * old + settings.statisticsMomentum * new_[i]!
      );
    }
    const named = await logits!.argMax(-1).data();
    const loss = (await value.data())[0]!;
    tf.dispose([value, grads, params, batchMean!, batchVariance!, logits!, input]);
    return { loss, correct: labels.filter((label, i) => label === named[i]).length, values, velocities };
  };
}

Deno.test("recordTrainStep() needs no other input than batch, learning rate and state", () => {
  const { inputs, outputs } = recordTrainStep({
    network,
    preprocessing,
    batchSize,
    loss: {},
    optimizer: { momentum: 0.9, weightDecay: 0 },
  });
  const state = Object.keys(initialState(network, weights));
  const names = (list: readonly { name: string }[]) => list.map(({ name }) => name).sort();
  assert.deepEqual(names(outputs), ["correct", "loss", ...state].sort());
  // Running statistics of a step are not read by its batch norms, only carried on.
  assert.deepEqual(names(inputs), ["images", "labels", "learningRate", ...state].sort());
});
