/**
 * What loading pictures costs a training step, on this machine:
 *
 *     deno run -A bench/loader.ts [model] [batch size] [steps] [--executor auto|onednn|tensorflow]
 *
 * Runs the real training step with one batch that is already there, and the whole pipeline (decoding, augmentation,
 * training): with pictures from the cache in memory (the usual case after the first epoch), from the cache on disk, and
 * decoded (the first epoch). The runs are interleaved and repeated, medians are printed. Overhead is the time that a
 * step takes longer than with the batch that is already there; the last column is the speed that is left of the bare
 * step's. The smallest network is the hardest case.
 */
import { join } from "node:path";
import process from "node:process";
import { Command, Option } from "npm:commander@15.1.0";
import sharp from "npm:sharp@0.35.5";
import { augmentByKey } from "../lib/augment/augment_by_key.ts";
import { baselineSteps, createAugmentation } from "../lib/augment/augmentation_steps.ts";
import { createPixelCache, type PixelCache } from "../lib/data/cache.ts";
import type { Dataset } from "../lib/data/dataset.ts";
import { type Batch, createLoader } from "../lib/data/loader.ts";
import { initialise } from "../lib/models/initialise.ts";
import { createNetwork, modelRecord } from "../lib/models/registry.ts";
import {
  compileForExecutor,
  type ExecutorChoice,
  executorChoices,
  openExecutor,
} from "../lib/tensorflow/executor.ts";
import { initialState, recordTrainStep } from "../lib/training/train_step.ts";

const command = new Command("loader")
  .argument("[model]", "timm id", "mobilenetv3_small_100")
  .argument("[batch size]", "pictures a step", "32")
  .argument("[steps]", "steps of an epoch", "12")
  .addOption(new Option("--executor <name>", "what trains").choices(executorChoices).default("auto"))
  .parse(["deno", "loader", ...Deno.args]);
const [modelId, batchText, stepsText] = command.processedArgs as [string, string, string];
const { executor } = command.opts<{ executor: ExecutorChoice }>();
const batchSize = Number(batchText), steps = Number(stepsText), repetitions = 5;

/** Writes JPEG files of 500 x 375 pixels, as in common data sets: crops of one photograph, each with its own noise. */
async function writePictures(folder: string, count: number): Promise<Dataset> {
  const photo = await sharp(new URL("../tests/oracles/data/photo.png", import.meta.url).pathname)
    .resize(700, 525, { fit: "fill" }).raw().toBuffer();
  const samples = [];
  for (let i = 0; i < count; i++) {
    const noisy = photo.map((value, at) =>
      Math.max(0, Math.min(255, value + (at * (i + 3) * 2654435761 >>> 28) - 8))
    );
    const image = join(folder, `${i}.jpg`);
    await sharp(noisy, { raw: { width: 700, height: 525, channels: 3 } })
      .extract({ left: i * 7 % 200, top: i * 5 % 150, width: 500, height: 375 }).jpeg({ quality: 88 }).toFile(
        image,
      );
    samples.push({ image, label: i % 10, name: `${i}.jpg` });
  }
  return { name: "bench", classNames: Array.from({ length: 10 }, (_, i) => `${i}`), samples };
}

const record = modelRecord(modelId);
const { preprocessing } = record;
const { height, width } = preprocessing.size;
const network = createNetwork(record, { numClasses: 10 });
const { library } = await openExecutor({ executor });
const weights = initialise(network.parameters, 0);
const trainStep = await compileForExecutor(
  recordTrainStep({
    network,
    preprocessing,
    batchSize,
    loss: {},
    optimizer: { momentum: 0.9, weightDecay: 5e-4 },
  }),
  initialState(network, weights),
);
const take = (batch: Batch) =>
  trainStep.run({
    images: { dtype: "uint8", shape: [batchSize, height, width, 3], data: batch.images },
    labels: { dtype: "int32", shape: [batchSize], data: batch.labels },
    learningRate: { dtype: "float32", shape: [], data: new Float32Array([1e-4]) },
  });

const folder = await Deno.makeTempDir();
try {
  const dataset = await writePictures(folder, batchSize * steps);
  const disk = join(folder, "pixels");
  const loaderWith = (cache: PixelCache) =>
    createLoader(dataset, {
      preprocessing,
      batchSize,
      training: true,
      augment: augmentByKey(createAugmentation(baselineSteps)),
      cache,
    });
  const epoch = async (cache: PixelCache, number: number) => {
    for await (const batch of loaderWith(cache).epoch(number)) await take(batch);
  };
  const memory = createPixelCache({ diskBytes: 0 });
  const ready: Batch[] = [];
  for await (const batch of loaderWith(memory).epoch(0)) ready.push(batch);
  for await (const _ of loaderWith(createPixelCache({ folder: disk })).epoch(0));
  const measured: Record<string, (repetition: number) => Promise<void>> = {
    "batch already there": async () => {
      for (let i = 0; i < steps; i++) await take(ready[0]);
    },
    "loader, from memory": (repetition) => epoch(memory, repetition),
    "loader, from disk": (repetition) =>
      epoch(createPixelCache({ folder: disk, memoryBytes: 0 }), repetition),
    "loader, decoding": (repetition) => epoch(createPixelCache({ diskBytes: 0, memoryBytes: 0 }), repetition),
    "loader alone, from memory": async (repetition) => {
      for await (const _ of loaderWith(memory).epoch(repetition));
    },
  };
  const milliseconds: Record<string, number[]> = {}, cpu: Record<string, number[]> = {};
  for (let repetition = -1; repetition < repetitions; repetition++) { // -1 warms up
    for (const [name, run] of Object.entries(measured)) {
      const start = performance.now(), cpuBefore = process.cpuUsage();
      await run(repetition + 1);
      const { user, system } = process.cpuUsage(cpuBefore);
      if (repetition < 0) continue;
      (milliseconds[name] ??= []).push((performance.now() - start) / steps);
      (cpu[name] ??= []).push((user + system) / 1000 / steps);
    }
  }
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1];
  const base = median(milliseconds["batch already there"]);
  console.log(
    `${modelId}, batch ${batchSize}, ${height} x ${width}, ${steps} steps, ${library}, ` +
      `${navigator.hardwareConcurrency} cores; load average ${Deno.loadavg()[0].toFixed(1)}\n`,
  );
  console.log(`${"".padEnd(28)}ms/step   img/s  overhead  CPU ms/step  of the bare speed`);
  for (const name of Object.keys(measured)) {
    const time = median(milliseconds[name]);
    const trains = !name.includes("alone");
    const overhead = trains ? `${((time / base - 1) * 100).toFixed(1)} %` : "";
    const speedLeft = trains ? `${(base / time * 100).toFixed(1)} %` : "";
    console.log(
      name.padEnd(28) + time.toFixed(1).padStart(7) + (batchSize / time * 1000).toFixed(0).padStart(8) +
        overhead.padStart(10) + median(cpu[name]).toFixed(0).padStart(13) + speedLeft.padStart(19),
    );
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
