/** Mixup, cutmix, random erasing and balanced classes in whole runs. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fineTune, type FineTuneOptions, type FineTuneResult } from "../mod.ts";
import { readSafetensors } from "../lib/models/weights/safetensors.ts";
import { collectEvents, failure, freshFolder } from "./training/_runs.ts";
import { shapeSplits } from "./training/_shapes.ts";

const small = "mobilenetv3_small_100";
const data = shapeSplits({ train: [24, 12, 4], validation: 8 });
const quick = {
  weights: null,
  imageSize: 32,
  batchSize: 8,
  epochs: 3,
  learningRate: 0.02,
  seed: 3,
  logs: [],
  view: false,
} as const satisfies FineTuneOptions;
const run = (options: FineTuneOptions): Promise<FineTuneResult> =>
  fineTune(small, data, { outputDir: freshFolder(), ...quick, ...options });

/** All of them, with what makes them harder: a margin, label smoothing, a moving average, two passes, a second model. */
const everything: FineTuneOptions = {
  mixup: { alpha: 0.4 },
  cutmix: { alpha: 1, probability: 0.8 },
  sampler: "balanced",
  augmentation: [{ kind: "flip" }, { kind: "randomErasing", mode: "pixel" }],
  loss: "amSoftmax",
  labelSmoothing: 0.1,
  classWeights: { cross: 2 },
  ema: { decay: 0.9 },
  sam: { rho: 0.05 },
  auxiliaryModels: [{ model: small, weights: null, dropout: 0.2, loss: "softmax" }],
};

Deno.test("fineTune() with mixing, erasing and balanced classes resumes exactly", async () => {
  const { events, onEvent } = collectEvents();
  const whole = await run({ ...everything, onEvent });
  // A step that oneDNN could not compute would be told about.
  assert.deepEqual(events.filter(({ type }) => type === "warning"), []);
  const { mixup, cutmix, sampler } = whole.recipe;
  assert.deepEqual({ mixup, cutmix, sampler }, {
    mixup: { alpha: 0.4 },
    cutmix: { alpha: 1, probability: 0.8 },
    sampler: "balanced",
  });
  const stop = new AbortController(), outputDir = freshFolder();
  const part = await run({
    ...everything,
    outputDir,
    signal: stop.signal,
    onEvent: (event) => event.type === "step" && event.epoch === 1 && event.step === 2 && stop.abort(),
  });
  assert.equal(part.stopped, "interrupted");
  const rest = await fineTune(small, data, { ...quick, ...everything, workers: 1, resumeFrom: outputDir });
  assert.deepEqual(rest.history, whole.history);
  const ends = await Promise.all(
    [whole, rest].map(({ outputDir }) => readSafetensors(join(outputDir, "resume.safetensors"))),
  );
  assert.deepEqual(ends[0]!.tensors, ends[1]!.tensors);

  const other = await failure(fineTune(small, data, {
    ...quick,
    ...everything,
    mixup: { alpha: 0.5 },
    sampler: "shuffled",
    resumeFrom: outputDir,
  }));
  assert.equal(
    other.message,
    `Cannot resume from "${outputDir}": it is another run\n` +
      '  mixup: was {"alpha":0.4}, is {"alpha":0.5}\n' +
      '  sampler: was "balanced", is "shuffled"\n' +
      "  help: pass the same model, data and options, or start a new run from its weights",
  );
});

Deno.test("fineTune() learns from mixed and erased pictures, and counts the stronger label", async () => {
  const learnt = await fineTune(small, shapeSplits({ train: 40, validation: 12 }), {
    ...quick,
    outputDir: freshFolder(),
    epochs: 12,
    mixup: { alpha: 0.2 },
    cutmix: { alpha: 1 },
    augmentation: [{ kind: "flip" }, { kind: "randomErasing", probability: 0.25 }],
  });
  assert.ok(learnt.best!.validationTop1 > 0.8, `${learnt.best!.validationTop1}`);
  const { trainLoss, trainTop1 } = learnt.history.at(-1)!;
  // Two labels cannot be foretold to the end: a share from 0 to 1, all alike, leaves 0.5 nats on average, in half of the
  // batches (those of cutmix), where two labels of three differ. But the stronger one can be in most pictures.
  assert.ok(trainLoss > 0.5 / 2 * 2 / 3, `${trainLoss}`);
  assert.ok(trainLoss < learnt.history[0]!.trainLoss, `${trainLoss}`);
  assert.ok(trainTop1 > 0.6, `${trainTop1}`);
});

Deno.test("fineTune() with balanced classes sees rare classes as often as the others", async () => {
  // Both classes look the same, so that all a network can learn is how likely each is.
  const discs = shapeSplits({ train: [20, 0, 0], validation: [6, 0, 0] });
  const classNames = ["often", "rare"];
  const relabel = (set: typeof discs.train, rare: number) => ({
    ...set,
    classNames,
    samples: set.samples.map((sample, index) => ({ ...sample, label: index < rare ? 1 : 0 })),
  });
  const unequal = { classNames, train: relabel(discs.train, 2), validation: relabel(discs.validation, 3) };
  const first = async (sampler: "balanced" | "shuffled") => {
    const { history } = await fineTune(small, unequal, {
      ...quick,
      outputDir: freshFolder(),
      epochs: 12,
      batchSize: 20,
      learningRate: 0.01,
      sampler,
    });
    return history.at(-1)!.trainLoss;
  };
  const shuffled = await first("shuffled"), balanced = await first("balanced");
  // Knowing nothing costs 0.33 where 1 of 10 is rare, and 0.69 where there are as many of both.
  assert.ok(balanced > 1.1 * shuffled, `${shuffled} shuffled, ${balanced} balanced`);
});

Deno.test("fineTune() refuses mixing and samplers that cannot be, all at once", async () => {
  const refusal = async (options: unknown) => (await failure(run(options as FineTuneOptions))).message;
  assert.equal(
    await refusal({
      mixup: { alpa: 1, probability: 2 },
      cutmix: 0.5,
      sampler: "weighted",
      recipe: { mixup: { alpha: 0 } },
    }),
    "Cannot run fineTune(): 6 options have values that cannot be used\n" +
      "  recipe.mixup.alpha: found 0, wanted a number above 0\n" +
      '  mixup.alpa: found 1, wanted no other settings than alpha, probability (did you mean "alpha"?)\n' +
      "  mixup.alpha: found null, wanted a number above 0\n" +
      "  mixup.probability: found 2, wanted a number from 0 to 1\n" +
      "  cutmix: found 0.5, wanted an object like { alpha: 1 }\n" +
      '  sampler: found "weighted", wanted "shuffled" or "balanced"\n' +
      "  help: leave an option out to get its default",
  );
  assert.equal(
    await refusal({ sampler: "balanced", classWeights: "auto", batchSize: 1, mixup: { alpha: 1 } }),
    "Cannot run fineTune(): 2 options have values that cannot be used\n" +
      "  batchSize: found 1, wanted at least 2 pictures to be mixed\n" +
      '  classWeights: found "auto", wanted nothing with the sampler "balanced", which does the same\n' +
      "  help: leave an option out to get its default",
  );
});
