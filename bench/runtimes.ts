/**
 * Exported files in Whittle's runtimes beside the same files in the runtimes' own Python, on this machine:
 *
 *     deno run -A bench/runtimes.ts [--models ids] [--rounds 5] [--threads 2] [--modes latency,batch]
 *
 * `latency`: a picture at a time; `batch`: 32 at once; `throughput`: a picture at a time, several under way (OpenVINO
 * only); `pictures`: from the bytes of 32 pictures to logits, against Whittle's own executor. Each measurement is a
 * process of its own, and they take turns. A measurement is the twentieth part of its calls from below, which other
 * work on the machine disturbs least (of `throughput` and of the own executor, the mean and the median); of the rounds
 * the median is printed, and the ratio: below 1 Whittle's runtime is faster.
 *
 * @module
 */
import { join } from "node:path";
import { Command } from "npm:commander@15.1.0";
import { withInput } from "../lib/export/model_input.ts";
import { toONNX } from "../lib/export/onnx.ts";
import { toOpenVINO } from "../lib/export/openvino_ir.ts";
import { toExportGraph } from "../lib/export/to_export_graph.ts";
import type { ExportMetadata } from "../lib/export/export_metadata.ts";
import { loadModel } from "../lib/load_model.ts";
import { saveWeights } from "../lib/training/checkpoint.ts";
import { pythonEnvironment } from "../tests/interop/python_environment.ts";
import { interleave } from "./_interleave.ts";
import { modelIds } from "./training/options.ts";

const options = new Command("runtimes")
  .option("--models <ids>", "timm's ids, separated by commas", modelIds.join(","))
  .option("--modes <names>", "latency, batch, throughput, pictures", "latency,batch,throughput,pictures")
  .option("--formats <names>", "xml, onnx", "xml,onnx")
  .option("--rounds <n>", "measurements of each", "5")
  .option("--threads <n>", "threads of each", "2")
  .option("--seconds <s>", "least time of a measurement", "1")
  .parse(["deno", "runtimes", ...Deno.args]).opts<Record<string, string>>();
const { models, modes, formats, rounds, threads, seconds } = options as Record<string, string>;
const here = new URL(".", import.meta.url).pathname;
const packages = ["openvino==2026.4.1", "onnxruntime==1.30.0", "numpy"];
const python = await pythonEnvironment(packages, "bench-runtimes");

const folder = await Deno.makeTempDir();
try {
  const rows: string[][] = [];
  for (const id of models!.split(",")) {
    await writeFiles(id);
    for (const format of formats!.split(",")) {
      for (const mode of modes!.split(",")) {
        if (format === "onnx" && mode === "throughput") continue;
        const results = await interleave<"milliseconds">(
          contenders(id, format, mode),
          Number(rounds),
          `${id} .${format} ${mode}`,
        );
        const [ours, theirs] = Object.values(results) as [{ milliseconds: number }, { milliseconds: number }];
        rows.push([
          id,
          format === "xml" ? "OpenVINO" : "onnxruntime",
          mode,
          ...[ours, theirs].map(({ milliseconds }) => `${milliseconds.toFixed(3)} ms`),
          (ours.milliseconds / theirs.milliseconds).toFixed(3),
        ]);
      }
    }
  }
  console.log("| network | runtime | what | Whittle | Python (pictures: oneDNN executor) | ratio |");
  console.log("|---|---|---|---|---|---|");
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
} finally {
  await Deno.remove(folder, { recursive: true });
}

/** The network with random weights, as an `.xml`, an `.onnx` and a checkpoint. */
async function writeFiles(id: string): Promise<void> {
  const classNames = Array.from({ length: 100 }, (_, index) => `class ${index}`);
  const model = await loadModel(id, { weights: null, classNames });
  const { preprocessing } = model;
  const input = { channelOrder: "bgr", values: "raw" } as const;
  const metadata: ExportMetadata = {
    format: 1,
    model: model.id,
    classNames,
    preprocessing,
    input,
    precision: "fp32",
  };
  const graph = withInput(toExportGraph(model).graph, preprocessing, input);
  const settings = { precision: "fp32", dynamicBatch: true } as const;
  const { xml, bin } = toOpenVINO(graph, metadata, settings);
  await Deno.writeTextFile(join(folder, "model.xml"), xml);
  await Deno.writeFile(join(folder, "model.bin"), bin);
  await Deno.writeFile(join(folder, "model.onnx"), toONNX(graph, metadata, settings));
  const checkpoint = { format: 1, model: model.id, classNames, preprocessing } as const;
  await saveWeights(join(folder, "model.safetensors"), model.weights, checkpoint);
  await model.dispose();
}

function contenders(id: string, format: string, mode: string): Record<string, Deno.Command> {
  const file = join(folder, `model.${format}`);
  const program = (name: string, ...args: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", join(here, name), ...args],
      env: { OMP_NUM_THREADS: threads! },
      stderr: "null",
    });
  const args = [file, mode, threads!, seconds!];
  const ours = program("run_exported.ts", ...args);
  if (mode === "pictures") {
    const weights = join(folder, "model.safetensors"), logits = join(folder, `${id}.f32`);
    return { exported: ours, onednn: program("infer_whittle.ts", weights, "32", seconds!, "onednn", logits) };
  }
  const script = join(here, "peers", "runtimes_python.py");
  return { whittle: ours, python: new Deno.Command(python, { args: [script, ...args], stderr: "null" }) };
}
