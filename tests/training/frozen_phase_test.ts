/** Runs that begin with only the classifier learning, with the techniques that meet it there. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { evaluate } from "../../lib/evaluate.ts";
import { fineTune, type FineTuneOptions } from "../../lib/fine_tune.ts";
import { sampleLosses } from "../../lib/metrics/log_loss.ts";
import { openModel } from "../../lib/models/open_model.ts";
import { readSafetensors } from "../../lib/models/weights/safetensors.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { loadResume } from "../../lib/training/checkpoint.ts";
import type { EpochEvent, StepEvent } from "../../lib/training/events.ts";
import { oneCycle } from "../../lib/training/one_cycle.ts";
import { type Moment, smallData, stepsPerEpoch, trainAndDie, trainSmall } from "./_killed_run.ts";
import { hashTensors, readRunFolder } from "./_run_folder.ts";
import { collectEvents, failure, freshFolder } from "./_runs.ts";

/** Weights that know something, trained once. */
let known: Promise<string> | undefined;
async function weights(): Promise<string> {
  known ??= trainSmall({ outputDir: freshFolder(), logs: [], epochs: 3, seed: 1 }).then((run) =>
    run.checkpoint
  );
  return await known;
}

/** Two frozen epochs and two others, with much that a resumed run could get wrong. */
async function frozenOptions(): Promise<FineTuneOptions> {
  return {
    weights: await weights(),
    loss: "amSoftmax",
    warmUpEpochs: 0,
    schedule: "oneCycle",
    oneCycle: { percentStart: 0.5, anneal: "linear" },
    layerDecay: 0.8,
    freezeEpochs: 2,
    freezeLearningRate: 0.1,
    noBiasDecay: true,
    sam: { rho: 0.05 },
    ema: { decay: 0.9 },
    dropout: 0.1,
    mixup: { alpha: 0.4 },
  };
}

let whole: Promise<string> | undefined;
function uninterrupted(): Promise<string> {
  return whole ??= frozenOptions().then((options) => trainSmall({ ...options, outputDir: freshFolder() }))
    .then((run) => run.outputDir);
}

const moments: [string, Moment[]][] = [
  ["in a frozen epoch", [{ at: "step", epoch: 0, step: 2 }]],
  ["while a frozen epoch was validated", [{ at: "validation" }]],
  ["between the row of the last frozen epoch and its files, and in its last step", [
    { at: "epoch", epoch: 1 },
    { at: "step", epoch: 1, step: stepsPerEpoch - 1 },
  ]],
  ["in the first step of all parameters, and in the last epoch", [
    { at: "step", epoch: 2, step: 0 },
    { at: "step", epoch: 3, step: 1 },
  ]],
];

for (const [when, kills] of moments) {
  Deno.test(`train() with frozen epochs, killed ${when} and resumed, ends as if it never was`, async () => {
    const outputDir = freshFolder(), options = await frozenOptions();
    for (const [count, moment] of kills.entries()) {
      await trainAndDie({ ...options, outputDir, ...(count === 0 ? {} : { resumeFrom: outputDir }) }, moment);
    }
    const run = await trainSmall({ ...options, resumeFrom: outputDir });
    assert.equal(run.stopped, "completed");
    assert.deepEqual(await readRunFolder(outputDir), await readRunFolder(await uninterrupted()));
  });
}

Deno.test("train() stopped while features are computed, in frozen epochs and between the phases goes on", async () => {
  const options = await frozenOptions(), outputDir = freshFolder();
  const stops: ((event: { type: string; epoch?: number; step?: number; done?: number }) => boolean)[] = [
    ({ type, done }) => type === "features" && done! >= 8,
    ({ type, epoch, step }) => type === "step" && epoch === 0 && step === 3,
    ({ type }) => type === "features",
    ({ type, epoch }) => type === "epoch" && epoch === 1,
  ];
  const stood: [number, number][] = [];
  for (const [index, isMoment] of stops.entries()) {
    const controller = new AbortController();
    const run = await trainSmall({
      ...options,
      ...(index === 0 ? { outputDir } : { resumeFrom: outputDir }),
      signal: controller.signal,
      onEvent: (event) => isMoment(event) && controller.abort(),
    });
    assert.equal(run.stopped, "interrupted");
    const { epoch, step } = (await loadResume(outputDir)).state;
    stood.push([epoch, step]);
    // What is written can be used at any time.
    assert.deepEqual((await openModel(run.checkpoint)).classNames, ["disc", "square", "cross"]);
  }
  assert.deepEqual(stood, [[0, 0], [0, 4], [0, 4], [2, 0]]);
  await trainSmall({ ...options, resumeFrom: outputDir });
  assert.deepEqual(await readRunFolder(outputDir), await readRunFolder(await uninterrupted()));
});

Deno.test("train() in frozen epochs changes the classifier only, and measures what evaluate() measures", async () => {
  const data = smallData(), outputDir = freshFolder();
  const first = (await openModel(await weights())).weights;
  const stop = new AbortController();
  const { events, onEvent } = collectEvents();
  const run = await trainSmall({
    ...await frozenOptions(),
    outputDir,
    signal: stop.signal,
    onEvent: (event) => {
      onEvent(event);
      if (event.type === "epoch" && event.epoch === 1) stop.abort();
    },
  }, data);
  const changed = Object.keys(run.model.weights).filter((name) =>
    name in first &&
    hashTensors({ a: first[name]! })["a"] !== hashTensors({ a: run.model.weights[name]! })["a"]
  );
  assert.deepEqual(changed, ["classifier.weight"]);
  const rows = events.filter((event): event is EpochEvent => event.type === "epoch");
  assert.deepEqual(
    rows.map(({ phase, epoch, epochs, learningRate }) => [phase, epoch, epochs, learningRate]),
    [
      ["frozen", 0, 4, 0.1],
      ["frozen", 1, 4, 0.1],
    ],
  );
  assert.ok(rows.every((row) => !("averageTop1" in row) && Number.isNaN(row.remainingSeconds)));
  const evaluation = await evaluate(run.checkpoint, data.validation);
  assert.equal(evaluation.top1, run.best!.validationTop1);
  // By the whole network, where the run took cached features.
  const logits = await run.model.logits(data.validation.samples.map(({ image }) => image));
  const losses = sampleLosses(logits, data.validation.samples.map(({ label }) => label));
  const loss = losses.reduce((sum, each) => sum + each, 0) / losses.length;
  assert.ok(Math.abs(loss - run.best!.validationLoss) < 1e-5, `${loss}, not ${run.best!.validationLoss}`);

  // Between the phases all is as at the start of a run: no velocity, and averages of the weights as they are.
  const { tensors, state } = await loadResume(outputDir);
  assert.deepEqual([state.epoch, state.step], [2, 0]);
  for (const [name, { data }] of Object.entries(tensors)) {
    if (name.startsWith("velocities/")) assert.ok((data as Float32Array).every((value) => value === 0), name);
    const parameter = tensors[name.replace("average/", "parameters/")];
    if (name.startsWith("average/") && parameter) assert.deepEqual(data, parameter.data, name);
  }
});

Deno.test("train() after frozen epochs follows the schedule from its start", async () => {
  const { events, onEvent } = collectEvents();
  const options = await frozenOptions();
  const run = await trainSmall({ ...options, outputDir: freshFolder(), onEvent });
  assert.deepEqual(events.filter(({ type }) => type === "warning"), []); // nothing runs elsewhere than expected
  const steps = events.filter((event): event is StepEvent => event.type === "step");
  assert.equal(steps.length, 4 * stepsPerEpoch);
  const cycle = oneCycle(0.02, 2 * stepsPerEpoch, options.oneCycle);
  for (const [index, { learningRate, momentum, epoch, step }] of steps.entries()) {
    assert.deepEqual([epoch, step], [Math.floor(index / stepsPerEpoch), index % stepsPerEpoch]);
    const wanted = index < 2 * stepsPerEpoch
      ? { learningRate: 0.1, momentum: undefined }
      : cycle(index - 2 * stepsPerEpoch);
    assert.deepEqual({ learningRate, momentum }, wanted);
  }
  // An epoch's row has the rate of its last step.
  assert.deepEqual(
    run.history.map(({ learningRate }) => learningRate),
    [0.1, 0.1, cycle(stepsPerEpoch - 1).learningRate, cycle(2 * stepsPerEpoch - 1).learningRate],
  );
  assert.deepEqual(run.history.map(({ phase }) => phase), ["frozen", "frozen", undefined, undefined]);
  assert.ok(
    run.history.slice(2).every(({ rawTop1, averageTop1 }) =>
      rawTop1 !== undefined && averageTop1 !== undefined
    ),
  );
  const [start] = events;
  assert.ok(start!.type === "start" && start.freezeEpochs === 2 && start.epochs === 4);
  const features = events.flatMap((event) => event.type === "features" ? [event.done] : []);
  // 26 pictures to train on and 15 to validate with, four a batch.
  assert.deepEqual(features, [4, 8, 12, 16, 20, 24, 26, 30, 34, 38, 41]);
  const csv = (await Deno.readTextFile(join(run.outputDir, "history.csv"))).trimEnd().split("\n");
  assert.match(csv[0]!, /,learningRate,phase$/);
  assert.deepEqual(csv.slice(1).map((row) => row.split(",").at(-1)), ["frozen", "frozen", "", ""]);
});

Deno.test("train() with frozen epochs lets auxiliary models begin with the others, and early stopping count from there", async () => {
  const run = await trainSmall({
    weights: await weights(),
    freezeEpochs: 3,
    warmUpEpochs: 0,
    epochs: 3,
    learningRate: 1e-9,
    freezeLearningRate: 1e-9,
    earlyStoppingPatience: 1,
    auxiliaryModels: [{ model: "mobilenetv3_small_100", weights: null, dropout: 0.2 }],
    outputDir: freshFolder(),
    logs: [],
  });
  // No epoch is better than the first: three frozen ones do not count, the one after them is what the next is measured by,
  // and that one is no better.
  assert.equal(run.stopped, "early-stopping");
  assert.equal(run.history.length, 5);
  const { tensors } = await readSafetensors(join(run.outputDir, "auxiliary_1.safetensors"));
  assert.ok("classifier.weight" in tensors);
});

Deno.test("train() with frozen epochs skips what cannot be read, and tells once", async () => {
  const data = smallData();
  const samples = data.train.samples.map((sample, index) =>
    index % 8 === 3 ? { ...sample, image: new Uint8Array(10) } : sample
  );
  const { events, onEvent } = collectEvents();
  await trainSmall({
    weights: await weights(),
    freezeEpochs: 1,
    onUnreadable: "skip",
    outputDir: freshFolder(),
    logs: [],
    onEvent,
  }, { ...data, train: { ...data.train, samples } });
  const told = events.flatMap((event) => event.type === "warning" ? [event.message.split(":")[0]] : []);
  assert.deepEqual(told, ["3 pictures are skipped, because they cannot be read"]);
  assert.equal(events.filter(({ type }) => type === "step").length, 3 * stepsPerEpoch);
  const none = data.train.samples.map((sample) => ({ ...sample, image: new Uint8Array(10) }));
  const error = await failure(trainSmall({
    weights: await weights(),
    freezeEpochs: 1,
    onUnreadable: "skip",
    outputDir: freshFolder(),
    logs: [],
  }, { ...data, train: { ...data.train, samples: none } }));
  assert.match(error.message, /^Cannot load data set "shapes\/train": 26 of 26 pictures are not readable\n/);
});

Deno.test("train() that diverges in a frozen epoch names its rate", async () => {
  const error = await failure(trainSmall({
    weights: await weights(),
    freezeEpochs: 1,
    freezeLearningRate: 1e38,
    outputDir: freshFolder(),
    logs: [],
  }));
  assert.match(error.message, /with learning rate 1e\+38\n/);
  assert.match(
    error.message,
    /\n {2}help: train with a smaller learning rate, e\.g\. \{ freezeLearningRate: 1e\+37 \}$/,
  );
});

Deno.test("fineTune() refuses frozen epochs and one cycle with what contradicts them", async () => {
  const error = await failure(trainSmall({ freezeEpochs: 1, schedule: "oneCycle", recipe: { plateau: {} } }));
  assert(error instanceof RangeError);
  assert.equal(
    error.message,
    "Cannot run fineTune(): 3 options have values that cannot be used\n" +
      '  plateau: found an object, wanted nothing with the schedule "oneCycle"\n' +
      '  warmUpEpochs: found 1, wanted 0 with the schedule "oneCycle", which begins low by itself\n' +
      "  freezeEpochs: found 1, wanted 0 with { weights: null }: random weights are not worth keeping as they are\n" +
      "  help: leave an option out to get its default",
  );
  const others = await failure(trainSmall({ oneCycle: {}, freezeLearningRate: 0.1 }));
  assert.equal(
    others.message,
    "Cannot run fineTune(): 2 options have values that cannot be used\n" +
      '  oneCycle: found an object, wanted nothing with the schedule "cosine"\n' +
      "  freezeLearningRate: found 0.1, wanted nothing without freezeEpochs\n" +
      "  help: leave an option out to get its default",
  );
});

Deno.test("fineTune() refuses values of one cycle, layer decay and frozen epochs, all at once", async () => {
  const error = await failure(trainSmall({
    schedule: "onecycle",
    oneCycle: {
      percentStart: 1,
      divisor: 0.5,
      finalDivisor: "1e4",
      anneal: "cosine",
      momentum: [0.95, 0.85],
      div: 3,
    },
    layerDecay: 0,
    freezeEpochs: 0.5,
    freezeLearningRate: 0,
  } as unknown as FineTuneOptions));
  assert.equal(
    error.message,
    "Cannot run fineTune(): 10 options have values that cannot be used\n" +
      '  schedule: found "onecycle", wanted "cosine", "constant", "plateau" or "oneCycle"\n' +
      "  oneCycle.div: found 3, wanted no other settings than percentStart, divisor, finalDivisor, anneal, momentum " +
      '(did you mean "divisor"?)\n' +
      "  oneCycle.percentStart: found 1, wanted a number from 0 up to, not including, 1\n" +
      "  oneCycle.divisor: found 0.5, wanted a number of at least 1\n" +
      '  oneCycle.finalDivisor: found "1e4", wanted a number of at least 1\n' +
      '  oneCycle.anneal: found "cosine", wanted "cos" or "linear"\n' +
      "  oneCycle.momentum: found an array of 2, wanted two numbers from 0 up to, not including, 1, the lower one " +
      "first, or null\n" +
      "  layerDecay: found 0, wanted a number above 0, up to 1\n" +
      "  freezeEpochs: found 0.5, wanted a whole number of at least 0\n" +
      "  freezeLearningRate: found 0, wanted a number above 0\n" +
      "  help: leave an option out to get its default",
  );
});

Deno.test("fineTune() refuses to go on with other frozen epochs or layer decay", async () => {
  const folder = await uninterrupted();
  const error = await failure(fineTune("mobilenetv3_small_100", smallData(), {
    resumeFrom: folder,
    freezeEpochs: 0,
    layerDecay: 1,
    schedule: "cosine",
  }));
  assert.equal(
    error.message,
    `Cannot resume from "${folder}": it is another run\n` +
      '  schedule: was "oneCycle", is "cosine"\n  layerDecay: was 0.8, is 1\n  freezeEpochs: was 2, is 0\n' +
      "  help: pass the same model, data and options, or start a new run from its weights",
  );
});

Deno.test("train() with frozen epochs leaves no native tensor behind", async () => {
  await uninterrupted();
  const before = tf.memory().numTensors;
  await trainSmall({ weights: await weights(), freezeEpochs: 1, outputDir: freshFolder(), logs: [] });
  assert.equal(tf.memory().numTensors, before);
});

Deno.test("train() with frozen epochs balances classes in them too, and goes on with the same pictures", async () => {
  const options: FineTuneOptions = {
    ...await frozenOptions(),
    classWeights: undefined,
    sampler: "balanced",
    logs: [],
  };
  const whole = await trainSmall({ ...options, outputDir: freshFolder() });
  const outputDir = freshFolder(), stop = new AbortController();
  await trainSmall({
    ...options,
    outputDir,
    signal: stop.signal,
    onEvent: (event) => event.type === "step" && event.epoch === 1 && event.step === 2 && stop.abort(),
  });
  const rest = await trainSmall({ ...options, resumeFrom: outputDir });
  assert.deepEqual(rest.history, whole.history);
  assert.deepEqual(hashTensors(rest.model.weights), hashTensors(whole.model.weights));
});
