import assert from "node:assert/strict";
import { join } from "node:path";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { modelRecord } from "../../lib/models/registry.ts";
import { readSafetensors, writeSafetensors } from "../../lib/models/weights/safetensors.ts";
import {
  CheckpointError,
  hashData,
  loadResume,
  type ResumeCheckpoint,
  saveResume,
  saveWeights,
} from "../../lib/training/checkpoint.ts";
import { createEarlyStopping } from "../../lib/training/early_stopping.ts";
import { baselineRecipe } from "../../lib/training/recipe.ts";
import { failure, freshFolder } from "./_runs.ts";
import { shapeSplits } from "./_shapes.ts";

const record = modelRecord("mobilenetv3_small_100");
const tensor = (...values: number[]): HostTensor => ({
  dtype: "float32",
  shape: [values.length],
  data: new Float32Array(values),
});
const checkpoint: ResumeCheckpoint = {
  format: 1,
  model: record.id,
  classNames: ["cat", 'd\u00f6g "1"'],
  preprocessing: record.preprocessing,
  recipe: baselineRecipe(record),
  seed: 2 ** 53 - 1,
  dataHash: "00",
  environment: {
    library: "TensorFlow",
    device: "cpu",
    threads: 2,
    processor: "",
    platform: "",
    variables: "",
    deno: "",
  },
  state: {
    epoch: 1,
    step: 3,
    lossSum: 0.1 + 0.2,
    correct: 5,
    history: [],
    earlyStopping: createEarlyStopping(),
  },
  tensors: { "parameters/a": tensor(1, -0, 1e-45, 3e38), "velocities/a": tensor(4), "best/a": tensor(5) },
};

async function saved(change: Partial<ResumeCheckpoint> = {}): Promise<{ folder: string; path: string }> {
  const folder = freshFolder();
  await Deno.mkdir(folder, { recursive: true });
  const path = join(folder, "resume.safetensors");
  await saveResume(path, { ...checkpoint, ...change });
  return { folder, path };
}

Deno.test("loadResume() reads what saveResume() wrote, by file or folder", async () => {
  const { folder, path } = await saved();
  for (const source of [folder, path]) assert.deepEqual(await loadResume(source), checkpoint);
});

Deno.test("loadResume() refuses a file that is cut off or changed anywhere", async () => {
  const { path } = await saved();
  const whole = await Deno.readFile(path);
  const refusal = async (bytes: Uint8Array) => {
    await Deno.writeFile(path, bytes);
    const error = await failure(loadResume(path));
    assert.ok(error instanceof CheckpointError);
    const [first, ...rest] = error.message.split("\n");
    assert.ok(first!.startsWith(`Cannot resume from "${path}": `), first);
    assert.deepEqual(rest, ["  help: pass the folder of a run, or its resume.safetensors"]);
    return first!.slice(`Cannot resume from "${path}": `.length);
  };
  assert.equal(await refusal(whole.subarray(0, 0)), "the file has 0 bytes, at least 8 were wanted");
  assert.match(
    await refusal(whole.subarray(0, 100)),
    /^the file is cut off: the header claims \d+ bytes, found 92$/,
  );
  assert.match(
    await refusal(whole.subarray(0, whole.length - 4)),
    /^the file is cut off: the header describes 24 bytes of data, found 20$/,
  );
  for (let fromEnd = 1; fromEnd <= 24; fromEnd++) {
    const flipped = whole.slice();
    flipped[flipped.length - fromEnd]! ^= 1;
    assert.equal(
      await refusal(flipped),
      "the file is damaged: its tensors do not have the checksum they were saved with",
    );
  }
  const header = whole.slice();
  header[9] = 0;
  assert.match(await refusal(header), /^the header is not JSON: /);
});

Deno.test("loadResume() says what else can be wrong", async () => {
  const { folder, path } = await saved({ format: 2 as unknown as 1 });
  const message = async (source: string) => (await failure(loadResume(source))).message;
  assert.equal(
    await message(path),
    `Cannot resume from "${path}": the file has format 2, and this version reads format 1\n  help: update Whittle`,
  );
  const weights = join(folder, "best.safetensors");
  const { classNames, preprocessing } = checkpoint;
  await saveWeights(weights, { "bn1.weight": tensor(1) }, {
    format: 1,
    model: record.id,
    classNames,
    preprocessing,
  });
  assert.equal(
    await message(weights),
    `Cannot resume from "${weights}": it holds weights only, not the state of a run\n` +
      "  help: pass the run's resume.safetensors, or start a new run from these weights with { weights: ... }",
  );
  const empty = join(folder, "empty");
  await Deno.mkdir(empty);
  for (
    const [source, file] of [[empty, join(empty, "resume.safetensors")], ["no/where", "no/where"]] as const
  ) {
    assert.equal(
      await message(source),
      `Cannot resume from "${file}": there is no such file\n` +
        "  help: pass the folder of a run, or its resume.safetensors",
    );
  }
});

Deno.test("saveResume() leaves the old file where the new one cannot be written", async () => {
  const { folder, path } = await saved();
  const huge = { dtype: "float32", shape: [3], data: new Float32Array(2) } as HostTensor; // does not fit its shape
  await failure(saveResume(path, { ...checkpoint, seed: 1, tensors: { huge } }));
  assert.deepEqual(await loadResume(path), checkpoint);
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["resume.safetensors"]);
});

Deno.test("saveWeights() writes PyTorch's layout under timm's names, with a record of the model", async () => {
  const folder = freshFolder();
  await Deno.mkdir(folder, { recursive: true });
  const path = join(folder, "best.safetensors");
  const weight: HostTensor = { dtype: "float32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const { classNames, preprocessing } = checkpoint;
  await saveWeights(path, { "classifier.weight": weight }, {
    format: 1,
    model: record.id,
    classNames,
    preprocessing,
  });
  const { tensors, metadata } = await readSafetensors(path);
  assert.deepEqual(tensors["classifier.weight"], {
    dtype: "float32",
    shape: [3, 2],
    data: Float32Array.of(1, 4, 2, 5, 3, 6),
  });
  assert.equal(metadata["format"], "pt");
  assert.deepEqual(JSON.parse(metadata["whittle"]!), {
    format: 1,
    model: record.id,
    classNames,
    preprocessing,
  });
  await writeSafetensors(path, tensors); // a plain file replaces it: nothing of the record stays
  assert.deepEqual((await readSafetensors(path)).metadata, {});
});

Deno.test("hashData() changes with classes, order, names and labels", () => {
  const data = shapeSplits({ train: 2, validation: 1 });
  const [first, second, ...rest] = data.train.samples;
  const train = (samples: typeof data.train.samples) => ({ ...data, train: { ...data.train, samples } });
  const hashes = [
    data,
    { ...data, classNames: ["a", "b", "c"] },
    train([second!, first!, ...rest]),
    train([{ ...first!, name: "x" }, second!, ...rest]),
    train([{ ...first!, label: 2 }, second!, ...rest]),
    train([second!, ...rest]),
    { ...data, validation: data.train, train: data.validation },
  ].map(hashData);
  assert.equal(new Set(hashes).size, hashes.length);
  assert.equal(hashData(shapeSplits({ train: 2, validation: 1 })), hashes[0]);
});
