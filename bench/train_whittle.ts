/**
 * One measurement of Whittle, for `bench/training_speed.ts`: prints one line of JSON.
 *
 * `deno run -A bench/train_whittle.ts MODEL BATCH SIZE STEPS`
 *
 * @module
 */
import { createInference } from "../lib/models/inference.ts";
import { initialise } from "../lib/models/initialise.ts";
import { createNetwork, modelRecord } from "../lib/models/registry.ts";
import { startBackend } from "../lib/tensorflow/backend.ts";
import { compile } from "../lib/tensorflow/compile.ts";
import { initialState, recordTrainStep } from "../lib/training/train_step.ts";

const started = 0; // performance.now() counts from the start of the process
const [id = "mobilenetv3_small_100", batchText = "32", sizeText = "224", stepsText = "5"] = Deno.args;
const batch = Number(batchText), size = Number(sizeText), steps = Number(stepsText);

await startBackend();
const record = modelRecord(id);
const network = createNetwork(record, { numClasses: 100 });
const preprocessing = { ...record.preprocessing, size: { height: size, width: size } };
const graph = recordTrainStep({
  network,
  preprocessing,
  batchSize: batch,
  loss: {},
  optimizer: { momentum: 0.9, weightDecay: 5e-4 },
});
const weights = initialise(network.parameters, 0);
const compiled = compile(graph, { variables: initialState(network, weights) });
const images = crypto.getRandomValues(new Uint8Array(65536));
const pixels = Uint8Array.from({ length: batch * size * size * 3 }, (_, i) => images[i % 65536]!);
const inputs = {
  images: { dtype: "uint8", shape: [batch, size, size, 3], data: pixels },
  labels: { dtype: "int32", shape: [batch], data: Int32Array.from({ length: batch }, (_, i) => i % 100) },
  learningRate: { dtype: "float32", shape: [], data: new Float32Array([0.01]) },
} as const;

await compiled.run(inputs);
const firstStepSeconds = (performance.now() - started) / 1000;
await compiled.run(inputs);
const seconds: number[] = [];
for (let i = 0; i < steps; i++) {
  const began = performance.now();
  await compiled.run(inputs);
  seconds.push((performance.now() - began) / 1000);
}
const status = Deno.readTextFileSync("/proc/self/status");
const peakMemoryBytes = Number(/^VmHWM:\s+(\d+)/m.exec(status)![1]) * 1024;
await compiled.dispose();

const inference = createInference(network, weights, preprocessing, batch);
await inference.logits(pixels, batch);
const began = performance.now();
for (let i = 0; i < steps; i++) await inference.logits(pixels, batch);
const evaluationImagesPerSecond = steps * batch / ((performance.now() - began) / 1000);

console.log(JSON.stringify({
  imagesPerSecond: batch / seconds.sort((a, b) => a - b)[steps >> 1]!,
  firstStepSeconds,
  peakMemoryBytes,
  evaluationImagesPerSecond,
}));
