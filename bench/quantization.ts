/**
 * Int8 beside NNCF's: networks trained on small parts of Fashion-MNIST and of the emoji set are quantised here (after
 * training, and with fine-tuning) and by NNCF, which gets the same fp32 file and the same calibration pictures. All
 * files are then run by Python's OpenVINO, in turns: top-1 on test pictures that nothing was chosen by, time, size.
 *
 *     deno run -A bench/quantization.ts [--cases lite0-fashion,b0-emoji] [--calibration 128] [--no-fine-tune]
 *
 * Trained networks and the files made of them are kept in the cache folder; `--measure` only runs those files again,
 * for times on a machine that does nothing else. Writes bench/results/quantization/<case>.json and prints a table.
 *
 * @module
 */
import { join } from "node:path";
import { Command } from "npm:commander@15.1.0";
import type { Dataset, DatasetSplits } from "../lib/data/dataset.ts";
import { createLoader } from "../lib/data/loader.ts";
import type { Preprocessing } from "../lib/data/preprocessing.ts";
import { exportIR } from "../lib/export_ir.ts";
import { writeFile } from "../lib/files/write_file.ts";
import { fineTune } from "../lib/fine_tune.ts";
import { loadModel } from "../lib/load_model.ts";
import { modelRecord } from "../lib/models/registry.ts";
import { cacheFolder } from "../lib/provision/cache.ts";
import { quantize } from "../lib/quantize.ts";
import { planarImages } from "../lib/runtimes/planar_images.ts";
import { baselineRecipe, type Recipe } from "../lib/training/recipe.ts";
import { pythonEnvironment } from "../tests/interop/python_environment.ts";
import { openData } from "./ablation/data.ts";
import { chosenRate, readResults, resultsFolder } from "./ablation/results.ts";
import { type DataName, dataNames, type NetworkName, networks, recipeOf, sizes } from "./ablation/runs.ts";
import { describeRun } from "./training/results.ts";

/** What Python says of a file. */
interface Measured {
  readonly top1: number;
  readonly bytes: number;
  readonly milliseconds: number;
  readonly kernels: Readonly<Record<string, number>>;
}

/**
 * Networks beside the ablation's, trained from random weights with the baseline recipe of their family: what seemed
 * enough for their curves to settle.
 */
const others = {
  large: { id: "mobilenetv3_large_100", epochs: 30, learningRate: 0.1 },
  large_075: { id: "mobilenetv3_large_075", epochs: 30, learningRate: 0.1 },
  b0: { id: "efficientnet_b0", epochs: 30, learningRate: 0.1 },
} as const;
const networkNames = ["lite0", "small", "large", "large_075", "b0"] as const;
const caseNames = networkNames.flatMap((network) => dataNames.map((data) => `${network}-${data}`));

const options = new Command("quantization")
  .option("--cases <names>", "network-data", caseNames.join(","))
  .option("--calibration <n>", "calibration pictures", Number, 128)
  .option("--max-drop <share>", "what is promised", Number, 0.01)
  .option("--ranges <method>", "auto, mse, percentile or meanMinMax", "auto")
  .option("--suffix <text>", "of the result's name", "")
  .option("--no-fine-tune", "post-training only")
  .option("--measure", "run the files of an earlier call again")
  .parse(["deno", "quantization", ...Deno.args]).opts<Options>();
interface Options {
  readonly cases: string;
  readonly calibration: number;
  readonly maxDrop: number;
  readonly ranges: "auto";
  readonly suffix: string;
  readonly fineTune: boolean;
  readonly measure?: boolean;
}
const python = await pythonEnvironment(["nncf==3.4.0", "openvino==2026.4.1", "numpy"], "bench-nncf");
const rows: string[] = [];
for (const name of options.cases.split(",")) {
  if (!caseNames.includes(name)) {
    throw new RangeError(`Cannot measure "${name}"\n  help: the cases are ${caseNames.join(", ")}`);
  }
  if (!options.measure) await makeFiles(name);
  rows.push(...await measureFiles(name));
}
console.log(
  "| case | file | top-1 | time of a picture | size | int8 layers |\n| --- | --- | ---: | ---: | ---: | ---: |",
);
console.log(rows.join("\n"));
Deno.exit(); // the threads that compute would keep the process

/** Makes a case's files but NNCF's, and writes what there is to say of how they were made. */
async function makeFiles(name: string): Promise<void> {
  const [network, dataName] = name.split("-") as [typeof networkNames[number], DataName];
  const data = await openData(dataName);
  const model = await loadModel(await trained(name, network, dataName, data));
  const calibration = { ...data.train, samples: data.train.samples.slice(0, options.calibration) };
  const folder = filesOf(name);
  await Deno.remove(folder, { recursive: true }).catch(() => {}); // of an earlier call
  await Deno.mkdir(folder, { recursive: true });
  const files = { channelOrder: "rgb", pictures: data.validation.samples.map(({ image }) => image) } as const;
  await exportIR(model, folder, { ...files, name: "fp32" });
  const { maxDrop, ranges } = options;
  const ours: Record<string, unknown> = {};
  for (const fineTune of options.fineTune ? [false, true] : [false]) {
    const result = await quantize(model, data, {
      fineTune,
      maxDrop,
      ranges,
      calibration,
      outputDir: join(folder, fineTune ? "tuned_run" : "post_run"),
      onEvent: (event) => {
        if (event.type === "epoch") {
          console.error(`${name}: epoch ${event.epoch + 1}, ${event.validationTop1}`);
        }
      },
      logs: [],
    });
    const file = fineTune ? "fine_tuned" : "post_training";
    await exportIR(result, folder, { ...files, name: file });
    const { drop, steps, history, durationSeconds, postTrainingTop1, ranges: chosen, isAdapted } = result;
    const floatLayers = steps.at(-1)!.floatLayers;
    const epochs = history.length;
    ours[file] = {
      drop,
      ranges: chosen,
      isAdapted,
      floatLayers,
      tries: steps.length,
      epochs,
      postTrainingTop1,
      durationSeconds,
    };
    await result.model.dispose();
  }
  await writePictures(join(folder, "calibration.u8"), calibration, model.preprocessing);
  await writePictures(join(folder, "test.u8"), data.test, model.preprocessing);
  const labels = Int32Array.from(data.test.samples, ({ label }) => label);
  await Deno.writeFile(join(folder, "labels.i32"), new Uint8Array(labels.buffer));
  const { height, width } = model.preprocessing.size;
  await model.dispose();
  await writeResult(name, {
    ...await describeRun(["deno run -A bench/quantization.ts", ...Deno.args].join(" ")),
    case: name,
    calibration: calibration.samples.length,
    validation: data.validation.samples.length,
    test: data.test.samples.length,
    size: [height, width],
    maxDrop,
    ranges,
    ours,
  });
}

/** Runs a case's files in Python's OpenVINO, NNCF's among them, which is made first. */
async function measureFiles(name: string): Promise<string[]> {
  const folder = filesOf(name);
  const result = JSON.parse(await Deno.readTextFile(resultPath(name)));
  const [height, width] = result.size;
  const measured = await runPython(folder, height, width);
  const { command, date } = await describeRun(["deno run -A bench/quantization.ts", ...Deno.args].join(" "));
  await writeResult(name, { ...result, measured, measuredBy: { command, date } });
  return Object.entries(measured).map(([file, { top1, milliseconds, bytes, kernels }]) =>
    `| ${name} | ${file} | ${(100 * top1).toFixed(1)} % | ${milliseconds.toFixed(2)} ms | ` +
    `${(bytes / 1e6).toFixed(2)} MB | ${kernels["I8"] ?? 0} |`
  );
}

function filesOf(name: string): string {
  return join(cacheFolder(), "quantization_bench", name, `files${options.suffix}`);
}

function resultPath(name: string): string {
  return new URL(`results/quantization/${name}${options.suffix}.json`, import.meta.url).pathname;
}

async function writeResult(name: string, result: unknown): Promise<void> {
  await writeFile(resultPath(name), JSON.stringify(result, null, 2) + "\n");
}

/** Path of the network trained on the data with the baseline recipe. */
async function trained(
  name: string,
  network: typeof networkNames[number],
  dataName: DataName,
  data: DatasetSplits,
): Promise<string> {
  const outputDir = join(cacheFolder(), "quantization_bench", name);
  const path = join(outputDir, "best.safetensors");
  const done = join(outputDir, "done");
  if (await Deno.stat(done).then(() => true, () => false)) return path;
  const { id, weights, recipe } = await whatToTrain(network, dataName);
  const { best, model } = await fineTune(id, data, {
    recipe,
    weights,
    imageSize: sizes.imageSize,
    seed: 0,
    outputDir,
    logs: [],
    onEvent: () => {},
  });
  await Deno.writeTextFile(done, `${best?.validationTop1}\n`);
  await model.dispose();
  return path;
}

async function whatToTrain(
  network: typeof networkNames[number],
  data: DataName,
): Promise<{ id: string; weights: null | undefined; recipe: Omit<Recipe, "name"> }> {
  if (network in networks) {
    const { id, weights } = networks[network as NetworkName];
    const run = { network: network as NetworkName, data, configuration: "baseline", seed: 0 };
    const { name: _, ...recipe } = recipeOf(run, chosenRate(await readResults(resultsFolder), run));
    return { id, weights, recipe };
  }
  const { id, ...choices } = others[network as keyof typeof others];
  const { name: _, ...recipe } = baselineRecipe(modelRecord(id), { ...choices, batchSize: 16 });
  return { id, weights: null, recipe };
}

/** Planar RGB bytes of pictures as the network sees them. */
async function writePictures(path: string, pictures: Dataset, preprocessing: Preprocessing): Promise<void> {
  const { height, width } = preprocessing.size, picture = height * width * 3;
  const toPlanes = planarImages(preprocessing, { channelOrder: "rgb", values: "raw" });
  const loader = createLoader(pictures, { preprocessing, batchSize: 32, training: false });
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  for await (const { images, count } of loader.epoch(0)) {
    const planes = new Float32Array(count * picture);
    toPlanes(images.subarray(0, count * picture), planes);
    await file.write(Uint8Array.from(planes));
  }
}

async function runPython(folder: string, height: number, width: number): Promise<Record<string, Measured>> {
  const script = new URL("peers/quantize_nncf.py", import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(python, {
    args: [script, folder, String(height), String(width), ...(options.measure ? ["--skip-nncf"] : [])],
  }).output();
  const text = new TextDecoder().decode(stdout).trim().split("\n").at(-1)!;
  if (!success) throw new Error(`Cannot run NNCF: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(text);
}
