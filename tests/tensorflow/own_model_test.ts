/** What `whittle/tensorflow` promises to people with a model and a loss of their own. */
import assert from "node:assert/strict";
import { compile, type HostTensor, record, tf } from "whittle/tensorflow";
import { lib, runProcess } from "./_process.ts";

const noise = (shape: number[], scale: number, phase: number): HostTensor => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, i) => scale * Math.sin(phase + i * 12.9898),
  ),
});
const toTensor = ({ data, shape }: HostTensor) => tf.tensor(data as Float32Array, [...shape]);

type Parameters = Record<"w1" | "b1" | "w2" | "b2", tf.Tensor>;
const initial = {
  w1: noise([2, 16], 0.9, 1),
  b1: noise([16], 0.1, 2),
  w2: noise([16, 2], 0.5, 3),
  b2: noise([2], 0.1, 4),
};

/** A small network. */
function forward({ w1, b1, w2, b2 }: Parameters, x: tf.Tensor): tf.Tensor2D {
  const hidden = tf.tanh(tf.add(tf.matMul(x as tf.Tensor2D, w1 as tf.Tensor2D), b1));
  return tf.add(tf.matMul(hidden as tf.Tensor2D, w2 as tf.Tensor2D), b2);
}

/** Focal loss with a penalty on the weights: neither is in tfjs. */
function loss(parameters: Parameters, x: tf.Tensor, labels: tf.Tensor): tf.Scalar {
  const logProbabilities = tf.logSoftmax(forward(parameters, x));
  const target = tf.sum(tf.mul(tf.oneHot(labels as tf.Tensor1D, 2), logProbabilities), -1);
  const focal = tf.neg(tf.mean(tf.mul(tf.square(tf.sub(1, tf.exp(target))), target)));
  return tf.add(focal, tf.mul(tf.mean(tf.square(parameters.w1)), 1e-3));
}

/** One step of Nesterov momentum: new parameters and velocities. */
function trainStep({ parameters, velocities, x, labels }: {
  parameters: Parameters;
  velocities: Parameters;
  x: tf.Tensor;
  labels: tf.Tensor;
}) {
  const names = Object.keys(parameters) as (keyof Parameters)[];
  const { value, grads } = tf.valueAndGrads((...values: tf.Tensor[]) =>
    loss(Object.fromEntries(names.map((name, i) => [name, values[i]])) as Parameters, x, labels)
  )(names.map((name) => parameters[name]));
  const newVelocities = names.map((name, i) => tf.add(tf.mul(velocities[name], 0.9), grads[i]!));
  const newParameters = names.map((name, i) =>
    tf.sub(parameters[name], tf.mul(tf.add(grads[i]!, tf.mul(newVelocities[i]!, 0.9)), 0.5))
  );
  const named = (values: tf.Tensor[]) =>
    Object.fromEntries(names.map((name, i) => [name, values[i]!])) as Parameters;
  return { loss: value, parameters: named(newParameters), velocities: named(newVelocities) };
}

/** Points on two rings; which one is their label. */
const count = 64;
const labels: HostTensor = {
  dtype: "int32",
  shape: [count],
  data: Int32Array.from({ length: count }, (_, i) => i % 2),
};
const x: HostTensor = {
  dtype: "float32",
  shape: [count, 2],
  data: Float32Array.from({ length: 2 * count }, (_, i) => {
    const angle = 0.7 * (i >> 1), radius = 0.5 + ((i >> 1) % 2);
    return radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  }),
};
const zeros = Object.fromEntries(
  Object.entries(initial).map(([name, { shape }]) => [name, noise([...shape], 0, 0)]),
) as typeof initial;
const variables = Object.fromEntries([
  ...Object.entries(initial).map(([name, value]) => [`parameters/${name}`, value]),
  ...Object.entries(zeros).map(([name, value]) => [`velocities/${name}`, value]),
]);

Deno.test("record() and compile() train a model and a loss of one's own as tfjs does op by op", async () => {
  const steps = 60;
  // Op by op.
  const eagerLosses: number[] = [];
  let state = tf.tidy(() => ({
    parameters: Object.fromEntries(Object.entries(initial).map(([n, v]) => [n, toTensor(v)])) as Parameters,
    velocities: Object.fromEntries(Object.entries(zeros).map(([n, v]) => [n, toTensor(v)])) as Parameters,
  }));
  for (let i = 0; i < steps; i++) {
    const { loss, ...next } = tf.tidy(() =>
      trainStep({ ...state, x: toTensor(x), labels: tf.tensor1d(labels.data as Int32Array, "int32") })
    );
    eagerLosses.push(loss.dataSync()[0]!);
    tf.dispose([loss, state]);
    state = next;
  }
  // One call.
  const graph = record(trainStep, { parameters: initial, velocities: zeros, x, labels });
  await using step = compile(graph, { variables });
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) losses.push((await step.run({ x, labels })).loss!.data[0] as number);

  losses.forEach((loss, i) => assert.ok(Math.abs(loss - eagerLosses[i]!) < 1e-6, `step ${i}`));
  const trained = await step.read("parameters/");
  for (const [name, tensor] of Object.entries(state.parameters)) {
    const eager = tensor.dataSync();
    trained[name]!.data.forEach((value, i) => assert.ok(Math.abs(Number(value) - eager[i]!) < 1e-5, name));
  }
  tf.dispose(state);
  assert.equal(tf.memory().numTensors, 0);

  // It learns: in the end every point is on its ring.
  for (let i = 0; i < 400; i++) await step.run({ x, labels });
  await using predict = compile(
    record(({ parameters, x }) => ({ label: tf.argMax(forward(parameters, x), 1) }), {
      parameters: initial,
      x,
    }),
  );
  const inputs = Object.fromEntries(
    Object.entries(trained).map(([name, value]) => [`parameters/${name}`, value]),
  );
  assert.deepEqual((await predict.run({ ...inputs, x })).label!.data, labels.data);
});

Deno.test("compile() of a real training step gives the same bits each time and in another process", async () => {
  const code = `
    import { createNetwork, modelRecord } from "${lib}models/registry.ts";
    import { initialise } from "${lib}models/initialise.ts";
    import { initialState, recordTrainStep } from "${lib}training/train_step.ts";
    import { compile } from "${lib}tensorflow/mod.ts";

    const record = modelRecord("mobilenetv3_small_100");
    const network = createNetwork(record, { numClasses: 5 });
    const graph = recordTrainStep({
      network,
      preprocessing: { ...record.preprocessing, size: { height: 32, width: 32 } },
      batchSize: 2,
      loss: {},
      optimizer: { momentum: 0.9, weightDecay: 5e-4 },
    });
    const pixels = Uint8Array.from({ length: 2 * 32 * 32 * 3 }, (_, i) => (i * 2654435761) >>> 24);
    const inputs = {
      images: { dtype: "uint8", shape: [2, 32, 32, 3], data: pixels },
      labels: { dtype: "int32", shape: [2], data: new Int32Array([0, 4]) },
      learningRate: { dtype: "float32", shape: [], data: new Float32Array([0.01]) },
    };
    for (let repetition = 0; repetition < 2; repetition++) {
      const step = compile(graph, { variables: initialState(network, initialise(network.parameters, 0)) });
      let loss;
      for (let i = 0; i < 6; i++) loss = (await step.run(inputs)).loss.data[0];
      const state = Object.values(await step.read()).map(({ data }) => new Uint8Array(data.buffer));
      const bytes = new Uint8Array(await new Blob(state).arrayBuffer());
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
      console.log(bytes.length, hash, Number.isFinite(loss));
      await step.dispose();
    }
  `;
  const [first, second] = [await runProcess(code), await runProcess(code)];
  const [a, b] = first.split("\n");
  assert.match(a!, /^1\d{7} [0-9a-f]{64} true$/);
  assert.equal(b, a);
  assert.equal(second, first);
});
