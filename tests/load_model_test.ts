import assert from "node:assert/strict";
import { join } from "node:path";
import type { HostTensor } from "../lib/graph/host_tensor.ts";
import { fineTune } from "../lib/fine_tune.ts";
import { loadModel, type LoadModelOptions } from "../lib/load_model.ts";
import type { Model } from "../lib/models/model.ts";
import { fromTfjsLayout } from "../lib/models/weights/layouts.ts";
import { writeSafetensors } from "../lib/models/weights/safetensors.ts";
import { normaliseImages } from "../lib/operators/normalise_images.ts";
import { tf } from "../lib/tensorflow/mod.ts";
import { saveWeights } from "../lib/training/checkpoint.ts";
import { generatedWeights, type KeysOracle, readOracle } from "./models/_oracle.ts";
import { tensorValues } from "./models/hash_weights.ts";
import { hashTensors } from "./training/_run_folder.ts";
import { failure, freshFolder } from "./training/_runs.ts";
import { shapeSplits } from "./training/_shapes.ts";

const small = "mobilenetv3_small_100";
const folder = freshFolder();
await Deno.mkdir(folder, { recursive: true });

/** Writes a model's weights as a run does. */
async function save(model: Model, name: string): Promise<string> {
  const path = join(folder, name);
  const { classNames, preprocessing } = model;
  await saveWeights(path, model.weights, { format: 1, model: model.id, classNames, preprocessing });
  return path;
}

function grey(value: number, size = 32): { width: number; height: number; channels: 1; data: Uint8Array } {
  return { width: size, height: size, channels: 1, data: new Uint8Array(size * size).fill(value) };
}

/** The message loadModel fails with. */
async function refusal(source: string, options?: LoadModelOptions): Promise<string> {
  return (await failure(loadModel(source, options))).message;
}

// --- Without a file ---

Deno.test("loadModel() makes random weights when told to, the same for the same seed", async () => {
  const [first, again, other] = await Promise.all(
    [0, 0, 1].map((seed) => loadModel(small, { weights: null, numClasses: 3, seed })),
  );
  assert.deepEqual(hashTensors(first!.weights), hashTensors(again!.weights));
  assert.notDeepEqual(hashTensors(first!.weights), hashTensors(other!.weights));
  assert.deepEqual(first!.classNames, ["class 0", "class 1", "class 2"]);
  assert.equal(first!.id, "mobilenetv3_small_100.lamb_in1k");
  assert.deepEqual(first!.preprocessing.size, { height: 224, width: 224 });

  const named = await loadModel(small, { weights: null, classNames: ["cat", "dog"], imageSize: 64 });
  assert.deepEqual(named.classNames, ["cat", "dog"]);
  assert.deepEqual(named.preprocessing.size, { height: 64, width: 64 });
  const thousand = await loadModel(small, { weights: null });
  assert.equal(thousand.classNames.length, 1000);
  assert.equal(thousand.classNames[0], "tench");
});

Deno.test("loadModel() never makes weights up: no network is an error", async () => {
  const variables = {
    HF_ENDPOINT: "http://127.0.0.1:1", // nobody listens there
    HF_HOME: join(folder, "hub"),
    HF_HUB_CACHE: join(folder, "hub"),
  };
  const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    const message = await refusal("mobilenetv3_large_100");
    assert.match(
      message,
      /^Cannot download "model\.safetensors" of timm\/mobilenetv3_large_100\.ra_in1k: no network for weights: /,
    );
    assert.match(message, /\n {2}help: /);
    assert.match(
      (await failure(fineTune("mobilenetv3_large_100", shapeSplits()))).message,
      /^Cannot download /,
    );
  } finally {
    for (const [name, value] of before) {
      value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    }
  }
});

Deno.test("loadModel() refuses ids and tags it does not know, and those without weights", async () => {
  assert.match(
    await refusal("efficientnet_b1"),
    /^Cannot find model "efficientnet_b1": did you mean "efficientnet_b0"\?\n {2}help: the models are mobilenetv3_small_100, /,
  );
  assert.match(
    await refusal(small, { weights: "lamb_in1q" }),
    /^Cannot find model "mobilenetv3_small_100\.lamb_in1q": did you mean "mobilenetv3_small_100\.lamb_in1k"\?/,
  );
  assert.equal(
    await refusal("mobilenetv3_small_100.ote"),
    "Cannot load mobilenetv3_small_100.ote: no weights are published for it under a name that can be fetched\n" +
      '  help: pass { weights: "path/to/file.pth" }, or { weights: null } to train from scratch',
  );
  assert.equal(
    await refusal(small, { weights: "ote" }),
    'Cannot load mobilenetv3_small_100: no weights "ote" can be fetched\n  help: pass their path',
  );
});

Deno.test("loadModel() refuses unknown options and values at once", async () => {
  assert.match(
    await refusal(small, { weight: null, classes: 3 } as LoadModelOptions),
    /^Cannot run loadModel\(\): 2 options are not known\n.*weight.*"weights".*\n.*classes/,
  );
  assert.equal(
    await refusal(
      small,
      { weights: 5, numClasses: 0, classNames: "cat", device: "tpu" } as unknown as LoadModelOptions,
    ),
    "Cannot run loadModel(): 4 options have values that cannot be used\n" +
      "  weights: found 5, wanted a string\n" +
      "  numClasses: found 0, wanted a whole number of at least 1\n" +
      '  classNames: found "cat", wanted an array of names\n' +
      '  device: found "tpu", wanted "auto", "cpu" or "gpu"\n' +
      "  help: leave an option out to get its default",
  );
  assert.equal(
    await refusal(small, { weights: null, numClasses: 3, classNames: ["a", "b"] }),
    "Cannot load the model: numClasses is 3, and 2 class names are given",
  );
  assert.equal(
    await refusal(small, { weights: null, imageSize: 16 }),
    "Cannot load the model: imageSize must be a whole number of at least 32, found 16",
  );
  assert.equal(
    await refusal(undefined as unknown as string),
    "Cannot run loadModel(): found undefined, wanted a model id or a path\n" +
      '  help: write for example loadModel("tf_efficientnet_lite0")',
  );
});

// --- From files ---

Deno.test("loadModel() gives a checkpoint back as it was saved", async () => {
  const model = await loadModel(small, {
    weights: null,
    classNames: ["Katze", "犬", 'a "b"\n'],
    imageSize: 48,
  });
  const path = await save(model, "round trip.safetensors");
  const back = await loadModel(path);
  assert.equal(back.id, model.id);
  assert.deepEqual(back.classNames, model.classNames);
  assert.deepEqual(back.preprocessing, model.preprocessing);
  assert.deepEqual(hashTensors(back.weights), hashTensors(model.weights));
  assert.deepEqual(back.complexity, model.complexity);
  const images = [grey(3, 50), grey(200, 20)];
  assert.deepEqual(await back.logits(images), await model.logits(images));
  await Promise.all([back.dispose(), model.dispose()]);

  const larger = await loadModel(path, { imageSize: 64, numClasses: 5, seed: 1 });
  assert.deepEqual(larger.preprocessing.size, { height: 64, width: 64 });
  assert.equal(larger.classNames.length, 5, "another number of classes makes the classifier anew");
  const { "classifier.weight": weight, "classifier.bias": bias, ...features } = hashTensors(larger.weights);
  const { "classifier.weight": oldWeight, "classifier.bias": _, ...oldFeatures } = hashTensors(model.weights);
  assert.deepEqual(features, oldFeatures);
  assert.notEqual(weight, oldWeight);
  assert.ok(bias!.startsWith("[5] "));
});

Deno.test("loadModel() takes the weights of a file for an id", async () => {
  const model = await loadModel(small, { weights: null, numClasses: 4, seed: 9 });
  const path = await save(model, "weights.safetensors");
  const same = await loadModel(small, { weights: path, numClasses: 4 });
  assert.deepEqual(hashTensors(same.weights), hashTensors(model.weights));
  // By default a network has the classes of its published weights.
  assert.match(
    await refusal(small, { weights: path }),
    /: 2 tensors disagree with the \d+ wanted [^]*another number of classes; pass that numClasses/,
  );
});

Deno.test("loadModel() counts every tensor that does not fit", async () => {
  const model = await loadModel(small, { weights: null, numClasses: 4 });
  const path = await save(model, "small.safetensors");
  const message = await refusal("mobilenetv3_large_100", { weights: path, numClasses: 4 });
  assert.match(
    message,
    /^Cannot load weights ".+small\.safetensors" into mobilenetv3_large_100: \d+ tensors disagree/,
  );
  assert.match(message, /\n {2}missing: "blocks\..+" of shape \[.+\]\n/);
  assert.match(message, /\n {2}of another shape: ".+": \[.+\] was wanted, found \[.+\]\n/);
  assert.match(message, /\n {2}\(and \d+ more missing\)\n/);
});

Deno.test("loadModel() opens OTE's weights as OTE's network, whichever the id", async () => {
  const { shapes } = readOracle<KeysOracle>("mobilenetv3_small_100.ote.keys.json");
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([key, shape]) => [
      key,
      { dtype: "float32", shape, data: tensorValues(key, shape) } as HostTensor,
    ]),
  );
  const path = join(folder, "ote.safetensors");
  await writeSafetensors(path, tensors);
  const model = await loadModel(small, { weights: path, numClasses: 10 });
  assert.equal(model.id, "mobilenetv3_small_100.ote");
  assert.equal(
    (await loadModel("mobilenetv3_small_100.ote", { weights: path, numClasses: 10 })).id,
    model.id,
  );
  assert.deepEqual(
    Object.keys(model.weights).sort(),
    Object.keys(generatedWeights("mobilenetv3_small_100.ote", 1)).sort(),
  );
  assert.equal(
    await refusal("mobilenetv3_small_100.lamb_in1k", { weights: path, numClasses: 10 }),
    `Cannot load weights "${path}" into mobilenetv3_small_100.lamb_in1k: their names are ote's, and that network ` +
      `differs in function\n  help: open them as "mobilenetv3_small_100.ote"`,
  );
});

Deno.test("loadModel() says what a file is that no run has written", async () => {
  const model = await loadModel(small, { weights: null, numClasses: 4 });
  const path = join(folder, "foreign.safetensors");
  await writeSafetensors(
    path,
    Object.fromEntries(
      Object.entries(model.weights).map(([name, tensor]) => [name, fromTfjsLayout(name, tensor)]),
    ),
  );
  assert.equal(
    await refusal(path),
    `Cannot open model "${path}": the file does not say which model it belongs to, so it was not written by a run\n` +
      `  help: name the model, e.g. loadModel("mobilenetv3_small_100", { weights: ${JSON.stringify(path)} })`,
  );
  const missing = join(folder, "nothing.safetensors");
  assert.match(
    await refusal(missing),
    /^Cannot read weights ".+nothing\.safetensors": there is no such file\n/,
  );
  const own = await save(model, "own.safetensors");
  assert.equal(
    await refusal(own, { weights: null }),
    `Cannot open model "${own}": its weights are in the file, and { weights: null } names others\n` +
      "  help: leave weights out, or pass a model id",
  );
});

Deno.test("loadModel() tells a run's state from its weights", async () => {
  const outputDir = freshFolder();
  await fineTune(small, shapeSplits({ train: 2, validation: 1 }), {
    weights: null,
    imageSize: 32,
    epochs: 1,
    outputDir,
    logs: [],
    view: false,
  });
  const path = join(outputDir, "resume.safetensors");
  assert.equal(
    await refusal(path),
    `Cannot open model "${path}": it holds the state of a run that can go on, not a model\n` +
      `  help: open the best.safetensors beside it, or pass { resumeFrom: ${
        JSON.stringify(path)
      } } to fineTune`,
  );
});

// --- What a model does ---

Deno.test("Model.logits() gives the same for pixels, tensors, batches of any size and op by op", async () => {
  const model = await loadModel(small, { weights: null, numClasses: 7, imageSize: 32 });
  const pictures = Array.from({ length: 35 }, (_, index) => grey(index * 7));
  const logits = await model.logits(pictures);
  assert.equal(logits.length, 35);
  const single = await model.logits([pictures[34]!]);
  close(single[0]!, logits[34]!);

  const images = tf.tensor4d(
    pictures.slice(0, 3).flatMap(({ data }) => [...data].flatMap((value) => [value, value, value])),
    [3, 32, 32, 3],
  );
  (await model.logits(images)).forEach((row, index) => close(row, logits[index]!));

  const eager = tf.tidy(() =>
    model.forward(model.params, normaliseImages(images, model.preprocessing) as tf.Tensor4D, {
      training: false,
    })
      .logits
  );
  const values = await eager.array();
  values.forEach((row, index) => close(row, logits[index]!));
  assert.deepEqual(await model.logits([]), []);
  const wrong = tf.zeros([2, 16, 16, 3]) as tf.Tensor4D;
  assert.equal(
    (await failure(model.logits(wrong))).message,
    "Cannot compute logits: wanted images of shape [batch,32,32,3], found [2,16,16,3]",
  );
  tf.dispose([images, eager, wrong]);
  await model.dispose();
});

Deno.test("a model prints as a line, and JSON keeps what describes it", async () => {
  const before = tf.memory().numTensors;
  const model = await loadModel(small, { weights: null, numClasses: 7, imageSize: 64 });
  assert.equal(
    Deno.inspect(model),
    "Model mobilenetv3_small_100.lamb_in1k, 64 x 64 pixels, 7 classes (class 0, class 1, class 2, class 3, class 4, ...)",
  );
  const { id, classNames, preprocessing, complexity } = model;
  assert.deepEqual(JSON.parse(JSON.stringify(model)), { id, classNames, preprocessing, complexity });
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("Model.dispose() frees what the model took, and the model can be used again", async () => {
  const before = tf.memory().numTensors;
  const model = await loadModel(small, { weights: null, numClasses: 3, imageSize: 32 });
  const [first] = await model.logits([grey(9)]);
  assert.ok(Object.keys(model.params).length > 100);
  assert.equal(tf.memory().numTensors, before + Object.keys(model.params).length);
  await model.dispose();
  assert.equal(tf.memory().numTensors, before);
  assert.deepEqual(await model.logits([grey(9)]), [first]);
  await model.dispose();
});

function close(found: ArrayLike<number>, wanted: ArrayLike<number>): void {
  assert.equal(found.length, wanted.length);
  const largest = Math.max(...Array.from(wanted, Math.abs), 1e-3);
  for (let i = 0; i < wanted.length; i++) {
    assert.ok(
      Math.abs(found[i]! - wanted[i]!) <= 1e-5 * largest,
      `logit ${i}: ${found[i]}, wanted ${wanted[i]}`,
    );
  }
}
