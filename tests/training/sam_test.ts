/** Sharpness-aware minimisation and parameter groups, against steps put together by hand of plain ones. */
import assert from "node:assert/strict";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { initialise } from "../../lib/models/initialise.ts";
import { isTrainable } from "../../lib/models/layers.ts";
import { createNetwork, modelRecord } from "../../lib/models/registry.ts";
import { compile } from "../../lib/tensorflow/compile.ts";
import { startBackend } from "../../lib/tensorflow/backend.ts";
import { settingsOf } from "../../lib/training/sgd.ts";
import { initialState, recordTrainStep, type TrainStepOptions } from "../../lib/training/train_step.ts";

await startBackend();

const record = modelRecord("mobilenetv3_small_100");
const network = createNetwork(record, { numClasses: 4 });
const preprocessing = { ...record.preprocessing, size: { height: 32, width: 32 } };
const batchSize = 4, learningRate = 0.05;
const weights = initialise(network.parameters, 3);
const inputs: Record<string, HostTensor> = {
  images: {
    dtype: "uint8",
    shape: [batchSize, 32, 32, 3],
    data: Uint8Array.from({ length: batchSize * 32 * 32 * 3 }, (_, i) => i * i * 7 % 251),
  },
  labels: { dtype: "int32", shape: [batchSize], data: Int32Array.of(0, 1, 2, 3) },
  learningRate: { dtype: "float32", shape: [], data: Float32Array.of(learningRate) },
};

type Values = Record<string, Float32Array>;

/** One step from some weights: all variables after it, and the loss. */
async function step(
  parameters: Readonly<Record<string, HostTensor>>,
  options: Pick<TrainStepOptions, "optimizer" | "sam">,
): Promise<Values> {
  const graph = recordTrainStep({ network, preprocessing, batchSize, loss: {}, ...options });
  await using compiled = compile(graph, {
    executor: "tensorflow",
    variables: initialState(network, parameters),
  });
  const outputs = await compiled.run(inputs);
  return Object.fromEntries(
    Object.entries({ ...outputs, ...await compiled.read() }).map(([name, { data }]) => [
      name,
      data as Float32Array,
    ]),
  );
}

const plain = { optimizer: { momentum: 0.9, weightDecay: 0 } };
const trained = network.parameters.filter(isTrainable);

/** Fails if values are further apart than rounding, relative to the largest, or to `atLeast` if that is more. */
function assertClose(
  found: Float32Array,
  wanted: ArrayLike<number>,
  name: string,
  tolerance = 1e-5,
  atLeast = 1e-8,
) {
  let largest = atLeast, off = 0;
  for (let index = 0; index < wanted.length; index++) {
    largest = Math.max(largest, Math.abs(wanted[index]!));
    off = Math.max(off, Math.abs(wanted[index]! - found[index]!));
  }
  assert.ok(off / largest <= tolerance, `${name} is ${off / largest} apart`);
}

Deno.test("a step with SAM descends by the gradient where the weights were moved to", async () => {
  const rho = 0.05, weightDecay = 1e-3;
  // Without decay and momentum before, the velocity is the gradient.
  const here = await step(weights, plain);
  const gradient = (name: string, of: Values) => of[`velocities/${name}`]!;
  const norm = Math.sqrt(
    trained.reduce((sum, { name }) => sum + gradient(name, here).reduce((all, x) => all + x * x, 0), 0),
  );
  const moved: Record<string, HostTensor> = { ...weights };
  for (const { name } of trained) {
    const before = weights[name]!, along = gradient(name, here);
    const data = (before.data as Float32Array).map((value, index) => value + rho * along[index]! / norm);
    moved[name] = { ...before, data };
  }
  const there = await step(moved, plain);
  const sam = await step(weights, { optimizer: { momentum: 0.9, weightDecay }, sam: { rho } });

  const change = (of: Values) =>
    Math.sqrt(
      trained.reduce((sum, { name }) =>
        sum + gradient(name, of).reduce((all, x, i) => all + (x - gradient(name, here)[i]!) ** 2, 0), 0),
    ) / norm;
  assert.ok(change(there) > 0.01, "the gradient there is another one");
  for (const { name } of trained) {
    const value = weights[name]!.data as Float32Array;
    const velocity = gradient(name, there).map((x, index) => x + weightDecay * value[index]!);
    assertClose(sam[`velocities/${name}`]!, velocity, name, 2e-3, norm / 1e4); // some all but vanish
    assertClose(
      sam[`parameters/${name}`]!,
      value.map((x, index) => x - learningRate * sam[`velocities/${name}`]![index]!),
      name,
    );
  }
  // Loss, hits and statistics are those of the weights as they were.
  assertClose(sam["loss"]!, here["loss"]!, "loss");
  assert.deepEqual(sam["correct"], here["correct"]);
  for (const name of Object.keys(here).filter((name) => name.startsWith("statistics/"))) {
    assertClose(sam[name]!, here[name]!, name);
  }
});

Deno.test("noBiasDecay lets only weights decay, and doubles the rate of biases", async () => {
  const weightDecay = 0.01;
  // A network whose biases are not all 0, so that decay would be seen.
  const shifted = Object.fromEntries(
    Object.entries(weights).map(([name, value]) => [name, {
      ...value,
      data: (value.data as Float32Array).map((x, index) => x + 0.01 * (index % 3)),
    }]),
  );
  const gradients = await step(shifted, plain);
  const found = await step(shifted, { optimizer: { momentum: 0.9, weightDecay, noBiasDecay: true } });
  const kinds = new Set<string>();
  for (const { name, kind } of trained) {
    kinds.add(kind);
    const value = shifted[name]!.data as Float32Array, gradient = gradients[`velocities/${name}`]!;
    const decays = ["convolution", "depthwise-convolution", "linear"].includes(kind);
    const factor = kind === "bias" || kind === "offset" ? 2 : 1;
    const velocity = gradient.map((x, index) => x + (decays ? weightDecay * value[index]! : 0));
    assertClose(found[`velocities/${name}`]!, velocity, name, 1e-4, 1e-4);
    assertClose(
      found[`parameters/${name}`]!,
      value.map((x, index) => x - factor * learningRate * found[`velocities/${name}`]![index]!),
      name,
    );
  }
  assert.deepEqual([...kinds].sort(), [
    "bias",
    "convolution",
    "depthwise-convolution",
    "linear",
    "offset",
    "scale",
  ]);
});

Deno.test("a step with EMA averages parameters and statistics, beside the others", async () => {
  const decay = 0.9;
  const graph = recordTrainStep({ network, preprocessing, batchSize, loss: {}, ...plain, ema: { decay } });
  await using compiled = compile(graph, {
    executor: "tensorflow",
    variables: initialState(network, weights, { ema: { decay } }),
  });
  const wanted = Object.fromEntries(
    Object.entries(weights).map(([name, { data }]) => [name, Float64Array.from(data as Float32Array)]),
  );
  for (let count = 0; count < 3; count++) {
    await compiled.run(inputs);
    const now = { ...await compiled.read("parameters/"), ...await compiled.read("statistics/") };
    for (const [name, average] of Object.entries(wanted)) {
      const value = now[name]!.data as Float32Array;
      average.forEach((x, index) => average[index] = decay * x + (1 - decay) * value[index]!);
    }
  }
  const found = await compiled.read("average/");
  assert.deepEqual(Object.keys(found).sort(), Object.keys(weights).sort());
  for (const [name, average] of Object.entries(wanted)) {
    assertClose(found[name]!.data as Float32Array, average, name);
  }
});

Deno.test("settingsOf() treats all parameters alike unless it is told otherwise", () => {
  for (const kind of ["convolution", "bias", "scale", "offset"] as const) {
    assert.deepEqual(settingsOf(kind, { momentum: 0.9, weightDecay: 0.1 }), {
      momentum: 0.9,
      weightDecay: 0.1,
    });
  }
});
