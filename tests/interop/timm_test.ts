/** Weights go to Python and come from there, through the real timm, torchvision, torch and safetensors. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRng } from "../../lib/augment/rng.ts";
import type { Preprocessing } from "../../lib/data/preprocessing.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { loadModel } from "../../lib/load_model.ts";
import type { Model } from "../../lib/models/model.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { saveWeights } from "../../lib/training/checkpoint.ts";
import { trainSmall } from "../training/_killed_run.ts";
import { freshFolder } from "../training/_runs.ts";
import { pythonEnvironment } from "./python_environment.ts";

const folder = freshFolder();
await Deno.mkdir(folder);
const classes = 5, count = 2, side = 96;

/** A task of timm_models.py. */
interface Task {
  do: "run" | "save";
  library: "timm" | "torchvision";
  model: string;
  classes: number;
  weights?: string;
  path?: string;
  input: string;
  shape: number[];
}

interface Answers {
  answers: { logits: number[][] }[];
  lastMetadata: Record<string, string> | null;
}

async function askPython(tasks: Task[]): Promise<Answers> {
  const manifest = join(folder, "manifest.json");
  await Deno.writeTextFile(manifest, JSON.stringify(tasks));
  const { success, stdout, stderr } = await new Deno.Command(await pythonEnvironment(), {
    args: [fileURLToPath(new URL("timm_models.py", import.meta.url)), manifest],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Random RGB bytes `[count, size, size, 3]`. */
function pictures(size: number): Int32Array {
  const rng = createRng(11, "split", size);
  return Int32Array.from({ length: count * size * size * 3 }, () => rng.integer(0, 255));
}

/** The same pictures as PyTorch takes them, in a file: float32 `[count, 3, size, size]`, normalised. */
async function writeInput(name: string, size: number, { mean, std }: Preprocessing): Promise<string> {
  const bytes = pictures(size), area = size * size;
  const input = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const channel = i % 3, pixel = Math.floor(i / 3) % area, image = Math.floor(i / 3 / area);
    input[(image * 3 + channel) * area + pixel] = (bytes[i]! / 255 - mean[channel]!) / std[channel]!;
  }
  const path = join(folder, `${name}.f32`);
  await Deno.writeFile(path, new Uint8Array(input.buffer));
  return path;
}

/** Our logits of the pictures. */
async function logitsOf(model: Model, size: number): Promise<Float32Array[]> {
  const images = tf.tensor4d(pictures(size), [count, size, size, 3], "int32");
  const logits = await model.logits(images);
  images.dispose();
  await model.dispose();
  return logits;
}

/** Fails if logits differ by more than 1e-4 of their range. */
function assertSameLogits(found: Float32Array[], wanted: number[][], what: string): void {
  const all = wanted.flat();
  const range = Math.max(...all) - Math.min(...all);
  const worst = Math.max(
    ...all.map((value, i) => Math.abs(value - Array.from(found, (row) => [...row]).flat()[i]!)),
  );
  assert.ok(range > 1e-3, `${what}: logits that are all the same prove nothing`);
  assert.ok(worst <= 1e-4 * range, `${what}: logits are off by ${worst}, of a range of ${range}`);
}

/** Weights with batch norms away from the identity, as training leaves them. */
function randomise(weights: Readonly<Record<string, HostTensor>>): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(weights).map(([name, tensor], index) => {
      const rng = createRng(5, "weights", 1, index);
      const isVariance = name.endsWith("running_var");
      if (tensor.shape.length !== 1) return [name, tensor];
      const data = (tensor.data as Float32Array).map((value) =>
        isVariance ? rng.uniform(0.5, 1.5) : value + rng.uniform(-0.2, 0.2)
      );
      return [name, { ...tensor, data } as HostTensor];
    }),
  );
}

Deno.test("best.safetensors opens strictly in timm, with the same logits, for every architecture", async () => {
  const ids = [
    "mobilenetv3_small_100",
    "mobilenetv3_large_100",
    "mobilenetv3_large_075",
    "efficientnet_b0",
    "efficientnet_lite0",
    "tf_mobilenetv3_small_100",
    "tf_efficientnet_lite0",
  ];
  const tasks: Task[] = [];
  const found: Float32Array[][] = [];
  for (const id of ids) {
    const model = await loadModel(id, { weights: null, numClasses: classes, imageSize: side });
    const path = join(folder, `${id}.safetensors`);
    const { classNames, preprocessing } = model;
    await saveWeights(path, randomise(model.weights), {
      format: 1,
      model: model.id,
      classNames,
      preprocessing,
    });
    tasks.push({
      do: "run",
      library: "timm",
      model: id,
      classes,
      weights: path,
      input: await writeInput(id, side, preprocessing),
      shape: [count, 3, side, side],
    });
    found.push(await logitsOf(await loadModel(path), side));
  }
  // And one as a run leaves it.
  const run = await trainSmall({ outputDir: freshFolder(), logs: [] });
  tasks.push({
    do: "run",
    library: "timm",
    model: "mobilenetv3_small_100",
    classes: 3,
    weights: run.checkpoint,
    input: await writeInput("run", 32, run.model.preprocessing),
    shape: [count, 3, 32, 32],
  });
  found.push(await logitsOf(run.model, 32));

  const { answers, lastMetadata } = await askPython(tasks);
  answers.forEach(({ logits }, index) => assertSameLogits(found[index]!, logits, tasks[index]!.model));
  assert.equal(lastMetadata!["format"], "pt");
  const record = JSON.parse(lastMetadata!["whittle"]!);
  assert.equal(record.model, run.model.id);
  assert.deepEqual(record.classNames, run.model.classNames);
  assert.deepEqual(record.preprocessing, run.model.preprocessing);
  assert.deepEqual(record.recipe, run.recipe);
  assert.deepEqual(record.metrics, { ...run.best });
});

Deno.test("loadModel() opens what timm and torchvision save, with the same logits", async () => {
  const sources: [Task["library"], string, string, string][] = [
    ["timm", "mobilenetv3_small_100", "safetensors", "mobilenetv3_small_100"],
    ["timm", "tf_efficientnet_lite0", "pth", "tf_efficientnet_lite0"],
    ["torchvision", "mobilenet_v3_small", "pth", "mobilenetv3_small_100"],
    ["torchvision", "efficientnet_b0", "safetensors", "efficientnet_b0"],
  ];
  const tasks: Task[] = [];
  for (const [library, model, extension, id] of sources) {
    // Random weights are for the record's preprocessing, whichever it is: both sides get the same input.
    const tag = library === "torchvision" ? ".torchvision" : "";
    const { preprocessing } = await loadModel(`${id}${tag}`, { weights: null, numClasses: classes });
    tasks.push({
      do: "save",
      library,
      model,
      classes,
      path: join(folder, `${library}_${model}.${extension}`),
      input: await writeInput(`${library}_${model}`, side, preprocessing),
      shape: [count, 3, side, side],
    });
  }
  const { answers } = await askPython(tasks);
  for (const [index, [library, , , id]] of sources.entries()) {
    const weights = tasks[index]!.path!;
    const model = await loadModel(id, { weights, numClasses: classes, imageSize: side });
    assert.equal(model.id.endsWith(".torchvision"), library === "torchvision", model.id);
    assertSameLogits(await logitsOf(model, side), answers[index]!.logits, weights);
  }
});
