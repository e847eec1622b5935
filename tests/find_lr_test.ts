import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  evaluate,
  findLR,
  type FindLROptions,
  fineTune,
  loadModel,
  type LRSearchEvent,
  type Trial,
} from "../mod.ts";
import { sharedPixelCache } from "../lib/data/cache.ts";
import type { DatasetSplits } from "../lib/data/dataset.ts";
import { gridRates } from "../lib/lr_finder/grid_search.ts";
import { CheckpointError } from "../lib/training/checkpoint.ts";
import { modelRecord } from "../lib/models/registry.ts";
import { adaptiveRecipe } from "../lib/training/recipe.ts";
import { tf } from "../lib/tensorflow/tf.ts";
import { hashTensors } from "./training/_run_folder.ts";
import { failure, freshFolder } from "./training/_runs.ts";
import { shapeSplits } from "./training/_shapes.ts";

const small = "mobilenetv3_small_100";
const data = shapeSplits({ train: 8, validation: 4 });
/** Four rates, 3 steps an epoch, two epochs a trial. */
const quick = {
  weights: null,
  imageSize: 32,
  batchSize: 8,
  epochs: 2,
  trials: 4,
  minLearningRate: 0.01,
  maxLearningRate: 0.04,
  step: 0.01,
  seed: 3,
  view: false,
} as const satisfies FindLROptions;
const search = (options: FindLROptions = {}, on: DatasetSplits = data) =>
  findLR(small, on, { outputDir: freshFolder(), ...quick, ...options });

/** The state's file without what depends on the clock. */
async function readState(folder: string): Promise<Record<string, unknown>> {
  const { durationSeconds: _, ...state } = JSON.parse(await Deno.readTextFile(join(folder, "find_lr.json")));
  return state;
}

/** Stops at a step of a trial. */
function stopAt(trial: number, epoch: number): Pick<FindLROptions, "signal" | "onEvent"> {
  const stop = new AbortController();
  const onEvent = (event: LRSearchEvent) => {
    if (event.type === "search-step" && event.trial === trial && event.epoch === epoch) stop.abort();
  };
  return { signal: stop.signal, onEvent };
}

Deno.test("findLR() tries rates, each like a run of its own from the same first weights", async () => {
  const losses: number[][] = [[], [], [], []];
  const found = await search({
    pruning: "none",
    mode: "grid_search",
    onEvent: (event) => event.type === "search-epoch" && losses[event.trial]!.push(event.trainLoss),
  });
  assert.equal(found.stopped, "completed");
  assert.deepEqual(found.trials.map(({ learningRate }) => learningRate).toSorted(), gridRates(quick));
  assert.deepEqual(
    found.trials.map(({ number, state }) => [number, state]),
    [0, 1, 2, 3].map((n) => [n, "complete"]),
  );
  for (const trial of [found.trials[0]!, found.trials[3]!]) {
    const run = await fineTune(small, data, {
      weights: null,
      imageSize: 32,
      batchSize: 8,
      seed: 3,
      epochs: 2,
      learningRate: trial.learningRate,
      schedule: "constant",
      view: false,
      logs: [],
      outputDir: freshFolder(),
    });
    assert.deepEqual(trial.values, run.history.map(({ validationTop1 }) => validationTop1));
    assert.deepEqual(losses[trial.number], run.history.map(({ trainLoss }) => trainLoss));
  }
});

Deno.test("findLR() changes nothing of the model, and nothing that a later run depends on", async () => {
  const opened = await loadModel(small, { weights: null, numClasses: 3, seed: 5 });
  const model = { ...opened, preprocessing: { ...opened.preprocessing, size: { height: 32, width: 32 } } };
  const before = hashTensors(model.weights);
  const run = async () => {
    const { model: { weights }, history } = await fineTune(model, data, {
      batchSize: 8,
      epochs: 1,
      view: false,
      logs: [],
      outputDir: freshFolder(),
    });
    return JSON.stringify([hashTensors(weights), history]);
  };
  const first = await run();
  const { numTensors } = tf.memory();
  for (const mode of ["tpe", "grid_search", "fast_ai"] as const) {
    await findLR(model, data, {
      ...quick,
      weights: undefined,
      imageSize: undefined,
      mode,
      outputDir: freshFolder(),
    });
    assert.deepEqual(hashTensors(model.weights), before, mode);
    assert.equal(tf.memory().numTensors, numTensors, mode);
  }
  assert.equal(await run(), first);
});

Deno.test("findLR() finds the same again with the same seed, and goes another way with another", async () => {
  const ways: Trial[][] = [];
  for (const seed of [3, 3, 4]) ways.push([...(await search({ seed, trials: 3 })).trials]);
  assert.deepEqual(ways[1], ways[0]);
  assert.notDeepEqual(ways[2], ways[0]);
});

Deno.test("findLR() says what it will cost before the first step, and what each trial gave", async () => {
  const events: LRSearchEvent[] = [];
  const decoded = sharedPixelCache().statistics.decoded;
  const fresh = shapeSplits({ train: 8, validation: 4, size: 31 }); // of a size that no test has decoded
  const found = await search({ trials: 3, onEvent: (event) => events.push(event) }, fresh);
  assert.equal(
    sharedPixelCache().statistics.decoded - decoded,
    24 + 12,
    "each picture is decoded once for all trials",
  );
  const start = events[0]!;
  assert.ok(start.type === "search-start");
  assert.equal(start.epochsToCome, 6);
  assert.ok(start.estimatedSeconds > 0);
  assert.match(
    start.message,
    /^Looking for the learning rate: 3 trials of 2 epochs at rates from 0\.01 to 0\.04 in steps of 0\.01, chosen by TPE\. It takes at most 6 epochs of 24 pictures, about \d+:\d\d$/, // of 5 trials none can be pruned
  );
  const trials = events.flatMap((event) => event.type === "search-trial" ? [event.trial] : []);
  assert.deepEqual(trials, found.trials);
  const trained = trials.filter(({ state }) => state !== "duplicate").flatMap(({ values }) => values);
  const epochs = events.flatMap((event) => event.type === "search-epoch" ? [event.validationTop1] : []);
  assert.deepEqual(epochs, trained);
  const end = events.at(-1)!;
  assert.ok(end.type === "search-end");
  assert.deepEqual([end.suggestion, end.verdict, end.reason], [
    found.suggestion,
    found.verdict,
    found.reason,
  ]);
});

Deno.test("findLR() that was stopped goes on and ends with the trials of one that never was", async () => {
  const whole = await search({ mode: "grid_search" });
  const outputDir = freshFolder();
  const part = await search({ mode: "grid_search", outputDir, ...stopAt(2, 1) });
  assert.equal(part.stopped, "interrupted");
  assert.deepEqual(part.trials, whole.trials.slice(0, 2));
  const events: LRSearchEvent[] = [];
  const rest = await findLR(small, data, { resumeFrom: outputDir, onEvent: (event) => events.push(event) });
  assert.deepEqual(rest.trials, whole.trials);
  assert.deepEqual(
    [rest.suggestion, rest.verdict, rest.reason, rest.rule],
    [whole.suggestion, whole.verdict, whole.reason, whole.rule],
  );
  assert.deepEqual(await readState(outputDir), await readState(whole.outputDir));
  assert.ok(events[0]!.type === "search-start" && events[0].trialsDone === 2 && events[0].epochsToCome === 4);

  // One that is over is not done again.
  const again = await findLR(small, data, { resumeFrom: outputDir, onEvent: (event) => events.push(event) });
  assert.deepEqual(again.trials, whole.trials);
  assert.deepEqual(
    events.slice(events.findIndex(({ type }) => type === "search-end") + 1).map(({ type }) => type),
    [
      "search-end",
    ],
  );
});

Deno.test("findLR() stopped before a trial is over tells nothing, and goes on from its beginning", async () => {
  const outputDir = freshFolder();
  const part = await search({ outputDir, ...stopAt(0, 0) });
  assert.deepEqual([part.suggestion, part.verdict, part.trials.length], [undefined, "unfinished", 0]);
  assert.equal(part.reason, "The search was stopped before a trial was complete.");
  assert.equal((await search({ resumeFrom: outputDir, outputDir: freshFolder() })).trials.length, 4);
});

Deno.test("findLR() stopped before it has measured does not say what it will cost", async () => {
  const outputDir = freshFolder();
  await search({ outputDir, ...stopAt(0, 0) });
  const stop = new AbortController(), types: string[] = [];
  const onEvent = ({ type }: LRSearchEvent) => {
    types.push(type);
    if (type === "warning") stop.abort(); // that the folder holds an earlier search
  };
  const found = await search({ outputDir, signal: stop.signal, onEvent });
  assert.deepEqual([types, found.verdict], [["warning", "search-end"], "unfinished"]);
});

Deno.test("findLR() refuses to go on with another search, and says what differs", async () => {
  const outputDir = freshFolder();
  await search({ outputDir, ...stopAt(0, 0) });
  const error = await failure(
    findLR(small, shapeSplits({ train: 9, validation: 4 }), {
      ...quick,
      resumeFrom: outputDir,
      trials: 5,
      mode: "fast_ai",
      batchSize: 4,
      seed: 2,
      loss: "amSoftmax",
    }),
  );
  assert.ok(error instanceof CheckpointError);
  assert.equal(
    error.message,
    `Cannot resume from "${outputDir}": it is another search\n` +
      "  data: the number, order, names or labels of the pictures differ\n" +
      '  batchSize: was 8, is 4\n  loss: was "softmax", is "amSoftmax"\n  seed: was 3, is 2\n' +
      '  mode: was "tpe", is "fast_ai"\n  trials: was 4, is 5\n' +
      "  help: pass the same model, data and options, or start a new search",
  );
  const model = await loadModel(small, { weights: null, numClasses: 3, seed: 77 });
  const weights = await failure(findLR(model, data, { resumeFrom: outputDir }));
  assert.match(weights.message, /: it is another search\n {2}weights: the first weights differ\n/);
  const nothing = await failure(findLR(small, data, { resumeFrom: freshFolder() }));
  assert.match(
    nothing.message,
    /there is no such file\n {2}help: pass the folder of a search, or its find_lr\.json$/,
  );
  const other = join(freshFolder(), "find_lr.json");
  await Deno.mkdir(join(other, ".."), { recursive: true });
  await Deno.writeTextFile(other, "[]");
  assert.match(
    (await failure(findLR(small, data, { resumeFrom: other }))).message,
    /it is not the state of a search for a learning rate/,
  );
  const whole = JSON.parse(await Deno.readTextFile(join(outputDir, "find_lr.json")));
  for (
    const edited of [{ model: undefined }, { recipe: null }, { trials: [{ number: 0 }] }, { search: {} }]
  ) {
    await Deno.writeTextFile(other, JSON.stringify({ ...whole, ...edited }));
    assert.match(
      (await failure(findLR(small, data, { resumeFrom: other }))).message,
      /it is not the state of a search for a learning rate/,
    );
  }
});

Deno.test("findLR() goes on after a rate at which the loss is no number", async () => {
  const found = await search({ mode: "grid_search", maxLearningRate: 1e30, step: 5e29, trials: 3 });
  const states = found.trials.map(({ learningRate, state }) => [learningRate < 1, state]);
  assert.deepEqual(states.toSorted(), [[false, "failed"], [false, "failed"], [true, "complete"]]);
});

Deno.test("findLR() does a range test of at least 100 steps, and saves its curve", async () => {
  const savefig = `${freshFolder()}/curve.svg`;
  const events: LRSearchEvent[] = [];
  const found = await search({
    mode: "fast_ai",
    minLearningRate: 1e-4,
    maxLearningRate: 0.1,
    savefig,
    onEvent: (event) => events.push(event),
  });
  assert.equal(found.points.length, 100);
  assert.equal(found.points[0]!.learningRate, 1e-4);
  assert.ok(Math.abs(found.points.at(-1)!.learningRate - 0.1) < 1e-12);
  const [first, second] = found.points;
  assert.equal(first!.smoothedLoss, first!.loss);
  assert.equal(second!.smoothedLoss, 0.05 * second!.loss + 0.95 * first!.loss);
  assert.deepEqual(found.trials, []);
  assert.match(await Deno.readTextFile(savefig), /^<svg/);
  const start = events[0]!;
  assert.ok(start.type === "search-start");
  assert.match(
    start.message,
    /^Looking for the learning rate: a range test of 100 steps from 0\.0001 to 0\.1, after 1 epoch of warm-up\. It takes 34\.3 epochs of 24 pictures, about \d+:\d\d$/,
  );
  const steps = events.flatMap((event) => event.type === "search-step" ? [event] : []);
  assert.equal(steps.length, 3 + 100);
  assert.deepEqual(steps.slice(0, 4).map(({ isRangeTest }) => isRangeTest), [false, false, false, true]);
  assert.deepEqual(steps.slice(3).map(({ loss }) => loss), found.points.map(({ loss }) => loss));

  // A range test that was stopped begins again, and ends the same.
  const outputDir = freshFolder();
  const stopped = await search({
    mode: "fast_ai",
    minLearningRate: 1e-4,
    maxLearningRate: 0.1,
    outputDir,
    ...stopAt(0, 20),
  });
  assert.deepEqual([stopped.verdict, stopped.points.length], ["unfinished", 0]);
  const rest = await findLR(small, data, { resumeFrom: outputDir });
  assert.deepEqual(rest.points, found.points);
});

Deno.test("findLR() ends a range test when the loss diverges", async () => {
  const found = await search({ mode: "fast_ai", minLearningRate: 1e-3, maxLearningRate: 1e6, smoothing: 0 });
  assert.ok(found.points.length > 17 && found.points.length < 100, `${found.points.length} points`);
  const none = await search({
    mode: "fast_ai",
    minLearningRate: 1e20,
    maxLearningRate: 1e30,
    warmUpEpochs: 0,
  });
  assert.deepEqual([none.verdict, none.suggestion], ["failed", undefined]);
  assert.match(
    none.reason,
    /^The loss diverged after \d+ steps?, and a range test needs at least 17\. Lower minLearningRate\.$/,
  );
});

Deno.test("findLR() takes loss, classifier and augmentation of the recipe, and nothing that makes a step dearer", async () => {
  const losses: number[] = [];
  const found = await search({
    recipe: "adaptive",
    loss: "amSoftmax",
    dropout: 0.1,
    trials: 1,
    onEvent: (event) => event.type === "search-epoch" && losses.push(event.trainLoss),
  });
  assert.deepEqual([found.recipe.name, found.recipe.loss, found.recipe.sam], ["adaptive", "amSoftmax", {
    rho: 0.05,
  }]);
  const { learningRate, values } = found.trials[0]!;
  // The same without sharpness-aware minimisation, no bias decay, a moving average and an auxiliary model.
  const run = await fineTune(small, data, {
    weights: null,
    imageSize: 32,
    batchSize: 8,
    seed: 3,
    epochs: 2,
    learningRate,
    schedule: "constant",
    loss: "amSoftmax",
    dropout: 0.1,
    augmentation: adaptiveRecipe(modelRecord(small)).augmentation,
    view: false,
    logs: [],
    outputDir: freshFolder(),
  });
  assert.deepEqual(values, run.history.map(({ validationTop1 }) => validationTop1));
  assert.deepEqual(losses, run.history.map(({ trainLoss }) => trainLoss));
});

Deno.test("findLR() refuses options that cannot be used, all at once, before anything is opened", async () => {
  const unknown = await failure(findLR(small, data, { trails: 3, min_learning_rate: 1 } as FindLROptions));
  assert.ok(unknown instanceof TypeError);
  assert.match(
    unknown.message,
    /^Cannot run findLR\(\): 2 options are not known\n {2}"trails": did you mean "trials"\?\n {2}"min_learning_rate": did you mean "minLearningRate"\?\n/,
  );
  const values = await failure(
    findLR(small, data, {
      mode: "TPE" as "tpe",
      minLearningRate: 0.1,
      maxLearningRate: 0.05,
      trials: 0,
      epochs: 1.5,
      pruning: "mean" as "median",
      smoothing: 1,
      warmUpEpochs: -1,
      savefig: "curve.jpg",
      seed: -1,
    }),
  );
  assert.equal(
    values.message,
    "Cannot run findLR(): 9 options have values that cannot be used\n" +
      '  mode: found "TPE", wanted "tpe", "grid_search" or "fast_ai"\n' +
      "  epochs: found 1.5, wanted a whole number of at least 1\n" +
      "  trials: found 0, wanted a whole number of at least 1\n" +
      '  pruning: found "mean", wanted "median" or "none"\n' +
      "  warmUpEpochs: found -1, wanted a whole number of at least 0\n" +
      "  smoothing: found 1, wanted a number from 0 up to, not including, 1\n" +
      '  savefig: found "curve.jpg", wanted a path that ends in .svg, .png, .html or .json\n' +
      "  minLearningRate: found 0.1, wanted less than maxLearningRate, 0.05\n" +
      "  seed: found -1, wanted a whole number of at least 0\n" +
      "  help: leave an option out to get its default",
  );
  const wide = await failure(
    findLR(small, data, { minLearningRate: 0.01, maxLearningRate: 0.03, step: 0.05 }),
  );
  assert.ok(wide instanceof RangeError);
  assert.match(wide.message, /\n {2}step: found 0\.05, wanted from 0\.000002 to 0\.02, /);
  assert.match(
    (await failure(findLR(7 as unknown as string, data))).message,
    /^Cannot run findLR\(\): found number for the model/,
  );
});

Deno.test("findLR() says which weights are given twice", async () => {
  const model = await loadModel(small, { weights: null, numClasses: 3 });
  assert.match(
    (await failure(findLR(model, data, { weights: null, outputDir: freshFolder() }))).message,
    /^Cannot run findLR\(\): weights are given twice/,
  );
});

Deno.test("fineTune() looks for its learning rate, trains with it, and goes on wherever it was stopped", async () => {
  const { minLearningRate, maxLearningRate, step, trials, epochs, ...rest } = quick;
  const settings = {
    minLearningRate,
    maxLearningRate,
    step,
    trials: 2,
    epochs,
    mode: "grid_search",
  } as const;
  assert.equal(trials, 4);
  const options = { ...rest, epochs: 2, logs: ["jsonl"], findLR: settings } as const;
  const whole = await fineTune(small, data, { ...options, outputDir: freshFolder() });
  const found = await search({ ...settings });
  assert.deepEqual(whole.lr!.trials, found.trials);
  assert.equal(whole.recipe.learningRate, whole.lr!.suggestion ?? 0.013 * 8 / 128);
  assert.equal(whole.stopped, "completed");
  const plain = await fineTune(small, data, {
    ...options,
    findLR: undefined,
    learningRate: whole.recipe.learningRate,
    outputDir: freshFolder(),
  });
  assert.deepEqual(whole.history, plain.history);
  assert.deepEqual(hashTensors(whole.model.weights), hashTensors(plain.model.weights));

  // Killed in the search: the folder goes on with it.
  const killed = freshFolder();
  const { signal: how } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      fileURLToPath(new URL("./lr_finder/_killed_search.ts", import.meta.url)),
      JSON.stringify({ ...options, outputDir: killed }),
    ],
  }).output();
  assert.equal(how, "SIGKILL");
  const after = await fineTune(small, data, { resumeFrom: killed, view: false, logs: [] });
  assert.deepEqual(after.lr!.trials, whole.lr!.trials);
  assert.deepEqual(after.history, whole.history);
  assert.deepEqual(hashTensors(after.model.weights), hashTensors(whole.model.weights));

  // Stopped in the search: nothing is trained, and the folder goes on with the search.
  const outputDir = freshFolder();
  const { signal, onEvent } = stopAt(1, 0);
  const stopped = await fineTune(small, data, {
    ...options,
    outputDir,
    signal,
    onEvent: (event) => event.type.startsWith("search-") && onEvent!(event as LRSearchEvent),
  });
  assert.equal(stopped.stopped, "interrupted");
  assert.deepEqual([stopped.history, stopped.best, stopped.lr!.trials.length], [[], undefined, 1]);
  assert.equal((await evaluate(stopped.checkpoint, data.validation)).classNames.length, 3);
  const refused = await failure(
    fineTune(small, data, { resumeFrom: outputDir, batchSize: 4, findLR: { trials: 9 } }),
  );
  assert.match(
    refused.message,
    /it is another search\n {2}batchSize: was 8, is 4\n {2}findLR\.trials: was 2, is 9\n/,
  );
  const resumed = await fineTune(small, data, { resumeFrom: outputDir, view: false });
  assert.deepEqual(resumed.lr!.trials, whole.lr!.trials);
  assert.deepEqual(resumed.history, whole.history);
  assert.deepEqual(hashTensors(resumed.model.weights), hashTensors(whole.model.weights));

  // A run that has trained does not search again.
  const events: string[] = [];
  const over = await fineTune(small, data, {
    ...options,
    resumeFrom: outputDir,
    onEvent: ({ type }) => events.push(type),
  });
  assert.deepEqual([over.lr, over.history], [undefined, whole.history]);
  assert.equal(events.some((type) => type.startsWith("search-")), false);
});

Deno.test("fineTune() ends after the search if asked to, and trains when it is resumed", async () => {
  const { minLearningRate, maxLearningRate, step, trials, epochs, ...rest } = quick;
  const settings = { minLearningRate, maxLearningRate, step, trials, epochs } as const;
  const outputDir = freshFolder();
  const run = await fineTune(small, data, {
    ...rest,
    outputDir,
    epochs: 1,
    findLR: { ...settings, trials: 2, stopAfter: true },
  });
  assert.deepEqual([run.stopped, run.history, run.best], ["after-search", [], undefined]);
  assert.equal(run.lr!.trials.length, 2);
  assert.match(Deno.inspect(run), /ended after the search for the learning rate in .*\n.*\nlearning rate: /);
  const trained = await fineTune(small, data, { resumeFrom: outputDir, view: false });
  assert.deepEqual([trained.stopped, trained.history.length], ["completed", 1]);
  assert.deepEqual(trained.lr!.trials, run.lr!.trials);
  assert.equal(trained.recipe.learningRate, run.lr!.suggestion ?? trained.lr!.recipe.learningRate);
});

Deno.test("fineTune() with the adaptive recipe looks for a rate unless one is given or none is wanted", async () => {
  const run = async (options: Parameters<typeof fineTune>[2]) => {
    const { weights, imageSize, batchSize, view } = quick;
    const stop = new AbortController();
    const events: string[] = [];
    await fineTune(small, data, {
      weights,
      imageSize,
      batchSize,
      view,
      logs: [],
      outputDir: freshFolder(),
      recipe: "adaptive",
      auxiliaryModels: [{ model: small, weights: null }],
      signal: stop.signal,
      onEvent: ({ type }) => {
        events.push(type);
        if (type === "search-step" || type === "step") stop.abort();
      },
      ...options,
    });
    return events[0];
  };
  assert.equal(await run({}), "search-start");
  assert.equal(await run({ learningRate: 0.01 }), "start");
  assert.equal(await run({ findLR: false }), "start");
});

Deno.test("fineTune() refuses a search beside a learning rate, and settings that do not fit", async () => {
  const { message } = await failure(fineTune(small, data, { findLR: true, learningRate: 0.01 }));
  assert.equal(
    message,
    "Cannot run fineTune(): 1 option has a value that cannot be used\n" +
      "  findLR: found true, wanted nothing with { learningRate: 0.01 }\n" +
      "  help: leave an option out to get its default",
  );
  const several = await failure(
    fineTune(small, data, { findLR: { trials: 0, minLearningRate: 1, stopAfter: 1 as unknown as boolean } }),
  );
  assert.equal(
    several.message,
    "Cannot run fineTune(): 3 options have values that cannot be used\n" +
      "  findLR.trials: found 0, wanted a whole number of at least 1\n" +
      "  findLR.stopAfter: found 1, wanted true or false\n" +
      "  findLR.minLearningRate: found 1, wanted less than maxLearningRate, 0.0075\n" +
      "  help: leave an option out to get its default",
  );
  assert.match(
    (await failure(fineTune(small, data, { findLR: { trails: 3 } as never }))).message,
    /^Cannot run fineTune\(\): 1 field of the findLR is not known\n {2}"trails": did you mean "trials"\?/,
  );
  assert.match(
    (await failure(fineTune(small, data, { findLR: "yes" as never }))).message,
    /findLR: found "yes", wanted true or false, or an object with settings/,
  );
});
