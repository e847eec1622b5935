/**
 * Whittle as a contestant of `bench/training_speed.ts`: takes a first step, prints its versions as JSON, and then
 * measures for each line `STEPS SECONDS` of standard input, with as many threads as the environment allows.
 *
 * `deno run -A bench/train_whittle.ts MODEL BATCH SIZE onednn|onednn-bf16|tensorflow`
 *
 * @module
 */
import { createInference, type Inference } from "../lib/models/inference.ts";
import { openExecutor } from "../lib/tensorflow/executor.ts";
import type { Measurement } from "./training/contestant_process.ts";
import { linesOf } from "./training/lines.ts";
import { compileStep, createBenchmarkStep } from "./training/step.ts";

const [id, batchText, sizeText, chosen] = Deno.args;
const batchSize = Number(batchText), size = Number(sizeText);
const executor = chosen === "tensorflow" ? "tensorflow" : "onednn";
const precision = chosen === "onednn-bf16" ? "bf16" : "float32";
const { library } = await openExecutor({ executor, precision, device: "cpu" });

const step = createBenchmarkStep(id!, batchSize, size);
const { network, preprocessing, weights, inputs } = step;
const trainStep = await compileStep(step, precision);

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
  const evaluationSeconds = await repeat(
    () => logits(inputs["images"]!.data as Uint8Array, batchSize),
    steps!,
    seconds! / 2,
  );
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
