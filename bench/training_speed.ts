/**
 * Training and evaluation speed, first step and peak memory of Whittle beside timm on PyTorch (eager, channels last), on
 * this machine: one process a measurement, interleaved, so that the machine's moods hit all alike; medians are compared.
 *
 * `deno run -A bench/training_speed.ts [--models a,b] [--batch 32] [--size 224] [--rounds 5] [--steps 4]`
 *
 * Writes `bench/results/training_speed.json` and prints the table of `docs/performance.md`.
 *
 * @module
 */
import { Command } from "npm:commander@15.1.0";
import { interleave } from "./_interleave.ts";
import { pythonEnvironment } from "../tests/interop/python_environment.ts";

const command = new Command("training_speed")
  .option(
    "--models <ids>",
    "timm ids",
    "mobilenetv3_small_100,mobilenetv3_large_075,mobilenetv3_large_100,efficientnet_b0,efficientnet_lite0",
  )
  .option("--batch <n>", "pictures a step", "32")
  .option("--size <pixels>", "side of the pictures", "224")
  .option("--rounds <n>", "measurements of each", "5")
  .option("--steps <n>", "steps of a measurement", "4")
  .option("--python <path>", "a Python with torch and timm; made in the cache if left out")
  .parse(["deno", "training_speed", ...Deno.args]);
const { models, batch, size, rounds, steps, python: given } = command.opts<Record<string, string>>();
const python = given ?? await pythonEnvironment();

/** What one process measured. */
interface Measurement {
  imagesPerSecond: number;
  firstStepSeconds: number;
  peakMemoryBytes: number;
  evaluationImagesPerSecond: number;
}

const here = new URL(".", import.meta.url).pathname;
/** glibc settings that keep PyTorch from returning memory to the system between steps. */
const tunedMalloc = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: "-1",
  MALLOC_TOP_PAD_: "268435456",
};
const results: Record<string, Record<string, Measurement>> = {};
for (const model of models!.split(",")) {
  const peer: Deno.CommandOptions = {
    args: [`${here}peers/train_timm.py`, model, batch!, size!, steps!],
    stderr: "null",
  };
  const contenders = {
    "Whittle": new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `${here}train_whittle.ts`, model, batch!, size!, steps!],
      stderr: "null",
    }),
    "PyTorch": new Deno.Command(python, peer),
    "PyTorch, tuned malloc": new Deno.Command(python, { ...peer, env: tunedMalloc }),
  };
  results[model] = await interleave<keyof Measurement>(contenders, Number(rounds), model);
}

const setting = `batch ${batch}, ${size} px, 100 classes, ${rounds} interleaved rounds of ${steps} steps, ` +
  `${navigator.hardwareConcurrency} threads`;
await Deno.mkdir(`${here}results`, { recursive: true });
await Deno.writeTextFile(
  `${here}results/training_speed.json`,
  JSON.stringify({ setting, results }, null, 2) + "\n",
);
const table = toTable(results);
console.log(`${setting}\n\n${table}`);

function toTable(results: Record<string, Record<string, Measurement>>): string {
  const rows = [
    "| model | | training img/s | Whittle is | evaluation img/s | Whittle is | first step | peak memory |",
    "|---|---|---|---|---|---|---|---|",
  ];
  for (const [model, row] of Object.entries(results)) {
    const own = row["Whittle"]!;
    for (const [name, value] of Object.entries(row)) {
      const ratio = (key: "imagesPerSecond" | "evaluationImagesPerSecond") =>
        name === "Whittle" ? "" : `${(own[key] / value[key]).toFixed(2)}x`;
      rows.push(
        `| ${name === "Whittle" ? model : ""} | ${name} | ${value.imagesPerSecond.toFixed(1)} | ${
          ratio("imagesPerSecond")
        } | ` +
          `${value.evaluationImagesPerSecond.toFixed(0)} | ${ratio("evaluationImagesPerSecond")} | ${
            value.firstStepSeconds.toFixed(1)
          } s | ` +
          `${(value.peakMemoryBytes / 1e9).toFixed(2)} GB |`,
      );
    }
  }
  return rows.join("\n");
}
