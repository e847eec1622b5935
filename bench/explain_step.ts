/**
 * Where the time of a training step goes with oneDNN: all loops, products and convolutions with their speeds, and sums by
 * kind.
 *
 * `deno run -A bench/explain_step.ts MODEL BATCH SIZE [float32|bf16]`
 *
 * @module
 */
import type { Precision } from "../lib/graph/compiled_function.ts";
import { explain } from "../lib/onednn/explain.ts";
import { openExecutor } from "../lib/tensorflow/executor.ts";
import { compileStep, createBenchmarkStep } from "./training/step.ts";

const [id = "mobilenetv3_large_100", batch = "32", size = "224", precision = "float32"] = Deno.args;
await openExecutor({ executor: "onednn" });
const benchmark = createBenchmarkStep(id, Number(batch), Number(size));
const step = await compileStep(benchmark, precision as Precision);
for (let count = 0; count < 3; count++) await step.run(benchmark.inputs); // warms up
const explanation = await explain(step);
console.log(`${explanation}\n`);

const kinds = new Map<string, number>();
for (const { routine, milliseconds } of explanation.items) {
  const kind = /^(loop|product|depthwise convolution, [a-z-]+|convolution|element-wise [a-z]+)/.exec(
    routine,
  )![1]!;
  kinds.set(kind, (kinds.get(kind) ?? 0) + milliseconds);
}
const total = [...kinds.values()].reduce((sum, milliseconds) => sum + milliseconds, 0);
console.log(`${id}, batch ${batch}, ${size} px, ${precision}: ${total.toFixed(0)} ms a step`);
for (const [kind, milliseconds] of [...kinds].sort((a, b) => b[1] - a[1])) {
  console.log(`${kind.padEnd(40)} ${(100 * milliseconds / total).toFixed(1).padStart(5)} %`);
}
Deno.exit(); // the threads that compute would keep the process
