/**
 * What loading pictures costs a training step, on this machine:
 *
 *     deno run -A bench/loader.ts [model] [batch size] [steps]
 *
 * Runs the real training step with one batch that is already there, and with batches from the loader: from memory (the
 * usual case after the first epoch), from disk, and decoded (the first epoch). The runs are interleaved and repeated,
 * medians are printed. Overhead is the time that a step takes longer than with the batch that is already there. The
 * smallest network is the hardest case.
 */
import { join } from "node:path";
import process from "node:process";
import sharp from "npm:sharp@0.35.5";
import { baselineAugmentation } from "../lib/augment/augmentation.ts";
import { createPixelCache, type PixelCache } from "../lib/data/cache.ts";
import type { Dataset } from "../lib/data/dataset.ts";
import { type Batch, createLoader } from "../lib/data/loader.ts";
import { initialise } from "../lib/models/initialise.ts";
import { createNetwork, modelRecord } from "../lib/models/registry.ts";
import { startBackend } from "../lib/tensorflow/backend.ts";
import { compile } from "../lib/tensorflow/compile.ts";
import { isTrainable, recordTrainStep } from "../lib/training/train_step.ts";

const [modelId = "mobilenetv3_small_100", batchText = "32", stepsText = "12"] = Deno.args;
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
const engine = await startBackend({ device: "auto" });
const weights = initialise(network.parameters, 0);
const variables = Object.fromEntries(network.parameters.flatMap((spec) => {
  const value = weights[spec.name];
  if (!isTrainable(spec)) return [[`statistics/${spec.name}`, value]];
  const zeros = { ...value, data: new Float32Array(value.data.length) };
  return [[`parameters/${spec.name}`, value], [`velocities/${spec.name}`, zeros]];
}));
const trainStep = compile(
  recordTrainStep({
    network,
    preprocessing,
    batchSize,
    loss: {},
    optimizer: { momentum: 0.9, weightDecay: 5e-4 },
  }),
  { variables },
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
      augment: baselineAugmentation(),
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
    `${modelId}, batch ${batchSize}, ${height} x ${width}, ${steps} steps, TensorFlow ${engine.version}, ` +
      `${navigator.hardwareConcurrency} cores; load average ${Deno.loadavg()[0].toFixed(1)}\n`,
  );
  console.log(`${"".padEnd(28)}ms/step   img/s  overhead  CPU ms/step`);
  for (const name of Object.keys(measured)) {
    const time = median(milliseconds[name]);
    const overhead = name.includes("alone") ? "" : `${((time / base - 1) * 100).toFixed(1)} %`;
    console.log(
      name.padEnd(28) + time.toFixed(1).padStart(7) + (batchSize / time * 1000).toFixed(0).padStart(8) +
        overhead.padStart(10) + median(cpu[name]).toFixed(0).padStart(13),
    );
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
