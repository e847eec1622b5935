/**
 * Measures one training step in a process of its own, for `bench/techniques.ts`.
 *
 * `deno run -A bench/technique_step.ts MODEL BATCH SIZE SECONDS TECHNIQUE onednn|tensorflow`
 *
 * @module
 */
import { openExecutor } from "../lib/tensorflow/executor.ts";
import { compileStep, createBenchmarkStep } from "./training/step.ts";
import type { techniques } from "./training/techniques.ts";

const [id, batch, size, seconds, technique, executor] = Deno.args as [
  string,
  string,
  string,
  string,
  string,
  string,
];
await openExecutor({ executor: executor as "onednn" | "tensorflow", device: "cpu" });
const benchmark = createBenchmarkStep(id, Number(batch), Number(size), technique as keyof typeof techniques);
const step = await compileStep(benchmark);
for (let count = 0; count < 3; count++) await step.run(benchmark.inputs); // warms up
const times: number[] = [];
const until = performance.now() + Number(seconds) * 1000;
while (performance.now() < until || times.length < 5) {
  const started = performance.now();
  await step.run(benchmark.inputs);
  times.push(performance.now() - started);
}
const milliseconds = times.sort((a, b) => a - b)[times.length >> 1]!;
const status = Deno.readTextFileSync("/proc/self/status");
const megabytes = Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1000;
console.log(JSON.stringify({ milliseconds, megabytes }));
Deno.exit(); // the threads that compute would keep the process
