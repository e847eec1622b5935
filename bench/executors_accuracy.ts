/**
 * Whether it matters for accuracy what computes: the same runs with TensorFlow, with oneDNN and, where the processor has
 * AMX, with oneDNN in bf16, each with several seeds. Fine-tunes on part of Fashion-MNIST's training pictures and tests
 * on its official 10,000.
 *
 *     deno run -A bench/executors_accuracy.ts [--seeds 0,1,2] [--epochs 3] [--pictures 6000] [--resume]
 *
 * Writes `bench/results/executors_accuracy.json` after each run and prints a table; `--resume` keeps the runs that are
 * in the file.
 *
 * @module
 */
import { join } from "node:path";
import { Command } from "npm:commander@15.1.0";
import { fashionMNIST } from "../lib/data/datasets/fashion_mnist.ts";
import { writeFile } from "../lib/files/write_file.ts";
import type { Precision } from "../lib/graph/compiled_function.ts";
import { evaluate, fineTune, split } from "../mod.ts";
import { canCompute } from "./training/contestants.ts";

/** One run. */
interface Run {
  readonly executor: "onednn" | "tensorflow";
  readonly precision: Precision;
  readonly seed: number;
  readonly library: string;
  readonly trainLoss: number;
  readonly validationTop1: number;
  readonly testTop1: number;
  readonly testLoss: number;
  readonly durationSeconds: number;
}

/** All runs of one kind. */
interface Results {
  readonly settings: Readonly<Record<string, string | number>>;
  readonly runs: readonly Run[];
}

const path = new URL("results/executors_accuracy.json", import.meta.url).pathname;
const { model, seeds, epochs, pictures, size, batchSize, learningRate, resume } = new Command("accuracy")
  .option("--model <id>", "the network, with its published weights", "tf_efficientnet_lite0")
  .option("--seeds <n>", "separated by commas", "0,1,2")
  .option("--epochs <n>", "epochs of each run", Number, 3)
  .option("--pictures <n>", "pictures to train on", Number, 6000)
  .option("--size <pixels>", "what the pictures are scaled to", Number, 64)
  .option("--batch-size <n>", "pictures a step", Number, 64)
  .option("--learning-rate <x>", "at the start", Number, 0.03)
  .option("--resume", "keep the runs of the file")
  .parse(["deno", "executors_accuracy", ...Deno.args]).opts<{
  model: string;
  seeds: string;
  epochs: number;
  pictures: number;
  size: number;
  batchSize: number;
  learningRate: number;
  resume?: boolean;
}>();
const settings = { model, epochs, pictures, size, batchSize, learningRate };
const contenders = ([
  { executor: "tensorflow", precision: "float32" },
  { executor: "onednn", precision: "float32" },
  { executor: "onednn", precision: "bf16" },
] as const).filter(({ precision }) => precision === "float32" || canCompute("onednn-bf16"));

const all = await fashionMNIST();
const share = pictures / all.train.samples.length;
let results: Results = { settings, runs: [] };
if (resume) {
  const before: Results = JSON.parse(await Deno.readTextFile(path));
  if (JSON.stringify(before.settings) !== JSON.stringify(settings)) {
    throw new Error(`Cannot go on with ${path}: it is of other settings, ${JSON.stringify(before.settings)}`);
  }
  results = before;
}
const folder = await Deno.makeTempDir();
try {
  for (const seed of seeds.split(",").map(Number)) {
    // The same pictures for all with a seed.
    const data = { ...all, train: split(all.train, { validation: share, seed }).validation };
    for (const { executor, precision } of contenders) {
      const known = results.runs.some((run) =>
        run.executor === executor && run.precision === precision && run.seed === seed
      );
      if (known) continue;
      const run = await fineTune(model, data, {
        epochs,
        imageSize: size,
        batchSize,
        learningRate,
        seed,
        executor,
        precision,
        outputDir: join(folder, `${executor}-${precision}-${seed}`),
        logs: [],
        view: false,
      });
      const { top1, loss } = await evaluate(run, data.test, { executor });
      const done: Run = {
        executor,
        precision,
        seed,
        library: run.environment.library,
        trainLoss: run.history.at(-1)!.trainLoss,
        validationTop1: run.best!.validationTop1,
        testTop1: top1,
        testLoss: loss,
        durationSeconds: run.durationSeconds,
      };
      console.error(JSON.stringify(done));
      results = { settings, runs: [...results.runs, done] };
      await writeFile(path, JSON.stringify(results, undefined, 2) + "\n");
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}

console.log(`| | ${seeds.split(",").map((seed) => `seed ${seed}`).join(" | ")} | mean | seconds a run |`);
console.log(`| --- | ${seeds.split(",").map(() => "---").join(" | ")} | --- | --- |`);
for (const { executor, precision } of contenders) {
  const runs = results.runs.filter((run) => run.executor === executor && run.precision === precision);
  const mean = (of: (run: Run) => number) => runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const cells = [
    `${runs[0]!.library}${precision === "bf16" ? ", bf16" : ""}`,
    ...runs.map(({ testTop1 }) => percent(testTop1)),
    percent(mean(({ testTop1 }) => testTop1)),
    mean(({ durationSeconds }) => durationSeconds).toFixed(0),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
