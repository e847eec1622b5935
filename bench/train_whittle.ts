/**
 * Whittle as a contestant of `bench/training_speed.ts`: takes a first step, prints its versions as JSON, and then
 * measures for each line `STEPS SECONDS` of standard input, with as many threads as the environment allows.
 *
 * `deno run -A bench/train_whittle.ts MODEL BATCH SIZE onednn|onednn-bf16|tensorflow`
 *
 * @module
 */
import type { HostTensor } from "../lib/graph/host_tensor.ts";
import { createInference, type Inference } from "../lib/models/inference.ts";
import { initialise } from "../lib/models/initialise.ts";
import { createNetwork, modelRecord } from "../lib/models/registry.ts";
import { compileForExecutor, openExecutor } from "../lib/tensorflow/executor.ts";
import { initialState, recordTrainStep } from "../lib/training/train_step.ts";
import type { Measurement } from "./training/contestant_process.ts";
import { linesOf } from "./training/lines.ts";

const [id, batchText, sizeText, chosen] = Deno.args;
const batchSize = Number(batchText), size = Number(sizeText);
const executor = chosen === "tensorflow" ? "tensorflow" : "onednn";
const precision = chosen === "onednn-bf16" ? "bf16" : "float32";
const { library } = await openExecutor({ executor, precision, device: "cpu" });

const record = modelRecord(id!);
const network = createNetwork(record, { numClasses: 100 });
const preprocessing = { ...record.preprocessing, size: { height: size, width: size } };
const weights = initialise(network.parameters, 0);
const trainStep = await compileForExecutor(
  recordTrainStep({
    network,
    preprocessing,
    batchSize,
    loss: {},
    optimizer: { momentum: 0.9, weightDecay: 5e-4 },
  }),
  initialState(network, weights),
  precision,
);
const noise = crypto.getRandomValues(new Uint8Array(65536));
const pixels = Uint8Array.from({ length: batchSize * size * size * 3 }, (_, i) => noise[i % 65536]!);
const inputs: Record<string, HostTensor> = {
  images: { dtype: "uint8", shape: [batchSize, size, size, 3], data: pixels },
  labels: {
    dtype: "int32",
    shape: [batchSize],
    data: Int32Array.from({ length: batchSize }, (_, i) => i % 100),
  },
  learningRate: { dtype: "float32", shape: [], data: new Float32Array([0.01]) },
};

await trainStep.run(inputs);
console.log(JSON.stringify({ versions: { deno: Deno.version.deno, library } }));

let inference: Inference | undefined; // later, so that peak memory is training's
for await (const line of linesOf(Deno.stdin.readable)) {
  const [steps, seconds] = line.split(" ").map(Number);
  const trainingSeconds = await repeat(() => trainStep.run(inputs), steps!, seconds!);
  const status = Deno.readTextFileSync("/proc/self/status");
  const peakMemoryBytes = Number(/^VmHWM:\s+(\d+)/m.exec(status)![1]) * 1024;
  inference ??= await createInference(network, weights, preprocessing, batchSize);
  const { logits } = inference;
  const evaluationSeconds = await repeat(() => logits(pixels, batchSize), steps!, seconds! / 2);
  const measurement: Measurement = { trainingSeconds, evaluationSeconds, peakMemoryBytes };
  console.log(JSON.stringify(measurement));
}
Deno.exit(); // the threads that compute would keep the process

/** Seconds of each of at least `steps` calls, and of as many as `least` seconds take, after one that is not counted. */
async function repeat(call: () => Promise<unknown>, steps: number, least: number): Promise<number[]> {
  await call();
  const seconds: number[] = [];
  for (const start = performance.now(); seconds.length < steps || performance.now() - start < least * 1000;) {
    const began = performance.now();
    await call();
    seconds.push((performance.now() - began) / 1000);
  }
  return seconds;
}
