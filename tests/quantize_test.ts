import assert from "node:assert/strict";
import { join } from "node:path";
import {
  evaluate,
  exportIR,
  exportONNX,
  fineTune,
  loadModel,
  predict,
  quantize,
  type QuantizeOptions,
} from "../mod.ts";
import type { Dataset, DatasetSplits } from "../lib/data/dataset.ts";
import { predictedClass } from "../lib/metrics/predicted_class.ts";
import { initialise } from "../lib/models/initialise.ts";
import { createModel, type Model } from "../lib/models/model.ts";
import { createNetwork, modelRecord } from "../lib/models/registry.ts";
import { AccuracyDropError } from "../lib/quantization/accuracy_drop_error.ts";
import type { QuantizationEvent } from "../lib/quantization/events.ts";
import type { TrainingEvent } from "../lib/training/events.ts";
import { failure, freshFolder } from "./training/_runs.ts";
import { shapeSplits } from "./training/_shapes.ts";

const data = shapeSplits({ train: 12, validation: 8 });
const run = await fineTune("mobilenetv3_small_100", data, {
  weights: null,
  imageSize: 32,
  epochs: 4,
  batchSize: 8,
  learningRate: 0.02,
  outputDir: freshFolder(),
  logs: [],
  view: false,
});
const quick = { calibration: 24, maxDrop: 0.99, logs: [], view: false } as const satisfies QuantizeOptions;

/** Quantises the run, with what it tells. */
async function quantized(options: QuantizeOptions) {
  const events: (TrainingEvent | QuantizationEvent)[] = [];
  const outputDir = freshFolder();
  const result = await quantize(run, data, {
    outputDir,
    onEvent: (event) => void events.push(event),
    ...quick,
    ...options,
  });
  return { result, events, outputDir };
}

const { result: post, events } = await quantized({ fineTune: false });

Deno.test("quantize() measures the int8 file, and reports every layer", () => {
  const { drop, layers, steps, history, stopped, weightBits, calibrationPictures, latency } = post;
  assert.equal(drop.pictures, 24);
  assert.match(drop.runtime, /^OpenVINO 2/);
  assert.ok(Math.abs(drop.drop - (drop.float - drop.int8)) < 1e-12);
  assert.ok(drop.interval[0] <= drop.drop + 0.05 && drop.interval[1] >= drop.drop - 0.05);
  assert.deepEqual([steps.length, history, stopped, weightBits, calibrationPictures], [
    1,
    [],
    undefined,
    7,
    24,
  ]);
  assert.equal(layers.length, 54);
  assert.ok(layers.every(({ precision }) => precision === "int8"));
  assert.ok(layers.every(({ decibels }) => decibels > 0 && Number.isFinite(decibels)));
  assert.ok(Math.abs(layers.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-6);
  const timed = layers.filter(({ milliseconds }) => milliseconds !== undefined);
  assert.equal(timed.length, 54, "the runtime runs each of them by itself");
  // OpenVINO has a kernel of oneDNN for some linear layers, `jit_gemm_i8`.
  assert.ok(timed.every(({ kernel }) => /_i8$/i.test(kernel!)), "in int8 kernels");
  assert.ok(latency.float > 0 && latency.int8 > 0);
  const kinds = new Set(events.map((event) => event.type === "quantization" ? event.step : event.type));
  assert.deepEqual([...kinds], ["calibration", "statistics", "accuracy", "layers"]);
});

Deno.test("quantize() leaves a checkpoint that is evaluated, predicted with and exported like any other", async () => {
  const model = await loadModel(post.checkpoint);
  assert.deepEqual(model.quantization, { weightBits: 7, floatLayers: [] });
  const images = data.validation.samples.map(({ image }) => image);
  const wanted = await post.model.logits(images);
  (await model.logits(images)).forEach((row, at) => assert.deepEqual(row, wanted[at]));
  const evaluation = await evaluate(post.checkpoint, data.validation);
  const [[best]] = await predict(post, images[0]!);
  assert.equal(best!.label, model.classNames[wanted[0]!.indexOf(Math.max(...wanted[0]!))]);
  const folder = freshFolder();
  const ir = await exportIR(post, folder, { pictures: images });
  const onnx = await exportONNX(post.checkpoint, join(folder, "model.onnx"), { pictures: images });
  for (const { precision, parity } of [ir, onnx]) {
    assert.equal(precision, "int8");
    assert.ok(parity.checked && parity.top1Agreement + parity.nearTies >= 0.99);
  }
  const inRuntime = await evaluate(ir.xml, data.validation);
  assert.equal(inRuntime.top1, post.drop.int8, "the promise was about this file");
  assert.ok(Math.abs(inRuntime.top1 - evaluation.top1) <= 1 / 24, "and the simulation is like it");
  await model.dispose();
});

Deno.test("quantize() fine-tunes with rounding in place, and goes on where it was stopped", async () => {
  const settings = { epochs: 2, learningRate: 0.001, seed: 3, target: "vnni", ranges: "percentile" } as const;
  const whole = await quantized(settings);
  assert.equal(whole.result.history.length, 2);
  assert.equal(whole.result.stopped, "completed");
  const stop = new AbortController();
  const outputDir = freshFolder();
  const stopped = await failure(quantize(run, data, {
    ...quick,
    ...settings,
    outputDir,
    signal: stop.signal,
    onEvent: (event) => {
      if (event.type === "epoch") stop.abort();
    },
  }));
  assert.equal(stopped.name, "AbortError");
  assert.equal(
    stopped.message,
    `The quantisation was stopped while it was fine-tuned; its state is in ${JSON.stringify(outputDir)}\n` +
      `  help: go on with quantize(model, data, { resumeFrom: ${JSON.stringify(outputDir)} })`,
  );
  await assert.rejects(Deno.stat(join(outputDir, "best.safetensors")), Deno.errors.NotFound);
  const kinds = new Set<string>();
  const { calibration: _, ...others } = quick;
  const resumed = await quantize(run, data, {
    ...others,
    resumeFrom: join(outputDir, "resume.safetensors"),
    onEvent: (event) => void kinds.add(event.type === "quantization" ? event.step : event.type),
  });
  assert.ok(!kinds.has("calibration") && !kinds.has("statistics"), "what comes before is not done again");
  const parts = (result: typeof resumed) => [
    result.weightBits,
    result.calibrationPictures,
    result.postTrainingTop1,
    result.fineTuned,
    result.drop,
    result.layers.map(({ kernel: _, milliseconds: __, ...layer }) => layer),
  ];
  assert.deepEqual(parts(resumed), parts(whole.result));
  assert.deepEqual([resumed.weightBits, resumed.outputDir], [8, outputDir]);
  const losses = (history: typeof resumed.history) => history.map(({ trainLoss }) => trainLoss);
  assert.deepEqual(losses(resumed.history), losses(whole.result.history));
  const [found, wanted] = [resumed.model.weights, whole.result.model.weights];
  for (const [name, { data }] of Object.entries(wanted)) assert.deepEqual(found[name]!.data, data, name);
  // Ranges learn too.
  const { checkpoint } = whole.result;
  assert.notDeepEqual(wanted["conv_stem.weight"]!.data, post.model.weights["conv_stem.weight"]!.data);
  // What was quantised is a model like others: it can be trained on.
  const more = await fineTune(checkpoint, data, {
    epochs: 1,
    batchSize: 8,
    learningRate: 1e-3,
    outputDir: freshFolder(),
    logs: [],
    view: false,
  });
  assert.deepEqual(more.model.quantization, whole.result.model.quantization);
});

/** A model that hardly tells its classes apart, and pictures with the classes it names; in int8 it names others for some. */
async function undecided(): Promise<{ model: Model; hard: DatasetSplits }> {
  const pictures = [...data.validation.samples, ...data.train.samples].map(({ image }) => image);
  const wanted = await run.model.logits(pictures), rounded = await post.model.logits(pictures);
  const means = [0, 1, 2].map((label) => wanted.reduce((sum, row) => sum + row[label]!, 0) / wanted.length);
  const bias = run.model.weights["classifier.bias"]!.data as Float32Array;
  const shifted = bias.map((value, label) => value - means[label]!);
  const model = createModel({
    record: modelRecord(run.model.id),
    classNames: data.classNames,
    preprocessing: run.model.preprocessing,
    weights: { ...run.model.weights, "classifier.bias": { dtype: "float32", shape: [3], data: shifted } },
  });
  const best = (rows: Float32Array[]) =>
    rows.map((row) => predictedClass(row.map((value, label) => value - means[label]!)));
  const named = best(wanted), other = best(rounded);
  assert.ok(named.some((label, index) => label !== other[index]), "int8 changes something");
  const samples = pictures.map((image, index) => ({ image, label: named[index]!, name: `${index}` }));
  return { model, hard: { ...data, validation: { ...data.validation, samples } } };
}

Deno.test("quantize() says when its promise cannot be kept, and leaves no checkpoint", async (t) => {
  const { model, hard } = await undecided();
  const broken = { ...quick, maxDrop: 0, maxFloatLayers: 0, onEvent: () => {} } as const;

  await t.step("after training", async () => {
    const outputDir = freshFolder();
    const error = await failure(quantize(model, hard, { ...broken, fineTune: false, outputDir }));
    assert.ok(error instanceof AccuracyDropError, error.message);
    assert.ok(error.steps[0]!.drop.drop > 0);
    await assert.rejects(Deno.stat(join(outputDir, "best.safetensors")), Deno.errors.NotFound);
  });

  await t.step("after fine-tuning, which is not done again with another promise", async () => {
    const outputDir = freshFolder();
    const settings = { epochs: 1, learningRate: 1e-7 };
    const error = await failure(quantize(model, hard, { ...broken, ...settings, outputDir }));
    assert.ok(error instanceof AccuracyDropError, error.message);
    assert.ok(
      error.message.endsWith(
        `, without training again by { resumeFrom: ${
          JSON.stringify(outputDir)
        } }; or give more calibration pictures`,
      ),
      error.message,
    );
    await assert.rejects(Deno.stat(join(outputDir, "best.safetensors")), Deno.errors.NotFound);
    const kinds: string[] = [];
    const again = await quantize(model, hard, {
      ...quick,
      resumeFrom: outputDir,
      onEvent: ({ type }) => void kinds.push(type),
    });
    assert.ok(!kinds.includes("step") && kinds.includes("accuracy"), kinds.join());
    assert.equal(again.history.length, 1);
    assert.deepEqual(again.steps[0]!.drop, error.steps[0]!.drop);
    await (await loadModel(again.checkpoint)).dispose();
  });
});

Deno.test("quantize() goes on with what it began only, and says so before anything is done", async () => {
  const nowhere = join(freshFolder(), "run");
  const missing = await failure(quantize(run, data, { ...quick, resumeFrom: nowhere }));
  assert.match(missing.message, /^Cannot resume from ".*": there is no such file\n/);
  await assert.rejects(Deno.stat(nowhere), Deno.errors.NotFound);

  const float = await failure(quantize(run.model, data, { ...quick, resumeFrom: run.outputDir }));
  assert.equal(
    float.message,
    `Cannot resume from "${run.outputDir}": it is a training in float, not the fine-tuning of a quantised model\n` +
      `  help: go on with fineTune(model, data, { resumeFrom: ${JSON.stringify(run.outputDir)} })`,
  );

  const outputDir = freshFolder();
  const stop = new AbortController();
  await failure(quantize(run, data, {
    ...quick,
    outputDir,
    signal: stop.signal,
    onEvent: ({ type }) => type === "start" && stop.abort(),
  }));
  const wanted = { ...quick, resumeFrom: outputDir, onEvent: () => {} };
  const options = await failure(
    quantize(run, data, { ...wanted, target: "vnni", ranges: "percentile", calibration: 20 }),
  );
  assert.equal(
    options.message,
    `Cannot resume from "${outputDir}": it is another quantisation\n` +
      `  target: was "any", is "vnni"\n  ranges: was "auto", is "percentile"\n` +
      "  calibration: was 24 pictures, is 20, or others\n" +
      "  help: pass the same model, data and options, or begin anew, without { resumeFrom: ... }",
  );
  const weights = { ...run.model.weights, "classifier.bias": run.model.weights["classifier.bias"]! };
  weights["classifier.bias"] = { dtype: "float32", shape: [3], data: Float32Array.of(1, 2, 3) };
  const model = await failure(quantize({ ...run.model, weights } as Model, data, wanted));
  assert.match(
    model.message,
    /: it is another quantisation\n {2}model: the weights in float differ\n {2}help: /,
  );
  await Deno.remove(join(outputDir, "post_training.safetensors"));
  const part = await failure(quantize(run, data, wanted));
  assert.match(
    part.message,
    /: post_training\.safetensors is missing, which quantize writes before it trains\n/,
  );
});

Deno.test("quantize() that is stopped after its fine-tuning says how it goes on", async () => {
  const stop = new AbortController();
  const outputDir = freshFolder();
  const stopped = await failure(quantize(run, data, {
    ...quick,
    epochs: 1,
    outputDir,
    signal: stop.signal,
    onEvent: ({ type }) => type === "end" && stop.abort(),
  }));
  assert.equal(stopped.name, "AbortError");
  assert.match(
    stopped.message,
    /^The quantisation was stopped after its fine-tuning; its state is in ".*"\n {2}help: go on with quantize\(/,
  );
});

Deno.test("quantize() fails with what a listener throws, whatever it is told of", async () => {
  for (const step of ["calibration", "statistics", "layers"]) {
    const error = await failure(quantize(run, data, {
      ...quick,
      fineTune: false,
      outputDir: freshFolder(),
      onEvent: (event) => {
        if (event.type === "quantization" && event.step === step) throw new Error(`at ${step}`);
      },
    }));
    assert.equal(error.message, `at ${step}`);
  }
});

Deno.test("quantize() does not replace weights in float, wherever its model comes from", async () => {
  const before = await Deno.readFile(run.checkpoint);
  for (const source of [run, run.model, run.checkpoint]) {
    const error = await failure(quantize(source, data, { ...quick, outputDir: run.outputDir }));
    assert.equal(
      error.message,
      `Cannot write to "${run.outputDir}": it holds the float weights, and those in int8 would replace them\n` +
        "  help: pass { outputDir: ... }, another folder",
    );
  }
  assert.deepEqual(await Deno.readFile(run.checkpoint), before);
});

Deno.test("quantize() leaves out pictures that cannot be read where that is wanted, and tells of them", async () => {
  const broken = { image: Uint8Array.of(1, 2, 3), label: 0, name: "broken.jpg" };
  const samples = [broken, ...data.train.samples.slice(0, 20)];
  const { result, events } = await quantized({
    fineTune: false,
    calibration: { ...data.train, samples },
    onUnreadable: "skip",
  });
  assert.equal(result.calibrationPictures, 20);
  const warnings = events.flatMap((event) => event.type === "warning" ? [event.message] : []);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /^1 picture is skipped, because it cannot be read: broken\.jpg \(.+\)$/);
});

Deno.test("quantize() takes networks with a cosine classifier, and finds it among the runtime's operations", async () => {
  const record = modelRecord("mobilenetv3_small_100");
  const { parameters } = createNetwork(record, { numClasses: 3, head: "cosine" });
  const model = createModel({
    record,
    classNames: data.classNames,
    preprocessing: run.model.preprocessing,
    weights: initialise(parameters, 1),
  });
  const settings = { ...quick, epochs: 1, learningRate: 1e-4 };
  const result = await quantize(model, data, { ...settings, outputDir: freshFolder(), onEvent: () => {} });
  assert.equal(result.model.network.head, "cosine");
  assert.ok(
    result.layers.every(({ kernel }) => /_i8$/i.test(kernel ?? "")),
    Deno.inspect(result.layers.at(-1)),
  );
  const images = data.validation.samples.map(({ image }) => image);
  const wanted = await result.model.logits(images);
  const found = await (await loadModel(result.checkpoint)).logits(images);
  found.forEach((row, at) => assert.deepEqual(row, wanted[at]));
});

Deno.test("quantize() refuses what it cannot quantise, before it begins", async () => {
  const again = await failure(quantize(post, data, quick));
  assert.equal(
    again.message,
    "Cannot quantise this model: it is quantised already\n  help: pass the model in float that it was made from",
  );
  const classNames = ["disc", "ring", "cross"];
  const other = {
    ...data,
    classNames,
    train: { ...data.train, classNames },
    validation: { ...data.validation, classNames },
  };
  const classes = await failure(quantize(run, other, quick));
  assert.match(
    classes.message,
    /^Cannot quantise: the model's classes are "disc", "square", "cross", and the data's are "disc", "ring", "cross"\n/,
  );
  const few = await failure(quantize(run, data, { ...quick, calibration: 3 }));
  assert.equal(
    few.message,
    "Cannot quantise: there are 3 calibration pictures, wanted at least 16, better 300\n" +
      "  help: pass { calibration: 300 }, or train on more pictures",
  );
  const wrong = {
    calibration: {} as Dataset,
    logs: ["txt" as "csv"],
    auxiliaryModels: [{ model: "x", weight: 1 } as never],
  };
  const types = await failure(quantize(run, data, wrong));
  assert.match(types.message, /: found an object, wanted a whole number of at least 1, or a data set\n/);
  assert.match(types.message, /\n {2}logs: found "txt", wanted "csv", "jsonl" or "tensorboard"\n/);
  assert.match(types.message, /\n {2}auxiliaryModels\[0\]\.weight: /);
  const options = await failure(
    quantize(run, data, { maxDrop: 2, target: "gpu" as "any", fineTune: false, epochs: 3, batchSize: 4 }),
  );
  assert.equal(
    options.message,
    "Cannot run quantize(): 4 options have values that cannot be used\n" +
      "  maxDrop: found 2, wanted a number from 0 up to, not including, 1\n" +
      '  target: found "gpu", wanted "any" or "vnni"\n' +
      "  epochs: found 3, wanted nothing with { fineTune: false }\n" +
      "  batchSize: found 4, wanted nothing with { fineTune: false }\n" +
      "  help: leave an option out to get its default",
  );
  const unknown = await failure(quantize(run, data, { maxdrop: 0.1 } as QuantizeOptions));
  assert.match(unknown.message, /maxdrop.*did you mean "?maxDrop/s);
});
