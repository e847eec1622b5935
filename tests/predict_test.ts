import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "npm:sharp@0.35.5";
import { mirrored } from "../lib/augment/flip.ts";
import type { RawImage } from "../lib/data/dataset.ts";
import { DatasetError } from "../lib/data/dataset_error.ts";
import type { HostTensor } from "../lib/graph/host_tensor.ts";
import { loadModel } from "../lib/load_model.ts";
import { createModel, type LogitsOptions } from "../lib/models/model.ts";
import { modelRecord } from "../lib/models/registry.ts";
import { predict, type PredictOptions } from "../lib/predict.ts";
import { tf } from "../lib/tensorflow/mod.ts";
import { saveWeights } from "../lib/training/checkpoint.ts";
import { inFolder } from "./data/_pictures.ts";
import { exportSmall } from "./runtimes/_exported_files.ts";
import { failure, freshFolder } from "./training/_runs.ts";
import { shapeSplits } from "./training/_shapes.ts";

const classNames = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu"];
const model = await loadModel("mobilenetv3_small_100", { weights: null, classNames, imageSize: 32 });
const pictures = shapeSplits().validation.samples.slice(0, 4).map(({ image }) => image as RawImage);
const encoded = await Promise.all(
  pictures.map(async ({ data, width, height }) =>
    new Uint8Array(await sharp(data, { raw: { width, height, channels: 3 } }).png().toBuffer())
  ),
);

Deno.test("predict() ranks the classes of each picture, best first", async () => {
  const logits = await model.logits(pictures);
  const predictions = await predict(model, pictures, { topK: 7 });
  assert.equal(predictions.length, 4);
  for (const [index, ranking] of predictions.entries()) {
    const sum = ranking.reduce((sum, { probability }) => sum + probability, 0);
    assert.ok(Math.abs(sum - 1) < 1e-6);
    assert.deepEqual(ranking.map(({ label }) => label).sort(), classNames);
    const order = [...logits[index]!.keys()].sort((a, b) => logits[index]![b]! - logits[index]![a]!);
    assert.deepEqual(ranking.map(({ label }) => label), order.map((label) => classNames[label]));
  }
  assert.equal((await predict(model, pictures))[0]!.length, 5);
  assert.deepEqual(
    await predict(model, pictures, { topK: 1 }),
    predictions.map((ranking) => ranking.slice(0, 1)),
  );
  assert.deepEqual((await predict(model, pictures, { topK: 99 }))[0]!.length, 7);
});

Deno.test("predict() with test-time augmentation gives the mean probability of both sides", async () => {
  // Random weights hardly tell pictures apart; these do.
  const name = "classifier.weight", weight = model.weights[name]!;
  const large = { ...weight, data: (weight.data as Float32Array).map((value) => 1e4 * value) } as HostTensor;
  const sure = createModel({
    ...model,
    record: modelRecord(model.id),
    weights: { ...model.weights, [name]: large },
  });
  const probabilities = async (images: RawImage[]) =>
    (await predict(sure, images, { topK: 7 })).map((ranking) =>
      Object.fromEntries(ranking.map(({ label, probability }) => [label, probability]))
    );
  const plain = await probabilities(pictures);
  const reflected = await probabilities(pictures.map((image) => ({ ...image, ...mirrored(image) })));
  const found = await predict(sure, pictures, { topK: 7, testTimeAugmentation: true });
  for (const [index, ranking] of found.entries()) {
    for (const { label, probability } of ranking) {
      const wanted = (plain[index]![label]! + reflected[index]![label]!) / 2;
      assert.ok(Math.abs(probability - wanted) < 1e-6, `${label}: ${probability}, wanted ${wanted}`);
    }
  }
  assert.ok(found.some(([best], index) => Math.abs(best!.probability - plain[index]![best!.label]!) > 1e-3));
  // Pixels in a tensor are looked at alike.
  const bytes = pictures.flatMap(({ data }) => [...data]);
  const tensor = tf.tensor4d(bytes, [pictures.length, 32, 32, 3]);
  const options = { testTimeAugmentation: { crops: true } };
  const [logits, wanted] = [await sure.logits(tensor, options), await sure.logits(pictures, options)];
  tensor.dispose();
  logits.forEach((row, index) =>
    row.forEach((logit, label) => assert.ok(Math.abs(logit - wanted[index]![label]!) < 1e-5))
  );
  await sure.dispose();
  const { message } = await failure(
    predict(sure, pictures, { testTimeAugmentation: 2 } as unknown as PredictOptions),
  );
  assert.match(message, /testTimeAugmentation: found 2, wanted true, or an object like /);
  const misspelt = { testTimeAugmentation: { crop: true } } as LogitsOptions;
  const refused = await failure(sure.logits(pictures, misspelt));
  assert.match(
    refused.message,
    /^Cannot run logits\(\): [^]* testTimeAugmentation.crop: found true, wanted no other settings than flip, crops\n/,
  );
});

Deno.test("predict() takes pixels, bytes, paths, URLs and folders, one or several", async () => {
  const expected = await predict(model, pictures);
  const files = Object.fromEntries(encoded.map((bytes, index) => [`deep down/${index} é'.PNG`, bytes]));
  await inFolder({ ...files, "notes.txt": "no picture" }, async (folder) => {
    const paths = Object.keys(files).map((name) => join(folder, name));
    for (
      const several of [pictures, encoded, paths, folder, new URL(`file://${folder}/deep%20down`)]
    ) assert.deepEqual(await predict(model, several), expected);
    for (const one of [pictures[1]!, encoded[1]!, paths[1]!, new URL(`file://${encodeURI(paths[1]!)}`)]) {
      closeTo((await predict(model, one))[0]!, expected[1]!);
      assert.equal((await predict(model, one)).length, 1);
    }
    assert.deepEqual(await predict(model, [pictures[0]!, encoded[1]!, paths[2]!, paths[3]!]), expected);
  });
  assert.deepEqual(await predict(model, []), []);
});

/** Batches of another size may round otherwise. */
function closeTo(found: { label: string; probability: number }[], wanted: typeof found): void {
  assert.deepEqual(found.map(({ label }) => label), wanted.map(({ label }) => label));
  found.forEach(({ probability }, index) =>
    assert.ok(Math.abs(probability - wanted[index]!.probability) < 1e-6)
  );
}

Deno.test("predict() opens a checkpoint, and frees what it took", async () => {
  const path = `${freshFolder()}.safetensors`;
  await Deno.mkdir(join(path, ".."), { recursive: true });
  await saveWeights(path, model.weights, {
    format: 1,
    model: model.id,
    classNames,
    preprocessing: model.preprocessing,
  });
  const expected = await predict(model, pictures);
  const before = tf.memory().numTensors;
  assert.deepEqual(await predict(path, pictures), expected);
  assert.deepEqual(await predict({ model, checkpoint: path }, pictures), expected);
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("predict() names every picture it cannot read", async () => {
  await inFolder({ "a.png": encoded[0]!, "b.png": new Uint8Array(9), "c.jpg": "text" }, async (folder) => {
    const error = await failure(predict(model, folder));
    assert.ok(error instanceof DatasetError);
    assert.match(
      error.message,
      /^Cannot predict: 2 of 3 pictures are not readable\n {2}.*b\.png: .+\n {2}.*c\.jpg: .+\n {2}help: leave them out$/,
    );
  });
  await inFolder({ "notes.txt": "no picture" }, async (folder) => {
    const error = await failure(predict(model, folder));
    assert.ok(error instanceof DatasetError);
    assert.match(
      error.message,
      /^Cannot find pictures in ".+": no \.jpg, \.png or other picture is in it or below/,
    );
  });
  assert.match((await failure(predict(model, "nowhere.jpg"))).message, /nowhere\.jpg: /);
});

Deno.test("predict() refuses options it does not know", async () => {
  assert.match(
    (await failure(predict(model, [], { topk: 3 } as PredictOptions))).message,
    /^Cannot run predict\(\): 1 option is not known\n.*topk.*"topK"/,
  );
  assert.match(
    (await failure(predict(model, [], { topK: 0 }))).message,
    /topK: found 0, wanted a whole number of at least 1/,
  );
});

Deno.test("predict() says the same of exported files, for any kind of picture", async () => {
  const folder = freshFolder();
  await Deno.mkdir(folder);
  const { xml, bin, onnx } = exportSmall(model, { batch: 1 });
  await Deno.writeTextFile(join(folder, "model.xml"), xml);
  await Deno.writeFile(join(folder, "model.bin"), bin);
  await Deno.writeFile(join(folder, "model.onnx"), onnx);
  for (const options of [{ topK: 7 }, { topK: 7, testTimeAugmentation: true }]) {
    const wanted = await predict(model, encoded, options);
    for (const name of ["model.xml", "model.onnx"]) {
      const found = await predict(join(folder, name), encoded, options);
      assert.equal(found.length, 4);
      for (const [index, ranking] of found.entries()) {
        for (const { label, probability } of ranking) {
          const same = wanted[index]!.find((prediction) => prediction.label === label)!;
          assert.ok(Math.abs(probability - same.probability) < 1e-5, `${name} ${label}`);
        }
      }
      assert.deepEqual(await predict(join(folder, name), [], options), []);
    }
  }
  const missing = await failure(predict(join(folder, "model.xml"), join(folder, "nothing.png")));
  assert.ok(missing instanceof DatasetError);
});
