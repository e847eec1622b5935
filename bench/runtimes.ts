/**
 * Exported files in Whittle's runtimes beside the same files in the runtimes' own Python, on this machine:
 *
 *     deno run -A bench/runtimes.ts [--models ids] [--rounds 40] [--threads 2] [--modes latency,batch]
 *
 * `latency`: a picture at a time; `batch`: 32 at once; `throughput`: a picture at a time, several under way (OpenVINO
 * only). Both programs stay and measure in turns; what is printed is the median of the turns, and of the ratios of
 * neighbouring turns the median and the quartiles: below 1 Whittle's runtime is faster.
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
import { pythonEnvironment } from "../tests/interop/python_environment.ts";
import { takeTurns, type TurnTaker } from "./_take_turns.ts";
import { modelIds } from "./training/options.ts";

const options = new Command("runtimes")
  .option("--models <ids>", "timm's ids, separated by commas", modelIds.join(","))
  .option("--modes <names>", "latency, batch, throughput", "latency,batch,throughput")
  .option("--formats <names>", "xml, onnx", "xml,onnx")
  .option("--rounds <n>", "turns of each", "40")
  .option("--threads <n>", "threads of each", "2")
  .option("--seconds <s>", "least time of a turn", "0.25")
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
        const { whittle, python } = await takeTurns(contenders(format, mode), Number(rounds));
        const ratios = whittle.map((milliseconds, turn) => milliseconds / python[turn]!);
        const row = [
          id,
          format === "xml" ? "OpenVINO" : "onnxruntime",
          mode,
          `${part(whittle, 0.5).toFixed(2)} ms`,
          `${part(python, 0.5).toFixed(2)} ms`,
          part(ratios, 0.5).toFixed(2),
          `${part(ratios, 0.25).toFixed(2)} to ${part(ratios, 0.75).toFixed(2)}`,
        ];
        console.error(row.join(" "));
        rows.push(row);
      }
    }
  }
  console.log("| network | runtime | what | Whittle | Python | ratio | quartiles |");
  console.log("|---|---|---|---|---|---|---|");
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
} finally {
  await Deno.remove(folder, { recursive: true });
}

/** The network with random weights, as an `.xml` and an `.onnx`. */
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
  await model.dispose();
}

function contenders(format: string, mode: string): Record<"whittle" | "python", TurnTaker> {
  const args = [join(folder, `model.${format}`), mode, threads!, seconds!];
  const program = (name: string) => join(here, name);
  return {
    whittle: {
      path: Deno.execPath(),
      args: ["run", "-A", "--no-check", program("run_exported.ts"), ...args],
    },
    python: { path: python, args: [program("peers/runtimes_python.py"), ...args] },
  };
}

/** A quantile. */
function part(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.round(share * (values.length - 1))]!;
}
