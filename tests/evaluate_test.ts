import assert from "node:assert/strict";
import { join } from "node:path";
import { mirrored } from "../lib/augment/flip.ts";
import type { Dataset, RawImage } from "../lib/data/dataset.ts";
import { evaluate, type EvaluateOptions } from "../lib/evaluate.ts";
import { fineTune } from "../lib/fine_tune.ts";
import type { HostTensor } from "../lib/graph/host_tensor.ts";
import type { Evaluation } from "../lib/metrics/evaluation.ts";
import { createModel, type Model } from "../lib/models/model.ts";
import { modelRecord } from "../lib/models/registry.ts";
import type { Source } from "../lib/models/source.ts";
import { evaluationText } from "../lib/notebook/evaluation_view.ts";
import { tf } from "../lib/tensorflow/mod.ts";
import { exportSmall } from "./runtimes/_exported_files.ts";
import { failure, freshFolder } from "./training/_runs.ts";
import { shapeSplits } from "./training/_shapes.ts";

const data = shapeSplits({ train: 8, validation: 5 });
const run = await fineTune("mobilenetv3_small_100", data, {
  weights: null,
  imageSize: 32,
  epochs: 2,
  batchSize: 4,
  outputDir: freshFolder(),
  logs: [],
  view: false,
});
const plain = await evaluate(run, data.validation);

/** Fails if two evaluations tell of different samples, or of numbers further apart than rounding. */
function assertSame(found: Evaluation, wanted: Evaluation): void {
  for (const name of ["top1", "top5", "meanTop1", "meanTop5", "mAP", "loss", "calibrationError"] as const) {
    assert.ok(
      Math.abs(found[name] - wanted[name]) < 1e-5,
      `${name} is ${found[name]}, wanted ${wanted[name]}`,
    );
  }
  assert.deepEqual(found.confusionMatrix, wanted.confusionMatrix);
  assert.deepEqual(
    found.mistakes.map(({ name }) => name).sort(),
    wanted.mistakes.map(({ name }) => name).sort(),
  );
}

Deno.test("evaluate() gives the same for a result, its model and its file, and leaves nothing behind", async () => {
  const before = tf.memory().numTensors;
  assert.equal(plain.sampleCount, 15);
  assert.equal(plain.top1, run.best!.validationTop1);
  assert.equal(plain.top5, 1, "three classes are among the best five");
  for (const source of [run.model, run.checkpoint]) {
    assert.deepEqual(JSON.stringify(await evaluate(source, data.validation)), JSON.stringify(plain));
  }
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("evaluate() pads the last batch without a trace", async () => {
  for (const batchSize of [1, 4, 64]) {
    assertSame(await evaluate(run, data.validation, { batchSize }), plain);
  }
});

Deno.test("evaluate() matches classes by name, in any order and number", async () => {
  const order = [2, 0, 1]; // what was class 2 is class 0 ...
  const shuffled: Dataset = {
    name: "shuffled",
    classNames: order.map((index) => data.classNames[index]!),
    samples: data.validation.samples.map((sample) => ({ ...sample, label: order.indexOf(sample.label) })),
  };
  assertSame(await evaluate(run, shuffled), plain);
  const crosses: Dataset = {
    name: "crosses",
    classNames: ["cross"],
    samples: data.validation.samples.filter(({ label }) => label === 2).map((s) => ({ ...s, label: 0 })),
  };
  const some = await evaluate(run, crosses);
  assert.deepEqual(some.classNames, data.classNames);
  assert.deepEqual(some.confusionMatrix[2], plain.confusionMatrix[2]);
  assert.deepEqual(some.confusionMatrix[0], [0, 0, 0]);
  assert.equal(some.meanTop1, some.top1, "classes without samples do not count");

  const { message } = await failure(
    evaluate(run, { ...shuffled, classNames: ["cross", "disk", "sqare"] }),
  );
  assert.equal(
    message,
    'Cannot evaluate on "shuffled": the model does not know 2 of its 3 classes: "disk", "sqare"\n' +
      "  help: the model's classes are disc, square, cross",
  );
});

/** The model with scores that vary from picture to picture: after so short a training they hardly do. */
async function createSureModel(): Promise<Model> {
  const logits = await run.model.logits(data.validation.samples.map(({ image }) => image));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const means = data.classNames.map((_, label) => mean(logits.map((row) => row[label]!)));
  const squares = logits.flatMap((row) => [...row].map((score, label) => (score - means[label]!) ** 2));
  const factor = 2 / Math.sqrt(mean(squares));
  const { "classifier.weight": weight, "classifier.bias": bias, ...rest } = run.model.weights;
  const change = (tensor: HostTensor, fn: (value: number, index: number) => number) =>
    ({ ...tensor, data: (tensor.data as Float32Array).map(fn) }) as HostTensor;
  return createModel({
    ...run.model,
    record: modelRecord(run.model.id),
    weights: {
      ...rest,
      "classifier.weight": change(weight!, (value) => factor * value),
      "classifier.bias": change(bias!, (value, label) => factor * (value - means[label]!)),
    },
  });
}
const sure = await createSureModel();
const plainOfSure = await evaluate(sure, data.validation);

/** The validation set, mirrored. */
const reflections: Dataset = {
  ...data.validation,
  samples: data.validation.samples.map((sample) => ({
    ...sample,
    image: { ...sample.image as RawImage, ...mirrored(sample.image as RawImage) },
  })),
};

Deno.test("evaluate() with test-time augmentation averages the probabilities of both sides", async () => {
  const found = await evaluate(sure, data.validation, { testTimeAugmentation: true, batchSize: 4 });
  assert.deepEqual(found.views, ["original", "mirrored"]);
  assert.equal("views" in plainOfSure, false);
  assert.match(
    evaluationText(found),
    /test-time augmentation +2 views {2}\(probabilities averaged: original, mirrored\)/,
  );

  // By hand: softmax of both sides, their mean, the logarithm of the true class's.
  const probabilities = async ({ samples }: Dataset) =>
    (await sure.logits(samples.map(({ image }) => image))).map((row) => {
      const powers = [...row].map(Math.exp), sum = powers.reduce((total, power) => total + power, 0);
      return powers.map((power) => power / sum);
    });
  const sides = [await probabilities(data.validation), await probabilities(reflections)];
  const means = sides[0]!.map((row, sample) => row.map((p, label) => (p + sides[1]![sample]![label]!) / 2));
  const labels = data.validation.samples.map(({ label }) => label);
  const loss = means.reduce((sum, row, sample) => sum - Math.log(row[labels[sample]!]!), 0) / labels.length;
  assert.ok(Math.abs(found.loss - loss) < 1e-4, `${found.loss}, wanted ${loss}`);
  assert.notEqual(found.loss.toFixed(3), plainOfSure.loss.toFixed(3), "the views matter");
  const best = means.map((row) => row.indexOf(Math.max(...row)));
  assert.equal(found.top1, best.filter((label, sample) => label === labels[sample]).length / labels.length);
  labels.forEach((label, sample) => assert.ok(found.confusionMatrix[label]![best[sample]!]! > 0));
  const confidences = found.reliability.reduce((sum, bin) => sum + bin.count * bin.confidence, 0);
  const wanted = means.reduce((sum, row) => sum + Math.max(...row), 0);
  assert.ok(Math.abs(confidences - wanted) < 1e-3, "calibration is of the same probabilities");

  // Each side is the other's mirror image.
  assertSame(
    await evaluate(sure, reflections, { testTimeAugmentation: { flip: true }, batchSize: 4 }),
    found,
  );
  assertSame(await evaluate(sure, data.validation, { testTimeAugmentation: false }), plainOfSure);
});

Deno.test("evaluate() looks at crops if asked, and says at which", async () => {
  const found = await evaluate(sure, data.validation, {
    testTimeAugmentation: { flip: false, crops: true },
  });
  const names = ["original", "top left", "top right", "bottom left", "bottom right", "middle"];
  assert.deepEqual(found.views, names);
  const all = await evaluate(sure, data.validation, { testTimeAugmentation: { crops: true } });
  assert.deepEqual(
    all.views,
    names.flatMap((name) => [
      name,
      name === "original" ? "mirrored" : `${name}, mirrored`,
    ]),
  );
  assert.match(evaluationText(all), /12 views {2}\(probabilities averaged: original, mirrored and 10 more\)/);
  assertSame(await evaluate(sure, reflections, { testTimeAugmentation: { crops: true } }), all);
});

Deno.test("evaluate() refuses test-time augmentations it does not know, or cannot write down", async () => {
  const refusal = async (testTimeAugmentation: unknown, more = {}) =>
    (await failure(evaluate(run, data.validation, { testTimeAugmentation, ...more } as EvaluateOptions)))
      .message;
  assert.equal(
    await refusal({ flips: true, crops: 5 }),
    "Cannot run evaluate(): 2 options have values that cannot be used\n" +
      "  testTimeAugmentation.flips: found true, wanted no other settings than flip, crops\n" +
      "  testTimeAugmentation.crops: found 5, wanted true or false\n" +
      "  help: leave an option out to get its default",
  );
  assert.match(
    await refusal("flip"),
    /testTimeAugmentation: found "flip", wanted true, or an object like \{ flip: true, crops: true \}\n/,
  );
  assert.match(
    await refusal({ flip: false }),
    /testTimeAugmentation: found an object, wanted flip, crops or both\n/,
  );
  assert.equal(
    await refusal(true, { saveMetricsTo: "metrics.yaml" }),
    "Cannot write metrics.yaml: it is for the model alone, and these numbers are of several views of each picture\n" +
      "  help: leave out saveMetricsTo or testTimeAugmentation",
  );
});

Deno.test("evaluate() writes metrics.yaml, with the file of the weights", async () => {
  const folder = freshFolder();
  await Deno.mkdir(folder);
  const file = join(folder, "metrics.yaml");
  await evaluate(run, data.validation, { saveMetricsTo: file });
  const yaml = await Deno.readTextFile(file);
  assert.match(yaml, /best\.safetensors/);
  assert.match(yaml, /Top-1|accuracy/i);
  assert.equal(
    (await failure(evaluate(run.model, data.validation, { saveMetricsTo: file }))).message,
    "Cannot write metrics.yaml: it names the file of the weights, and this model comes from none\n" +
      "  help: evaluate the path of a checkpoint, or the result of fineTune",
  );
});

Deno.test("evaluate() refuses a model whose scores are not numbers", async () => {
  const name = "classifier.bias";
  const { shape, data: values } = run.model.weights[name]!;
  const broken: Model = createModel({
    record: modelRecord(run.model.id),
    classNames: run.model.classNames,
    preprocessing: run.model.preprocessing,
    weights: {
      ...run.model.weights,
      [name]: { dtype: "float32", shape, data: (values as Float32Array).map(() => NaN) } as HostTensor,
    },
  });
  const error = await failure(evaluate(broken, data.validation));
  assert.ok(error instanceof RangeError);
  assert.match(
    error.message,
    /^Cannot evaluate: 15 of 15 rows hold scores that are not finite numbers\n(.+\n)+ {2}help: a model whose training diverged gives such scores; train again with a lower learning rate$/,
  );
});

Deno.test("evaluate() reports unreadable pictures, or leaves them out", async () => {
  const damaged: Dataset = {
    ...data.validation,
    samples: data.validation.samples.map((sample, index) =>
      index % 7 === 0 ? { ...sample, image: new Uint8Array(20) } : sample
    ),
  };
  const { message } = await failure(evaluate(run, damaged));
  assert.match(
    message,
    /^Cannot load data set "shapes\/val": 3 of 15 pictures are not readable\n {2}disc\/0\.png: /,
  );
  assert.match(message, /\n {2}help: remove them, or pass \{ onUnreadable: "skip" \}$/);
  const rest = await evaluate(run, damaged, { onUnreadable: "skip", batchSize: 4 });
  assertSame(
    rest,
    await evaluate(run, {
      ...data.validation,
      samples: data.validation.samples.filter((_, index) => index % 7 !== 0),
    }),
  );
});

Deno.test("evaluate() tells how far it is, and stops", async () => {
  const progress: { done: number; total: number }[] = [];
  await evaluate(run, data.validation, {
    batchSize: 6,
    onProgress: (now) => progress.push(now),
    keepMistakes: 0,
  });
  assert.deepEqual(progress, [6, 12, 15].map((done) => ({ done, total: 15 })));
  const controller = new AbortController();
  const error = await failure(
    evaluate(run, data.validation, {
      batchSize: 1,
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    }),
  );
  assert.equal(error.message, "enough");
});

Deno.test("evaluate() refuses arguments it cannot use", async () => {
  const refusal = async (source: unknown, dataset: unknown, options?: unknown) =>
    (await failure(evaluate(source as Source, dataset as Dataset, options as EvaluateOptions))).message;
  assert.equal(
    await refusal(run, data),
    "Cannot evaluate: found no labelled pictures, wanted one data set\n" +
      "  help: pass data.validation, or what imageFolder(path) returns",
  );
  assert.match(
    await refusal(run, { ...data.validation, samples: [] }),
    /"shapes\/val": it has no pictures\n/,
  );
  assert.equal(
    await refusal(undefined, data.validation),
    "Cannot use this as a model: found undefined, wanted a model, a result of fineTune, the path of a checkpoint or " +
      'a model id\n  help: write for example loadModel("outputs/pets/best.safetensors")',
  );
  assert.match(await refusal(run, data.validation, { batchsize: 3 }), /batchsize.*did you mean "batchSize"/);
  assert.match(
    await refusal(run, data.validation, { batchSize: 0, onUnreadable: "ignore" }),
    /2 options have values that cannot be used\n {2}batchSize: found 0, .+\n {2}onUnreadable: found "ignore", wanted "error" or "skip"\n/,
  );
  assert.match(
    await refusal("nowhere/best.safetensors", data.validation),
    /^Cannot read weights "nowhere\/best/,
  );
});

Deno.test("evaluate() gives the same for exported files, in their own runtimes", async () => {
  const folder = freshFolder();
  await Deno.mkdir(folder);
  const { xml, bin, onnx } = exportSmall(run.model);
  const [ir, onnxPath, yaml] = ["model.xml", "model.onnx", "metrics.yaml"].map((name) => join(folder, name));
  await Deno.writeTextFile(ir!, xml);
  await Deno.writeFile(join(folder, "model.bin"), bin);
  await Deno.writeFile(onnxPath!, onnx);
  for (const source of [ir!, onnxPath!]) {
    const found = await evaluate(source, data.validation, { batchSize: 4, saveMetricsTo: yaml });
    assertSame(found, plain);
    assert.deepEqual(found.complexity, plain.complexity);
    assert.deepEqual(found.classNames, plain.classNames);
    const text = await Deno.readTextFile(yaml!);
    assert.ok(text.includes(`source: ${source}\n`), text);
    assert.match(text, /key: complexity\n/);
  }
  const views = { testTimeAugmentation: true };
  assertSame(await evaluate(ir!, data.validation, views), await evaluate(run, data.validation, views));
});

Deno.test("evaluate() refuses options that do not go with an exported file, or without one", async () => {
  const refused = async (source: Source, options: EvaluateOptions) =>
    (await failure(evaluate(source, data.validation, options))).message;
  assert.equal(
    await refused("model.xml", { device: "gpu", executor: "tensorflow" }),
    'Cannot run exported model "model.xml" that way: its own runtime computes it, on the CPU\n' +
      "  device: found gpu, wanted cpu or auto\n  executor: found tensorflow, wanted none\n" +
      "  help: leave these options out",
  );
  assert.equal(
    await refused(run, { exported: { classNames: ["a"] } }),
    "Cannot use { exported }: it describes an .xml or .onnx file of another program, and the source is none\n" +
      "  help: leave exported out",
  );
  assert.match(
    await refused("model.xml", { exported: { classes: ["a"] } as never }),
    /^Cannot run evaluate\(\): 1 field of the exported model is not known\n {2}"classes": did you mean "classNames"\?/,
  );
  assert.equal(
    await refused("model.onnx", {}),
    'Cannot open exported model "model.onnx": no such file\n  help: pass the path of an .xml or an .onnx file',
  );
});
