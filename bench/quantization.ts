/**
 * Int8 beside NNCF's: networks trained on small parts of Fashion-MNIST and of the emoji set are quantised here (after
 * training, and with fine-tuning) and by NNCF, which gets the same fp32 file and the same calibration pictures. All
 * files are then run by Python's OpenVINO, in turns: top-1 on test pictures that nothing was chosen by, time, size.
 *
 *     deno run -A bench/quantization.ts [--cases lite0-fashion,small-emoji] [--calibration 128] [--no-fine-tune]
 *
 * Trained networks are kept in the cache folder. Writes bench/results/quantization/<case>.json and prints a table.
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
import { cacheFolder } from "../lib/provision/cache.ts";
import { planarImages } from "../lib/runtimes/planar_images.ts";
import { quantize } from "../lib/quantize.ts";
import { pythonEnvironment } from "../tests/interop/python_environment.ts";
import { openData } from "./ablation/data.ts";
import { chosenRate, readResults, resultsFolder } from "./ablation/results.ts";
import { type DataName, type NetworkName, networks, recipeOf, sizes } from "./ablation/runs.ts";
import { describeRun } from "./training/results.ts";

/** What Python says of a file. */
interface Measured {
  readonly top1: number;
  readonly bytes: number;
  readonly milliseconds: number;
  readonly kernels: Readonly<Record<string, number>>;
}

const options = new Command("quantization")
  .option("--cases <names>", "network-data", "lite0-fashion,lite0-emoji,small-fashion,small-emoji")
  .option("--calibration <n>", "calibration pictures", Number, 128)
  .option("--max-drop <share>", "what is promised", Number, 0.01)
  .option("--ranges <method>", "mse, percentile or meanMinMax", "mse")
  .option("--suffix <text>", "of the result's name", "")
  .option("--no-fine-tune", "post-training only")
  .parse(["deno", "quantization", ...Deno.args]).opts<
  { cases: string; calibration: number; maxDrop: number; ranges: "mse"; suffix: string; fineTune: boolean }
>();
const python = await pythonEnvironment(["nncf==3.4.0", "openvino==2026.4.1", "numpy"], "bench-nncf");
const rows: string[] = [];
for (const name of options.cases.split(",")) {
  const [network, data] = name.split("-") as [NetworkName, DataName];
  rows.push(...await measureCase(name, network, await openData(data), data));
}
console.log(
  "| case | file | top-1 | time of a picture | size | int8 layers |\n| --- | --- | ---: | ---: | ---: | ---: |",
);
console.log(rows.join("\n"));
Deno.exit(); // the threads that compute would keep the process

async function measureCase(
  name: string,
  network: NetworkName,
  data: DatasetSplits & { test: Dataset },
  dataName: DataName,
): Promise<string[]> {
  const model = await loadModel(await trained(name, network, dataName, data));
  const calibration = { ...data.train, samples: data.train.samples.slice(0, options.calibration) };
  const { height, width } = model.preprocessing.size;
  const folder = await Deno.makeTempDir({ prefix: "whittle_quantization_" });
  try {
    const files = { channelOrder: "rgb" } as const;
    await exportIR(model, folder, { ...files, name: "fp32" });
    const { maxDrop, ranges } = options;
    const summary: Record<string, unknown> = {};
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
      const { drop, steps, history, durationSeconds, postTrainingTop1 } = result;
      const floatLayers = steps.at(-1)!.floatLayers;
      summary[file] = {
        drop,
        floatLayers,
        tries: steps.length,
        epochs: history.length,
        postTrainingTop1,
        durationSeconds,
      };
      await result.model.dispose();
    }
    await writePictures(join(folder, "calibration.u8"), calibration, model.preprocessing);
    await writePictures(join(folder, "test.u8"), data.test, model.preprocessing);
    const labels = Int32Array.from(data.test.samples, ({ label }) => label);
    await Deno.writeFile(join(folder, "labels.i32"), new Uint8Array(labels.buffer));
    const measured = await runPython(folder, height, width);
    const path = new URL(`results/quantization/${name}${options.suffix}.json`, import.meta.url).pathname;
    await writeFile(
      path,
      written({
        ...await describeRun(["deno run -A bench/quantization.ts", ...Deno.args].join(" ")),
        case: name,
        calibration: calibration.samples.length,
        validation: data.validation.samples.length,
        test: data.test.samples.length,
        size: [height, width],
        maxDrop,
        ranges,
        ours: summary,
        measured,
      }),
    );
    return Object.entries(measured).map(([file, { top1, milliseconds, bytes, kernels }]) =>
      `| ${name} | ${file} | ${(100 * top1).toFixed(1)} % | ${milliseconds.toFixed(2)} ms | ` +
      `${(bytes / 1e6).toFixed(2)} MB | ${kernels["I8"] ?? 0} |`
    );
  } finally {
    await model.dispose();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Path of the network trained on the data with the baseline recipe. */
async function trained(
  name: string,
  network: NetworkName,
  dataName: DataName,
  data: DatasetSplits,
): Promise<string> {
  const outputDir = join(cacheFolder(), "quantization_bench", name);
  const path = join(outputDir, "best.safetensors");
  const resume = join(outputDir, "done");
  if (await Deno.stat(resume).then(() => true, () => false)) return path;
  const { id, weights } = networks[network];
  const run = { network, data: dataName, configuration: "baseline", seed: 0 };
  const { name: _, ...recipe } = recipeOf(run, chosenRate(await readResults(resultsFolder), run));
  const { best, model } = await fineTune(id, data, {
    recipe,
    weights,
    imageSize: sizes.imageSize,
    seed: 0,
    outputDir,
    logs: [],
    onEvent: () => {},
  });
  await Deno.writeTextFile(resume, `${best?.validationTop1}\n`);
  await model.dispose();
  return path;
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
    args: [script, folder, String(height), String(width)],
  }).output();
  const text = new TextDecoder().decode(stdout).trim().split("\n").at(-1)!;
  if (!success) throw new Error(`Cannot run NNCF: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(text);
}

function written(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}
