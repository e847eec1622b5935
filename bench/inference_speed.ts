/**
 * Whittle's inference beside OpenVINO's, on the same weights and the same bytes, from uint8 pictures `[batch, height,
 * width, 3]` to logits, on this machine:
 *
 *     deno run -A bench/inference_speed.ts [--models ids] [--batches 1,32] [--rounds 3] [--threads 2]
 *
 * The weights are written by Whittle and read by timm, whose network OpenVINO converts; normalisation is part of the
 * graph in both. OpenVINO computes in float32, as Whittle does (on processors with bf16 it would use that by itself).
 * Every measurement is a process of its own, and they take turns; medians are printed, and how far the logits are
 * apart.
 *
 * @module
 */
import { join } from "node:path";
import { Command } from "npm:commander@15.1.0";
import { initialise } from "../lib/models/initialise.ts";
import { createNetwork, modelRecord } from "../lib/models/registry.ts";
import { saveWeights } from "../lib/training/checkpoint.ts";
import { pythonEnvironment, torchPackages } from "../tests/interop/python_environment.ts";
import { interleave } from "./_interleave.ts";
import { modelIds } from "./training/options.ts";

const options = new Command("inference_speed")
  .option("--models <ids>", "timm's ids, separated by commas", modelIds.join(","))
  .option("--batches <n>", "pictures a call, separated by commas", "1,32")
  .option("--size <pixels>", "side of the pictures", "224")
  .option("--rounds <n>", "measurements of each", "3")
  .option("--threads <n>", "threads of each", "2")
  .option("--seconds <s>", "least time of a measurement", "2")
  .option("--python <path>", "a Python with torch, timm and openvino; made in the cache if left out")
  .parse(["deno", "inference_speed", ...Deno.args]).opts<Record<string, string>>();
const { size, rounds, threads, seconds } = options as Record<string, string>;
const python = options["python"] ?? await pythonEnvironment([...torchPackages, "openvino==2026.4.1"]);
const here = new URL(".", import.meta.url).pathname;
const classes = 100;

const folder = await Deno.makeTempDir();
try {
  const rows: string[][] = [];
  for (const id of options["models"]!.split(",")) {
    const record = modelRecord(id);
    const preprocessing = {
      ...record.preprocessing,
      size: { height: Number(size), width: Number(size) },
    };
    const weights = join(folder, `${id}.safetensors`);
    const network = createNetwork(record, { numClasses: classes });
    await saveWeights(weights, initialise(network.parameters, 0), {
      format: 1,
      model: record.id,
      classNames: Array.from({ length: classes }, (_, index) => `class ${index}`),
      preprocessing,
    });
    for (const batch of options["batches"]!.split(",")) {
      const logits = (name: string) => join(folder, `${name}.f32`);
      const whittle = (executor: string) =>
        new Deno.Command(Deno.execPath(), {
          args: [
            "run",
            "-A",
            "--no-check",
            `${here}infer_whittle.ts`,
            weights,
            batch,
            seconds!,
            executor,
            logits(executor),
          ],
          env: { OMP_NUM_THREADS: threads!, TF_NUM_INTRAOP_THREADS: threads!, TF_CPP_MIN_LOG_LEVEL: "2" },
          stderr: "null",
        });
      const { mean, std } = preprocessing;
      const results = await interleave<"milliseconds">(
        {
          onednn: whittle("onednn"),
          tensorflow: whittle("tensorflow"),
          openvino: new Deno.Command(python, {
            args: [
              `${here}peers/infer_openvino.py`,
              id,
              weights,
              batch,
              size!,
              threads!,
              seconds!,
              JSON.stringify({ mean, std }),
              logits("openvino"),
            ],
            stderr: "null",
          }),
        },
        Number(rounds),
        `${id}, batch ${batch}`,
      );
      const speed = (name: string) => Number(batch) / results[name]!.milliseconds * 1000;
      const [own, openvino] = await Promise.all(
        ["onednn", "openvino"].map((name) => readLogits(logits(name))),
      );
      rows.push([
        id,
        batch,
        ...["onednn", "tensorflow", "openvino"].map((name) => speed(name).toFixed(speed(name) < 100 ? 1 : 0)),
        `${(speed("onednn") / speed("openvino")).toFixed(2)}x`,
        apart(own!, openvino!).toExponential(1),
      ]);
    }
  }
  const head = [
    "model",
    "batch",
    "oneDNN img/s",
    "TensorFlow img/s",
    "OpenVINO img/s",
    "oneDNN to OpenVINO",
    "logits apart, of their range",
  ];
  console.log(
    `\n${size} px, ${threads} threads, medians of ${rounds}; ${navigator.hardwareConcurrency} cores\n\n` +
      [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n"),
  );
} finally {
  await Deno.remove(folder, { recursive: true });
}

async function readLogits(path: string): Promise<Float32Array> {
  return new Float32Array((await Deno.readFile(path)).buffer);
}

/** The greatest difference, relative to the range of the first. */
function apart(wanted: Float32Array, found: Float32Array): number {
  const range = Math.max(...wanted) - Math.min(...wanted);
  return Math.max(...wanted.map((value, index) => Math.abs(value - found[index]!))) / range;
}
