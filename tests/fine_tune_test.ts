import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Dataset, DatasetSplits } from "../lib/data/dataset.ts";
import { DatasetError } from "../lib/data/dataset_error.ts";
import { evaluate } from "../lib/evaluate.ts";
import { fineTune, type FineTuneOptions } from "../lib/fine_tune.ts";
import { loadModel } from "../lib/load_model.ts";
import { bf16Unavailable } from "../lib/onednn/availability.ts";
import { startBackend } from "../lib/tensorflow/backend.ts";
import { CheckpointError, loadResume } from "../lib/training/checkpoint.ts";
import { trainSmall } from "./training/_killed_run.ts";
import { hashTensors } from "./training/_run_folder.ts";
import { collectEvents, failure, freshFolder } from "./training/_runs.ts";
import { shapeNames, shapeSplits } from "./training/_shapes.ts";

const small = "mobilenetv3_small_100";

/** A cheap run whose numbers do not matter, unless options say more. */
function quickRun(options: FineTuneOptions = {}, data: DatasetSplits = tiny()) {
  return fineTune(small, data, {
    weights: null,
    imageSize: 32,
    batchSize: 8,
    epochs: 1,
    view: false,
    logs: [],
    outputDir: freshFolder(),
    ...options,
  });
}

/** 18 pictures to train on, 6 to validate with. */
function tiny(): DatasetSplits {
  return shapeSplits({ train: 6, validation: 2 });
}

// --- Learning ---

Deno.test("fineTune() learns coloured shapes from scratch", async () => {
  const data = shapeSplits({ train: 40, validation: 12 });
  const run = await quickRun({ epochs: 10, learningRate: 0.02 }, data);
  assert.equal(run.stopped, "completed");
  assert.equal(run.history.length, 10);
  assert.ok(run.best!.validationTop1 > 0.95, `the best validation top-1 is ${run.best!.validationTop1}`);
  assert.ok(run.history.at(-1)!.trainLoss < run.history[0]!.trainLoss / 2);
  // The model in the result is the best one, as the file is.
  const evaluation = await evaluate(run, data.validation);
  assert.equal(evaluation.top1, run.best!.validationTop1);
  assert.ok(Math.abs(evaluation.loss - run.best!.validationLoss) < 1e-4);
  assert.deepEqual(hashTensors((await loadModel(run.checkpoint)).weights), hashTensors(run.model.weights));
});

Deno.test("fineTune() with class weights gives rare classes the same say", async () => {
  // Both classes look the same, so that all a network can learn is how likely each is.
  const discs = shapeSplits({ train: [20, 0, 0], validation: [6, 0, 0] });
  const classNames = ["often", "rare"];
  const relabel = (set: Dataset, rare: number): Dataset => ({
    ...set,
    classNames,
    samples: set.samples.map((sample, index) => ({ ...sample, label: index < rare ? 1 : 0 })),
  });
  const data = { classNames, train: relabel(discs.train, 2), validation: relabel(discs.validation, 3) };
  const lossOf = async (classWeights?: "auto") => {
    const run = await quickRun({ epochs: 12, batchSize: 20, learningRate: 0.01, classWeights }, data);
    return run.history.at(-1)!.trainLoss;
  };
  const plain = await lossOf(), weighted = await lossOf("auto");
  const found = `${plain} without weights, ${weighted} with them`;
  // Knowing nothing costs 0.33 where 1 of 10 is rare, and 0.69 where both weigh the same.
  assert.ok(weighted > 1.1 * plain, found);
});

Deno.test("fineTune() warms up, smooths labels and stops early", async () => {
  const { events, onEvent } = collectEvents();
  const run = await quickRun({
    epochs: 20,
    learningRate: 1e-7, // nothing changes, so nothing gets better
    warmUpEpochs: 2,
    labelSmoothing: 0.2,
    earlyStoppingPatience: 2,
    onEvent,
  });
  assert.equal(run.stopped, "early-stopping");
  assert.equal(run.history.length, 3);
  assert.equal(run.best!.epoch, 0);
  assert.deepEqual(run.history.map(({ learningRate }) => Number((learningRate * 1e7).toFixed(4))), [
    0.1,
    0.55,
    1,
  ]);
  const end = events.at(-1)!;
  assert.ok(end.type === "end" && end.stopped === "early-stopping" && end.bestEpoch === 0);
  const resumed = await quickRun({ resumeFrom: run.outputDir, epochs: 20 });
  assert.equal(resumed.stopped, "early-stopping", "a run that stopped early is over");
});

Deno.test("fineTune() trains on fewer pictures than a batch", async () => {
  const { events, onEvent } = collectEvents();
  const run = await quickRun({ batchSize: 64, onEvent }, shapeSplits({ train: 2, validation: 1 }));
  const start = events[0]!;
  assert.ok(start.type === "start" && start.batchSize === 6 && start.stepsPerEpoch === 1);
  assert.equal(run.history.length, 1);
});

Deno.test("fineTune() does the same again with the same seed, and something else with another", async () => {
  const runs = [];
  for (const seed of [3, 3, 4]) runs.push(await quickRun({ seed }));
  const [first, again, other] = runs.map(({ model, history }) =>
    JSON.stringify([hashTensors(model.weights), history])
  );
  assert.equal(first, again);
  assert.notEqual(first, other);
});

// --- Where a run begins ---

Deno.test("fineTune() goes on from a model or a checkpoint, with a new classifier for other classes", async () => {
  const first = await quickRun();
  // A learning rate that is 0 as float32: what is left are the weights the run began with.
  const still = { learningRate: 1e-50, weightDecay: 0, momentum: 0 };
  for (const source of [first.model, first.checkpoint]) {
    const same = await fineTune(source, tiny(), { ...still, ...noise() });
    assert.deepEqual(parameters(same.model.weights), parameters(first.model.weights));
    assert.deepEqual(same.model.preprocessing, first.model.preprocessing);
    const two = { ...tiny(), classNames: ["round", "angular"] };
    const relabel = (set: Dataset): Dataset => ({
      ...set,
      classNames: two.classNames,
      samples: set.samples.map((sample) => ({ ...sample, label: Math.min(sample.label, 1) })),
    });
    const other = await fineTune(source, {
      ...two,
      train: relabel(two.train),
      validation: relabel(two.validation),
    }, { ...still, ...noise() });
    assert.deepEqual(other.model.classNames, two.classNames);
    assert.deepEqual(other.model.weights["classifier.weight"]!.shape, [1024, 2]);
    const { "classifier.weight": _w, "classifier.bias": _b, ...features } = parameters(first.model.weights);
    const { "classifier.weight": _ow, "classifier.bias": _ob, ...others } = parameters(other.model.weights);
    assert.deepEqual(others, features);
  }
  const larger = await fineTune(first.model, tiny(), { ...noise(), imageSize: 64 });
  assert.deepEqual(larger.model.preprocessing.size, { height: 64, width: 64 });
  assert.deepEqual((await loadModel(larger.checkpoint)).preprocessing.size, { height: 64, width: 64 });

  const { message } = await failure(fineTune(first.model, tiny(), { ...noise(), weights: null }));
  assert.equal(
    message,
    "Cannot run fineTune(): weights are given twice, by the model and by { weights: null }\n" +
      "  help: pass a model id with weights, or the model without",
  );
});

function noise(): FineTuneOptions {
  return { batchSize: 8, epochs: 1, view: false, logs: [], outputDir: freshFolder() };
}

function parameters(weights: Parameters<typeof hashTensors>[0]): Record<string, string> {
  return Object.fromEntries(Object.entries(hashTensors(weights)).filter(([name]) => !/running_/.test(name)));
}

// --- What it warns of ---

Deno.test("fineTune() warns of unequal classes, of a run it replaces and of pictures it skips", async () => {
  const outputDir = freshFolder();
  const warningsOf = async (options: FineTuneOptions, data?: DatasetSplits) => {
    const { events, onEvent } = collectEvents();
    await quickRun({ outputDir, logs: ["jsonl"], ...options, onEvent }, data);
    const logged = (await Deno.readTextFile(join(outputDir, "events.jsonl"))).trimEnd().split("\n")
      .map((line) => JSON.parse(line)).filter(({ type }) => type === "warning").map(({ message }) => message);
    const warnings = events.flatMap((event) => event.type === "warning" ? [event.message] : []);
    assert.deepEqual(logged, warnings);
    return warnings;
  };
  const unequal = shapeSplits({ train: [24, 24, 2], validation: 2 });
  assert.deepEqual(await warningsOf({}, unequal), [
    'The largest class has 12 times the pictures of the smallest; { classWeights: "auto" } or ' +
    '{ sampler: "balanced" } gives them the same say',
  ]);
  for (const options of [{ classWeights: "auto" }, { recipe: { sampler: "balanced" } }] as const) {
    assert.deepEqual(await warningsOf(options, unequal), [
      `"${outputDir}" holds an earlier run, which this one replaces`,
    ]);
  }
  const data = tiny();
  const damaged = {
    ...data,
    train: {
      ...data.train,
      samples: data.train.samples.map((sample, index) =>
        index === 3 ? { ...sample, image: new Uint8Array([1, 2, 3]) } : sample
      ),
    },
  };
  const warnings = await warningsOf({ onUnreadable: "skip", batchSize: 18, epochs: 2 }, damaged);
  assert.equal(warnings.length, 2);
  assert.match(warnings[1]!, /^1 picture is skipped, because it cannot be read: disc\/3\.png \(.+\)$/);
  const { message } = await failure(quickRun({ batchSize: 18 }, damaged));
  assert.match(
    message,
    /^Cannot load data set "shapes\/train": 1 of 18 pictures are not readable\n {2}disc\/3\.png: /,
  );
});

// --- What it refuses ---

Deno.test("fineTune() refuses unknown options and values at once, all of them", async () => {
  const unknown = await failure(
    fineTune(small, tiny(), { epoch: 3, batchsize: 4, lr: 1 } as FineTuneOptions),
  );
  assert.ok(unknown instanceof TypeError);
  assert.match(
    unknown.message,
    /^Cannot run fineTune\(\): 3 options are not known\n.*epoch.*"epochs".*\n.*batchsize.*"batchSize".*\n.*lr/,
  );
  const values = await failure(
    fineTune(small, tiny(), {
      epochs: 0,
      learningRate: NaN,
      labelSmoothing: 1,
      momentum: 2,
      weights: 5,
      logs: ["tensorbord"],
      signal: "now",
      device: "tpu",
    } as unknown as FineTuneOptions),
  );
  assert.ok(values instanceof TypeError);
  assert.equal(
    values.message,
    "Cannot run fineTune(): 8 options have values that cannot be used\n" +
      "  epochs: found 0, wanted a whole number of at least 1\n" +
      "  learningRate: found NaN, wanted a number above 0\n" +
      "  labelSmoothing: found 1, wanted a number from 0 up to, not including, 1\n" +
      "  momentum: found 2, wanted a number from 0 up to, not including, 1\n" +
      "  weights: found 5, wanted a string\n" +
      '  device: found "tpu", wanted "auto", "cpu" or "gpu"\n' +
      '  signal: found "now", wanted an AbortSignal\n' +
      '  logs: found "tensorbord", wanted "csv", "jsonl" or "tensorboard"\n' +
      "  help: leave an option out to get its default",
  );
  const warmUp = await failure(quickRun({ epochs: 3, warmUpEpochs: 3 }));
  assert.ok(warmUp.message.includes("warmUpEpochs: found 3, wanted fewer than the 3 epochs"), warmUp.message);
  const weights = await failure(quickRun({ classWeights: { dsic: 2 } }));
  assert.ok(weights.message.startsWith('Cannot weigh the classes of "shapes/train": 1 of 1 names'));
  assert.ok(weights.message.includes("disc"));
});

Deno.test("fineTune() refuses what is no model", async () => {
  assert.equal(
    (await failure(fineTune(undefined as unknown as string, tiny()))).message,
    "Cannot run fineTune(): found undefined for the model, wanted a model id, the path of a checkpoint or a model\n" +
      '  help: write for example fineTune("tf_efficientnet_lite0", data)',
  );
  const unknown = await failure(fineTune("mobilenetv3_smal_100", tiny()));
  assert.ok(unknown instanceof RangeError);
  assert.match(
    unknown.message,
    /^Cannot find model "mobilenetv3_smal_100": did you mean "mobilenetv3_small_100"\?\n/,
  );
});

Deno.test("fineTune() refuses data that cannot be trained on", async () => {
  const messageOf = async (data: unknown) => {
    const error = await failure(fineTune(small, data as DatasetSplits, { weights: null }));
    assert.ok(error instanceof DatasetError, error.message);
    return error.message;
  };
  const data = tiny();
  const help = '  help: pass what imageFolders("folder") returns, or { classNames, train, validation }';
  for (const wrong of [undefined, data.train, { ...data, validation: undefined }]) {
    assert.equal(
      await messageOf(wrong),
      `Cannot train: the data must have class names, a training and a validation set\n${help}`,
    );
  }
  assert.equal(
    await messageOf({ ...data, validation: { ...data.validation, samples: [] } }),
    `Cannot train: "shapes/val" has no pictures\n${help}`,
  );
  assert.equal(
    await messageOf({ ...data, classNames: ["disc"] }),
    'Cannot make data set "shapes/train": at least two classes are needed, there is one, "disc"\n' +
      "  help: a classifier tells classes apart: add pictures of another class",
  );
  assert.match(
    await messageOf({ ...data, classNames: ["disc", "square"] }),
    /^Cannot train: 6 of 18 labels of "shapes\/train" are not classes\n {2}cross\/0\.png: label 2 is not an index 0 to 1\n/,
  );
});

Deno.test("fineTune() refuses a folder it cannot write to", async () => {
  const file = freshFolder();
  await Deno.mkdir(join(file, ".."), { recursive: true });
  await Deno.writeTextFile(file, "");
  const error = await failure(quickRun({ outputDir: join(file, "run") }));
  assert.ok(error instanceof CheckpointError);
  const help = "help: pass { outputDir: ... }, a folder that you may write to";
  assert.equal(
    error.message,
    `Cannot write to "${join(file, "run")}": a file stands where its folder should be\n  ${help}`,
  );
  const before = await failure(quickRun({ outputDir: join(file, "run"), weights: join(file, "none.pth") }));
  assert.equal(before.message, error.message, "the folder is looked at before weights are read or fetched");
  if (Deno.build.os === "windows") return;
  const closed = freshFolder();
  await Deno.chmod(join(closed, ".."), 0o755);
  await Deno.mkdir(closed, { mode: 0o555 });
  await startBackend();
  const user = process.geteuid!();
  if (user === 0) process.seteuid!(65534); // root may write everywhere
  const { message } = await failure(quickRun({ outputDir: closed }))
    .finally(() => user === 0 && process.seteuid!(user));
  assert.equal(message, `Cannot write to "${closed}": no permission to write there\n  ${help}`);
});

// --- Resuming ---

Deno.test("fineTune() resumes its own run only: every difference is named", async () => {
  const run = await trainSmall({ outputDir: freshFolder(), epochs: 2 });
  const other = await failure(fineTune("mobilenetv3_large_100", shapeSplits({ train: 5, validation: 5 }), {
    resumeFrom: run.outputDir,
    epochs: 30,
    batchSize: 4,
    learningRate: 0.1,
    classWeights: { disc: 1 },
    earlyStoppingPatience: 3,
    imageSize: 224,
    seed: 8,
  }));
  assert.ok(other instanceof CheckpointError);
  assert.equal(
    other.message,
    `Cannot resume from "${run.outputDir}": it is another run\n` +
      "  model: was mobilenetv3_small_100.lamb_in1k, is mobilenetv3_large_100.ra_in1k\n" +
      "  data: the number, order, names or labels of the pictures differ\n" +
      "  epochs: was 2, is 30\n" +
      "  learningRate: was 0.02, is 0.1\n" +
      '  classWeights: was "auto", is {"disc":1}\n' +
      "  earlyStoppingPatience: was not set, is 3\n" +
      "  imageSize: was 32, is 224\n" +
      "  seed: was 7, is 8\n" +
      "  help: pass the same model, data and options, or start a new run from its weights",
  );
  const classes = await failure(
    fineTune(small, { ...shapeSplits(), classNames: ["a", "b", "c"] }, { resumeFrom: run.outputDir }),
  );
  assert.ok(
    classes.message.includes('\n  classes: were "disc", "square", "cross", are "a", "b", "c"\n'),
    classes.message,
  );
  // What it began from may be given in any form: id, tag, checkpoint or model.
  for (const same of [small, `${small}.lamb_in1k`, run.checkpoint, run.model]) {
    const again = await fineTune(same, tinyOf(run.outputDir), { resumeFrom: run.outputDir, view: false });
    assert.equal(again.stopped, "completed");
  }

  function tinyOf(_folder: string): DatasetSplits {
    return shapeSplits({ train: [11, 8, 7], validation: 5 });
  }
});

// --- Augmentation ---

Deno.test("fineTune() augments by the steps of its recipe, and resumes with the same ones only", async () => {
  const steps = [{ kind: "augMix", magnitude: 4, width: 2 }, { kind: "cutout" }, { kind: "flip" }] as const;
  const data = shapeSplits({ train: 12, validation: 4 });
  const whole = await quickRun({ epochs: 2, augmentation: steps }, data);
  assert.deepEqual(whole.recipe.augmentation, steps);
  const plain = await quickRun({ epochs: 2, augmentation: "none" }, data);
  assert.notEqual(plain.history[0]!.trainLoss, whole.history[0]!.trainLoss);

  const stop = new AbortController(), outputDir = freshFolder();
  await quickRun({
    epochs: 2,
    augmentation: steps,
    outputDir,
    signal: stop.signal,
    onEvent: (event) => event.type === "step" && event.epoch === 1 && stop.abort(),
  }, data);
  const other = await failure(fineTune(small, data, { resumeFrom: outputDir, augmentation: "baseline" }));
  assert.ok(other.message.includes("\n  augmentation: was "), other.message);
  const rest = await fineTune(small, data, { resumeFrom: outputDir, view: false, logs: [] });
  assert.deepEqual(hashTensors(rest.model.weights), hashTensors(whole.model.weights));

  const refused = await failure(
    quickRun({ augmentation: [{ kind: "flip", probability: 3 }, { kind: "cutOut" as "cutout" }] }),
  );
  assert.equal(
    refused.message,
    "Cannot run fineTune(): 2 options have values that cannot be used\n" +
      "  augmentation[0].probability: found 3, wanted a number from 0 to 1\n" +
      '  augmentation[1].kind: found "cutOut", wanted "augMix", "cutout", "flip", "randomCrop", "randomErasing", ' +
      '"randomResizedCrop" or "rotate" (did you mean "cutout"?)\n' +
      "  help: leave an option out to get its default",
  );
});

// --- Techniques ---

Deno.test("fineTune() with SAM, no bias decay and EMA keeps the better of weights and average, and resumes", async () => {
  const data = shapeSplits({ train: 24, validation: 12 });
  const options = {
    epochs: 5,
    learningRate: 0.02,
    sam: { rho: 0.05 },
    noBiasDecay: true,
    ema: { decay: 0.9 },
  } as const;
  const whole = await quickRun(options, data);
  for (const { validationTop1, rawTop1, averageTop1 } of whole.history) {
    assert.equal(validationTop1, Math.max(rawTop1!, averageTop1!));
  }
  assert.ok(whole.history.some(({ rawTop1, averageTop1 }) => rawTop1 !== averageTop1));
  const { sam, noBiasDecay, ema } = whole.recipe;
  assert.deepEqual({ sam, noBiasDecay, ema }, { sam: { rho: 0.05 }, noBiasDecay: true, ema: { decay: 0.9 } });
  // What is kept is what was measured.
  const evaluation = await evaluate(whole, data.validation);
  assert.equal(evaluation.top1, whole.best!.validationTop1);

  const stop = new AbortController(), outputDir = freshFolder();
  await quickRun({
    ...options,
    outputDir,
    signal: stop.signal,
    onEvent: (event) => event.type === "step" && event.epoch === 2 && event.step === 3 && stop.abort(),
  }, data);
  const other = await failure(
    fineTune(small, data, {
      resumeFrom: outputDir,
      sam: { rho: 0.1 },
      ema: { decay: 0.99 },
      noBiasDecay: false,
    }),
  );
  assert.ok(
    other.message.includes(
      '\n  sam: was {"rho":0.05}, is {"rho":0.1}\n  noBiasDecay: was true, is false\n' +
        '  ema: was {"decay":0.9}, is {"decay":0.99}\n',
    ),
    other.message,
  );
  const rest = await fineTune(small, data, { resumeFrom: outputDir, view: false, logs: [] });
  assert.deepEqual(hashTensors(rest.model.weights), hashTensors(whole.model.weights));
  assert.deepEqual(rest.history, whole.history);

  const refused = await failure(
    quickRun({ sam: true, ema: { decay: 1 }, noBiasDecay: 1 } as unknown as FineTuneOptions),
  );
  assert.equal(
    refused.message,
    "Cannot run fineTune(): 3 options have values that cannot be used\n" +
      "  sam: found true, wanted an object like { rho: 0.05 }\n" +
      "  noBiasDecay: found 1, wanted true or false\n" +
      "  ema.decay: found 1, wanted a number from 0 up to, not including, 1\n" +
      "  help: leave an option out to get its default",
  );
});

Deno.test("fineTune() with the schedule plateau lowers the rate in time, stops at the lowest, and resumes", async () => {
  const data = shapeSplits({ train: 12, validation: 4 });
  const options = { schedule: "plateau", epochs: 8, learningRate: 0.02, warmUpEpochs: 1 } as const;
  const whole = await quickRun(options, data);
  const rates = whole.history.map(({ learningRate }) => Number((learningRate / 0.02).toFixed(3)));
  // Five epochs after the warm-up, three quarters of the eight are over.
  assert.deepEqual(rates, [0.1, 1, 1, 1, 1, 1, 0.1, 0.1]);
  const stop = new AbortController(), outputDir = freshFolder();
  await quickRun({
    ...options,
    outputDir,
    signal: stop.signal,
    onEvent: (event) => event.type === "step" && event.epoch === 7 && stop.abort(),
  }, data);
  const rest = await fineTune(small, data, { resumeFrom: outputDir, view: false, logs: [] });
  assert.deepEqual(rest.history, whole.history);
  assert.deepEqual(hashTensors(rest.model.weights), hashTensors(whole.model.weights));

  // No epoch before the lowest rate counts, however long it is no better.
  const patient = await quickRun(
    { ...options, epochs: 4, earlyStoppingPatience: 1, learningRate: 1e-9 },
    data,
  );
  assert.equal(patient.stopped, "completed");
});

// --- Precision ---

Deno.test("fineTune() refuses bf16 where TensorFlow computes, before anything is written", async () => {
  const outputDir = freshFolder();
  const refused = await failure(quickRun({ outputDir, executor: "tensorflow", precision: "bf16" }));
  assert.ok(refused instanceof RangeError);
  assert.equal(
    refused.message,
    "Cannot compute in bf16: only oneDNN does here, and TensorFlow computes because it was asked for\n" +
      "  help: leave { precision } out",
  );
  assert.equal(await Deno.stat(outputDir).then(() => true, () => false), false);
});

Deno.test({
  name: "fineTune() learns in bf16, says so, and goes on in bf16",
  ignore: bf16Unavailable() !== undefined,
  fn: async () => {
    const data = shapeSplits({ train: 40, validation: 12 });
    const options = { epochs: 10, learningRate: 0.02, precision: "bf16" } as const;
    const whole = await quickRun(options, data);
    assert.equal(whole.recipe.precision, "bf16");
    assert.ok(whole.best!.validationTop1 > 0.9, `the best validation top-1 is ${whole.best!.validationTop1}`);
    const float32 = await quickRun({ ...options, precision: "float32" }, data);
    assert.notDeepEqual(float32.history.at(-1)!.trainLoss, whole.history.at(-1)!.trainLoss);

    const stop = new AbortController();
    const outputDir = freshFolder();
    const half = await quickRun({
      ...options,
      outputDir,
      signal: stop.signal,
      onEvent: (event) => event.type === "epoch" && event.epoch === 4 && stop.abort(),
    }, data);
    assert.equal(half.stopped, "interrupted");
    const resumed = { resumeFrom: outputDir, view: false, logs: [] } as const;
    const other = await failure(fineTune(small, data, { ...resumed, precision: "float32" }));
    assert.ok(other.message.includes('\n  precision: was "bf16", is "float32"\n'), other.message);
    const rest = await fineTune(small, data, resumed);
    assert.deepEqual(hashTensors(rest.model.weights), hashTensors(whole.model.weights));
  },
});

// --- Ctrl-C ---

const program = fileURLToPath(new URL("_train_until_stopped.ts", import.meta.url));

/** Starts the program; `until` resolves when it has printed such a line. */
function startProgram(...args: string[]) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program, ...args],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const read = async () => {
    const { value, done } = await reader.read();
    text += value ?? "";
    return !done;
  };
  return {
    child,
    async until(line: string) {
      while (!text.includes(line)) assert.ok(await read(), `the program ended with:\n${text}`);
    },
    async rest() {
      while (await read());
      return text;
    },
  };
}

Deno.test("fineTune() saves at Ctrl-C and returns the best so far", async () => {
  const folder = freshFolder();
  const { child, until, rest } = startProgram(folder);
  await until("step");
  child.kill("SIGINT");
  const [text, { code, signal }] = [await rest(), await child.status];
  assert.deepEqual([code, signal], [0, null], text);
  assert.match(text, /^(step\n)+interrupted \d+ .+best\.safetensors\n$/);
  const { state } = await loadResume(folder);
  const steps = text.split("step").length - 1;
  assert.equal(state.epoch * 9 + state.step, text.match(/step\n/g)!.length, `${steps} steps were finished`);
  const model = await loadModel(join(folder, "best.safetensors"));
  assert.deepEqual(model.classNames, shapeNames);
});

Deno.test("fineTune() ends the process at a second Ctrl-C", async () => {
  const { child, until, rest } = startProgram(freshFolder(), "slow");
  await until("step");
  child.kill("SIGINT");
  await until("saved");
  await new Promise((resolve) => setTimeout(resolve, 500)); // one press may arrive twice within 300 ms
  child.kill("SIGINT");
  await rest();
  assert.equal((await child.status).code, 130);
});
