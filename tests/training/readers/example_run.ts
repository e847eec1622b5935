import type { TrainingEvent } from "../../../lib/training/events.ts";

/** The same run, the first epoch of which is frozen. */
export function exampleFrozenRun(): TrainingEvent[] {
  const [start, ...others] = exampleRun();
  const feature = (done: number): TrainingEvent => ({
    type: "features",
    done,
    total: 12,
    elapsedSeconds: done / 4,
    remainingSeconds: 3 - done / 4,
  });
  return [
    { ...start, freezeEpochs: 1 } as TrainingEvent,
    ...[4, 8, 12].map(feature),
    ...others.map((event) =>
      event.type === "epoch" && event.epoch === 0
        ? { ...event, phase: "frozen", remainingSeconds: NaN } as const
        : event.type === "step" && event.epoch === 0
        ? { ...event, remainingSeconds: NaN }
        : event
    ),
  ];
}

/** The events of a small run of two epochs of two steps, for the tests of all readers. */
export function exampleRun(): TrainingEvent[] {
  const step = (epoch: number, step: number, loss: number): TrainingEvent => ({
    type: "step",
    epoch,
    step,
    stepsPerEpoch: 2,
    loss,
    learningRate: 0.01 / (epoch + 1),
    imagesPerSecond: 46.125,
    elapsedSeconds: epoch + (step + 1) / 2,
    remainingSeconds: 2 - epoch - (step + 1) / 2,
  });
  const record = {
    epochs: 2,
    validationTop1: 0.75,
    validationTop5: 1,
    durationSeconds: 1,
  };
  return [
    {
      type: "start",
      model: "mobilenetv3_small_100",
      classNames: ["cat", "dog"],
      trainSize: 8,
      validationSize: 4,
      batchSize: 4,
      epochs: 2,
      stepsPerEpoch: 2,
      epoch: 0,
      step: 0,
      device: "cpu, libtensorflow 2.21.0",
    },
    step(0, 0, 0.75),
    step(0, 1, 0.65),
    {
      ...record,
      type: "epoch",
      epoch: 0,
      trainLoss: 0.7,
      trainTop1: 0.5,
      validationLoss: 0.6,
      learningRate: 0.01,
      best: true,
      elapsedSeconds: 1,
      remainingSeconds: 1,
    },
    { type: "checkpoint", kind: "best", path: "out/best.safetensors", epoch: 0 },
    { type: "warning", message: 'class "dog" has only 2 pictures' },
    step(1, 0, 0.5),
    step(1, 1, 0.3),
    {
      ...record,
      type: "epoch",
      epoch: 1,
      trainLoss: 0.4,
      trainTop1: 0.875,
      validationLoss: 0.5,
      learningRate: 0.005,
      best: false,
      elapsedSeconds: 2,
      remainingSeconds: 0,
    },
    { type: "end", stopped: "completed", bestEpoch: 0, bestTop1: 0.75, elapsedSeconds: 2 },
  ];
}
