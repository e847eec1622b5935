/**
 * An exported file in Whittle's runtimes, as a contestant of `bench/runtimes.ts`: says when it is ready, then measures for
 * every line it is given, and answers with milliseconds.
 *
 * `deno run -A bench/run_exported.ts FILE latency|batch|throughput THREADS SECONDS`
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { sizeOf } from "../lib/graph/host_tensor.ts";
import { openExportedClassifier } from "../lib/runtimes/exported_classifier.ts";

const [file, mode, threadsText, secondsText] = Deno.args as [string, string, string, string];
const threads = Number(threadsText), least = Number(secondsText) * 1000;
/** Runs under way at the same time, of one picture each. */
const IN_FLIGHT = 4;

const classifier = await openExportedClassifier(file, {
  threads,
  performance: mode === "throughput" ? "throughput" : "latency",
});
const { model, description: { preprocessing: { size } } } = classifier;
const rows = mode === "batch" ? 32 : 1;
const shape = [rows, 3, size.height, size.width];
const data = Float32Array.from({ length: sizeOf(shape) }, (_, index) => index * index % 251);
const one = () => model.run({ [model.inputs[0]!.name]: { dtype: "float32", shape, data } });

for (let warm = 0; warm < 3; warm++) await one();
console.log("ready");
for await (const _ of createInterface({ input: process.stdin })) {
  console.log(mode === "throughput" ? await severalAtOnce() : await oneByOne());
}
Deno.exit();

/** Median time of a call. */
async function oneByOne(): Promise<number> {
  const milliseconds: number[] = [];
  for (const start = performance.now(); milliseconds.length < 1 || performance.now() - start < least;) {
    const began = performance.now();
    await one();
    milliseconds.push(performance.now() - began);
  }
  return milliseconds.sort((a, b) => a - b)[milliseconds.length >> 1]!;
}

/** Time by the number of calls. */
async function severalAtOnce(): Promise<number> {
  const start = performance.now();
  let runs = 0;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (performance.now() - start < least) {
      await one();
      runs++;
    }
  }));
  return (performance.now() - start) / runs;
}
