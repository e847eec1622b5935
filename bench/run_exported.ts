/**
 * An exported file in Whittle's runtimes, as a contestant of `bench/runtimes.ts`: prints figures as JSON.
 *
 * `deno run -A bench/run_exported.ts FILE latency|batch|throughput|pictures THREADS SECONDS`
 *
 * @module
 */
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
const rows = mode === "batch" || mode === "pictures" ? 32 : 1;
const shape = [rows, 3, size.height, size.width];
const data = Float32Array.from({ length: sizeOf(shape) }, (_, index) => index * index % 251);
const bytes = Uint8Array.from(data);
const inference = classifier.createInference(rows);
const one = mode === "pictures"
  ? () => inference.logits(bytes, rows)
  : () => model.run({ [model.inputs[0]!.name]: { dtype: "float32", shape, data } });

for (let warm = 0; warm < 3; warm++) await one();
const start = performance.now();
if (mode === "throughput") {
  let runs = 0;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (performance.now() - start < least) {
      await one();
      runs++;
    }
  }));
  console.log(JSON.stringify({ milliseconds: (performance.now() - start) / runs }));
} else {
  const milliseconds: number[] = [];
  while (milliseconds.length < 5 || performance.now() - start < least) {
    const began = performance.now();
    await one();
    milliseconds.push(performance.now() - began);
  }
  milliseconds.sort((a, b) => a - b);
  console.log(JSON.stringify({ milliseconds: milliseconds[Math.floor(milliseconds.length / 20)] }));
}
Deno.exit();
