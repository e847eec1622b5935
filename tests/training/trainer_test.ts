import assert from "node:assert/strict";
import { join } from "node:path";
import type { FineTuneOptions } from "../../lib/fine_tune.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { openModel } from "../../lib/models/open_model.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { loadResume, type ResumeCheckpoint, saveResume } from "../../lib/training/checkpoint.ts";
import type { TrainingEvent } from "../../lib/training/events.ts";
import { type Moment, stepsPerEpoch, trainAndDie, trainSmall } from "./_killed_run.ts";
import { readRunFolder } from "./_run_folder.ts";
import { collectEvents, failure, freshFolder } from "./_runs.ts";

/** The run that nobody interrupts, trained once. */
let whole: Promise<string> | undefined;
function uninterrupted(): Promise<string> {
  return whole ??= trainSmall({ outputDir: freshFolder() }).then((run) => run.outputDir);
}

const moments: [string, Moment[]][] = [
  ["after its first step", [{ at: "step", epoch: 0, step: 0 }]],
  ["at a random step", [{ at: "step", epoch: 1, step: Math.floor(Math.random() * stepsPerEpoch) }]],
  ["while its state was being written", [{ at: "writing", epoch: 1, step: 2 }]],
  ["between the row of an epoch and its files", [{ at: "epoch", epoch: 0 }]],
  ["between the best weights and the state, and again after the last step", [
    { at: "best", epoch: 0 },
    { at: "step", epoch: 1, step: stepsPerEpoch - 1 },
  ]],
  ["while it was validated", [{ at: "validation" }]],
];

for (const [when, kills] of moments) {
  Deno.test(`train() killed ${when} and resumed ends as if it never was, bit for bit`, async () => {
    const outputDir = freshFolder();
    for (const [count, moment] of kills.entries()) {
      await trainAndDie({ outputDir, ...(count === 0 ? {} : { resumeFrom: outputDir }) }, moment);
    }
    const left = [...Deno.readDirSync(outputDir)].map(({ name }) => name);
    const halfWritten = left.filter((name) => name.endsWith(".tmp"));
    assert.equal(halfWritten.length, kills[0]!.at === "writing" ? 1 : 0, left.join());
    const run = await trainSmall({ resumeFrom: outputDir });
    assert.equal(run.stopped, "completed");
    assert.equal(run.outputDir, outputDir);
    assert.deepEqual(await readRunFolder(outputDir), await readRunFolder(await uninterrupted()));
    const now = [...Deno.readDirSync(outputDir)].map(({ name }) => name).sort();
    assert.deepEqual(now, [
      "best.safetensors",
      "events.jsonl",
      "history.csv",
      "resume.safetensors",
      "tensorboard",
    ]);
  });
}

Deno.test("train() stopped before the first step, in an epoch and in a validation goes on each time", async () => {
  const outputDir = freshFolder();
  const stopAt = async (options: FineTuneOptions, isMoment: (event: TrainingEvent) => boolean) => {
    const controller = new AbortController();
    return await trainSmall({
      ...options,
      signal: controller.signal,
      onEvent: (event) => isMoment(event) && controller.abort(),
    });
  };
  const isStep = (epoch: number, step: number) => (event: TrainingEvent) =>
    event.type === "step" && event.epoch === epoch && event.step === step;

  const before = await stopAt({ outputDir }, ({ type }) => type === "start");
  assert.equal(before.stopped, "interrupted");
  assert.equal(before.best, undefined);
  assert.deepEqual(before.history, []);
  // The first weights: of use to nobody, but a file that every verb can open.
  assert.deepEqual((await openModel(before.checkpoint)).classNames, ["disc", "square", "cross"]);

  const within = await stopAt({ resumeFrom: outputDir }, isStep(0, 2));
  assert.equal(within.stopped, "interrupted");
  assert.deepEqual((await loadResume(outputDir)).state.step, 3);

  const validating = await stopAt({ resumeFrom: outputDir }, isStep(0, stepsPerEpoch - 1));
  assert.equal(validating.stopped, "interrupted");
  assert.deepEqual(validating.history, []);
  assert.deepEqual((await loadResume(outputDir)).state.step, stepsPerEpoch);

  const later = await stopAt({ resumeFrom: outputDir }, isStep(1, 0));
  assert.equal(later.stopped, "interrupted");
  assert.equal(later.best!.epoch, 0);

  const done = await trainSmall({ resumeFrom: outputDir });
  assert.equal(done.stopped, "completed");
  assert.deepEqual(await readRunFolder(outputDir), await readRunFolder(await uninterrupted()));
});

Deno.test("train() says what happens in this order", async () => {
  const { events, onEvent } = collectEvents();
  await trainSmall({ outputDir: freshFolder(), logs: [], onEvent, checkpointSeconds: 1000 });
  const steps = (epoch: number) =>
    Array.from({ length: stepsPerEpoch }, (_, step) => `step ${epoch} ${step}`);
  assert.deepEqual(
    events.map((event) =>
      event.type === "step"
        ? `step ${event.epoch} ${event.step}`
        : event.type === "checkpoint"
        ? event.kind
        : event.type
    ).filter((name) => name !== "best"),
    ["start", "resume", ...steps(0), "epoch", "resume", ...steps(1), "epoch", "resume", "end"],
  );
  for (const [index, event] of events.entries()) {
    if (event.type !== "epoch") continue;
    const next = events[index + 1]!;
    assert.equal(
      next.type === "checkpoint" && next.kind === "best",
      event.best,
      "a best epoch's weights follow it",
    );
  }
  for (const event of events) {
    if (event.type !== "step") continue;
    assert.ok(
      event.imagesPerSecond > 0 && event.remainingSeconds >= 0 && Number.isFinite(event.elapsedSeconds),
    );
  }
});

Deno.test("train() resumed after its end has nothing to do", async () => {
  const folder = await uninterrupted();
  const before = await readRunFolder(folder);
  const { events, onEvent } = collectEvents();
  const run = await trainSmall({ resumeFrom: folder, onEvent });
  assert.equal(run.stopped, "completed");
  assert.equal(run.history.length, 2);
  assert.deepEqual(events.map(({ type }) => type), ["start", "checkpoint", "end"]);
  assert.deepEqual(await readRunFolder(folder), before);
});

Deno.test("train() goes on in another folder with its logs, and leaves the first one as it is", async () => {
  const first = await afterFirstEpoch(), second = freshFolder();
  const before = await readRunFolder(first);
  const run = await trainSmall({ resumeFrom: join(first, "resume.safetensors"), outputDir: second });
  assert.equal(run.checkpoint, join(second, "best.safetensors"));
  assert.deepEqual(await readRunFolder(second), await readRunFolder(await uninterrupted()));
  assert.deepEqual(await readRunFolder(first), before);
});

Deno.test("train() warns where it goes on in another environment", async () => {
  const folder = await changedRun(({ environment, ...checkpoint }) => ({
    ...checkpoint,
    environment: { ...environment, threads: 96, library: "TensorFlow 1.15.0" },
  }));
  const { events, onEvent } = collectEvents();
  const { environment } = await trainSmall({ resumeFrom: folder, onEvent });
  assert.deepEqual(events.filter(({ type }) => type === "warning"), [{
    type: "warning",
    message: "The run goes on in another environment, so its bits may differ from an uninterrupted one: " +
      `library: was TensorFlow 1.15.0, is ${environment.library}; threads: was 96, is ${environment.threads}`,
  }]);
});

// --- Numbers that are none ---

/** The small run after its first epoch, trained once. */
let begun: Promise<string> | undefined;
function afterFirstEpoch(): Promise<string> {
  const controller = new AbortController();
  return begun ??= trainSmall({
    outputDir: freshFolder(),
    signal: controller.signal,
    onEvent: ({ type }) => type === "epoch" && controller.abort(),
  }).then((run) => run.outputDir);
}

/** A copy of the run after its first epoch, with something changed. */
async function changedRun(change: (checkpoint: ResumeCheckpoint) => ResumeCheckpoint): Promise<string> {
  const from = await afterFirstEpoch(), folder = freshFolder();
  await Deno.mkdir(folder);
  await Deno.copyFile(join(from, "best.safetensors"), join(folder, "best.safetensors"));
  await saveResume(join(folder, "resume.safetensors"), change(await loadResume(from)));
  return folder;
}

/** Overwrites every value of one tensor of a state. */
function filled(name: string, value: number): (checkpoint: ResumeCheckpoint) => ResumeCheckpoint {
  return (checkpoint) => {
    const tensor = checkpoint.tensors[name]!;
    const data = new Float32Array(tensor.data.length).fill(value);
    return { ...checkpoint, tensors: { ...checkpoint.tensors, [name]: { ...tensor, data } as HostTensor } };
  };
}

Deno.test("train() stops at a loss that is not a number, and keeps the last good state", async () => {
  const outputDir = freshFolder();
  const { message } = await failure(
    trainSmall({ outputDir, learningRate: 1e6, warmUpEpochs: 0, checkpointSeconds: 0 }),
  );
  const [found, kept, help] = message.split("\n");
  assert.match(
    found!,
    /^Cannot go on training: (the loss is (NaN|-?Infinity) at epoch 1, step \d of 6|\d+ of \d+ tensors \(\S+ first\) hold NaN, an infinity or a negative variance after epoch 1, step \d of 6), with learning rate 1000000$/,
  );
  assert.equal(
    kept,
    `  the last good state is kept in ${JSON.stringify(join(outputDir, "resume.safetensors"))}`,
  );
  assert.equal(
    help,
    "  help: train with a smaller learning rate, e.g. { learningRate: 100000 }, or with { warmUpEpochs: 3 }",
  );
  const { tensors } = await loadResume(outputDir);
  for (const { data } of Object.values(tensors)) assert.ok((data as Float32Array).every(Number.isFinite));
});

Deno.test("train() with one cycle that diverges suggests a smaller highest rate, and no warm-up, which it refuses", async () => {
  const { message } = await failure(
    trainSmall({
      outputDir: freshFolder(),
      logs: [],
      learningRate: 1e30,
      warmUpEpochs: 0,
      schedule: "oneCycle",
    }),
  );
  assert.match(message, /\n {2}help: train with a smaller learning rate, e\.g\. \{ learningRate: 1e\+29 \}$/);
});

const diverged: [string, string, number, RegExp][] = [
  ["a loss that is NaN", "parameters/conv_stem.weight", NaN, /: the loss is NaN at epoch 2, step 1 of 6, /],
  [
    "an infinite loss",
    "parameters/classifier.weight",
    3e38,
    /: the loss is (NaN|Infinity) at epoch 2, step 1 of 6, /,
  ],
  [
    "a statistic that is NaN, though no loss shows it",
    "statistics/bn1.running_mean",
    NaN,
    /: 1 of \d+ tensors \(bn1.running_mean first\) hold NaN, an infinity or a negative variance after epoch 2, step 6 of 6, /,
  ],
  [
    "a negative variance, though no loss shows it",
    "statistics/bn1.running_var",
    -1e9,
    /: 1 of \d+ tensors \(bn1.running_var first\) hold NaN, an infinity or a negative variance after epoch 2, step 6 of 6, /,
  ],
  [
    "scores that are NaN, though every weight is finite",
    "statistics/blocks.5.0.bn1.running_mean",
    -3.4e38,
    /: the scores of 15 of 15 validation pictures are not finite numbers after epoch 2, /,
  ],
];
for (const [what, name, value, text] of diverged) {
  Deno.test(`train() stops at ${what}, and keeps the best epoch`, async () => {
    const folder = await changedRun(filled(name, value));
    const error = await failure(trainSmall({ resumeFrom: folder, logs: [], checkpointSeconds: 1000 }));
    assert.ok(error instanceof RangeError);
    assert.match(error.message, text);
    const best = join(folder, "best.safetensors");
    assert.ok(error.message.includes(`, the best epoch in ${JSON.stringify(best)}\n`), error.message);
    const model = await openModel(best);
    const [logits] = await model.logits([{ width: 32, height: 32, channels: 1, data: new Uint8Array(1024) }]);
    assert.ok(logits!.every(Number.isFinite));
    await model.dispose();
  });
}

Deno.test("train() leaves no native tensor behind", async () => {
  await uninterrupted();
  const before = tf.memory().numTensors;
  await trainSmall({ outputDir: freshFolder(), logs: [] });
  assert.equal(tf.memory().numTensors, before);
});
