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
  assert.ok(timed.every(({ kernel }) => kernel!.endsWith("I8")), "in int8 kernels");
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
  const settings = { epochs: 2, learningRate: 0.001, seed: 3 } as const;
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
  const resumed = await quantize(run, data, { ...quick, resumeFrom: outputDir, onEvent: () => {} });
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

Deno.test("quantize() says when its promise cannot be kept, and leaves no checkpoint", async () => {
  const outputDir = freshFolder();
  // A file that is more accurate than the model by a tenth is not to be had.
  const error = await failure(quantize(run, data, {
    ...quick,
    fineTune: false,
    maxDrop: 0,
    maxFloatLayers: 0,
    outputDir,
    onEvent: (event) => {
      if (event.type === "accuracy" && event.drop.drop <= 0) throw new Error("it is as accurate");
    },
  }));
  assert.ok(error instanceof AccuracyDropError || error.message === "it is as accurate", error.message);
  await assert.rejects(Deno.stat(join(outputDir, "best.safetensors")), Deno.errors.NotFound);
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
    /^Cannot quantise: the model's classes are .*, and the data's are disc, ring, cross\n/,
  );
  const few = await failure(quantize(run, data, { ...quick, calibration: 3 }));
  assert.equal(
    few.message,
    "Cannot quantise: there are 3 calibration pictures, wanted at least 16, better 300\n" +
      "  help: pass { calibration: 300 }, or train on more pictures",
  );
  const options = await failure(
    quantize(run, data, { maxDrop: 2, target: "gpu" as "any", fineTune: false, epochs: 3 }),
  );
  assert.equal(
    options.message,
    "Cannot run quantize(): 3 options have values that cannot be used\n" +
      "  maxDrop: found 2, wanted a number from 0 up to, not including, 1\n" +
      '  target: found "gpu", wanted "any" or "vnni"\n' +
      "  epochs: found 3, wanted nothing with { fineTune: false }\n" +
      "  help: leave an option out to get its default",
  );
  const unknown = await failure(quantize(run, data, { maxdrop: 0.1 } as QuantizeOptions));
  assert.match(unknown.message, /maxdrop.*did you mean "?maxDrop/s);
});
