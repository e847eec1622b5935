/**
 * A recipe in whole runs beside PyTorch: EfficientNet-Lite0 from ImageNet weights with the adaptive recipe of the
 * ablation, on its part of Fashion-MNIST, from the same first weights and on the same pictures.
 *
 *     deno run -A bench/recipe_beside_torch.ts [--configuration adaptive] [--learning-rate 0.1] [--seeds 0,1,2]
 *       [--python path] [--results path]
 *
 * Each run is a process of its own with one thread, ours and PyTorch's in turns. Order and augmentation of the pictures
 * are random in both, so weights differ; accuracies should not, beyond what seeds do. Writes the results after each run,
 * leaves out what is in them already, and prints the tables.
 *
 * @module
 */
import { join } from "node:path";
import { Command } from "npm:commander@15.1.0";
import { createLoader } from "../lib/data/loader.ts";
import { writeFile } from "../lib/files/write_file.ts";
import type { HostTensor } from "../lib/graph/host_tensor.ts";
import { openExecutor } from "../lib/tensorflow/executor.ts";
import { fromTfjsLayout } from "../lib/models/weights/layouts.ts";
import { writeSafetensors } from "../lib/models/weights/safetensors.ts";
import { startAnew } from "../lib/training/start.ts";
import { pythonEnvironment } from "../tests/interop/python_environment.ts";
import { openData } from "./ablation/data.ts";
import { type AblationRun, networks, recipeOf, settingsOf, sizes } from "./ablation/runs.ts";
import { besideTable, type Contestant, type TorchComparison } from "./beside_torch/comparison.ts";
import { describeRun } from "./training/results.ts";

const options = new Command("recipe_beside_torch")
  .option("--configuration <name>", "of the ablation's", "adaptive")
  .option("--learning-rate <rate>", "the full one", Number, 0.1)
  .option("--seeds <list>", "separated by commas", "0,1,2")
  .option("--python <path>", "a Python with torch and timm")
  .option("--results <path>", "the file", new URL("results/recipe_torch.json", import.meta.url).pathname)
  .parse(["deno", "recipe_beside_torch", ...Deno.args]).opts<
  { configuration: string; learningRate: number; seeds: string; python?: string; results: string }
>();
const { configuration, learningRate, results: path } = options;
const python = options.python ?? await pythonEnvironment();
const here = new URL(".", import.meta.url).pathname;
const network = "lite0", data = "fashion";
const settings = { ...settingsOf(network), configuration, learningRate };
const pictures = await openData(data);
await openExecutor({ executor: "onednn" });

let comparison: TorchComparison = await readComparison();
const folder = await Deno.makeTempDir({ prefix: "whittle_beside_torch_" });
try {
  for (const seed of options.seeds.split(",").map(Number)) {
    await prepare({ network, data, configuration, seed });
    for (const contestant of ["whittle", "torch"] as const) {
      if (comparison.runs.some((run) => run.seed === seed && run.contestant === contestant)) continue;
      const run = { contestant, seed, ...await measure(contestant) };
      comparison = { ...comparison, runs: [...comparison.runs, run] };
      await writeFile(path, written(comparison));
      console.error(
        `${contestant}, seed ${seed}: ${run.testTop1}, ${run.done.processorSeconds.toFixed(0)} s`,
      );
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
console.log(besideTable(comparison));
Deno.exit(); // the threads that compute would keep the process

/** What there is, if it was measured with the same settings. */
async function readComparison(): Promise<TorchComparison> {
  const machine = (await describeRun("")).machine;
  const command = ["deno run -A bench/recipe_beside_torch.ts", ...Deno.args].join(" ");
  const anew = { command, machine, settings, runs: [] };
  const text = await Deno.readTextFile(path).catch(() => undefined);
  if (text === undefined) return anew;
  const found: TorchComparison = JSON.parse(text);
  return JSON.stringify(found.settings) === JSON.stringify(settings) ? found : anew;
}

/** Writes what both begin with: the recipe, the first weights, the pictures. */
async function prepare(run: AblationRun): Promise<void> {
  const { seed } = run, { id } = networks[network];
  const { model, recipe } = await startAnew(id, pictures, {
    recipe: recipeOf(run, learningRate),
    seed,
    imageSize: sizes.imageSize,
  });
  const { preprocessing } = model;
  const job = { model: id, classes: pictures.classNames.length, preprocessing, recipe, seed };
  await writeFile(join(folder, "job.json"), JSON.stringify(job));
  await writeSafetensors(
    join(folder, "weights.safetensors"),
    Object.fromEntries(
      Object.entries(model.weights).map(([name, value]) => [name, fromTfjsLayout(name, value)]),
    ),
  );
  const tensors: Record<string, HostTensor> = {};
  for (const part of ["train", "validation", "test"] as const) {
    const set = pictures[part], count = set.samples.length, { height, width } = preprocessing.size;
    const loader = createLoader(set, { preprocessing, batchSize: count, training: false });
    for await (const { images, labels } of loader.epoch(0)) {
      tensors[`${part}/images`] = { dtype: "uint8", shape: [count, height, width, 3], data: images };
      tensors[`${part}/labels`] = { dtype: "int32", shape: [count], data: labels };
    }
  }
  await writeSafetensors(join(folder, "pictures.safetensors"), tensors);
  await model.dispose();
}

async function measure(
  contestant: Contestant,
): Promise<Omit<TorchComparison["runs"][number], "seed" | "contestant">> {
  const command = contestant === "torch"
    ? new Deno.Command(python, {
      args: [`${here}peers/ablation_torch.py`, folder],
      env: { OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1" },
      stderr: "inherit",
    })
    : new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `${here}beside_torch/train_whittle.ts`, data, folder],
      env: { OMP_NUM_THREADS: "1" },
      stderr: "inherit",
    });
  const { success, stdout } = await command.output();
  if (!success) throw new Error(`Cannot measure ${contestant}: its process failed`);
  return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
}

/** As JSON, with a line for each epoch. */
function written(results: TorchComparison): string {
  const text = JSON.stringify(results, null, 1);
  return text.replaceAll(/[[{][^[\]{}]*[}\]]/g, (part) => part.replaceAll(/\s+/g, " ")) + "\n";
}
