import { join } from "node:path";
import { baselineAugmentation } from "../augment/augmentation.ts";
import type { DatasetSplits } from "../data/dataset.ts";
import { type Batch, createLoader, type Loader } from "../data/loader.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { sampleLosses } from "../metrics/log_loss.ts";
import { topKAccuracy } from "../metrics/top_k.ts";
import { createInference, type Inference } from "../models/inference.ts";
import type { Network } from "../models/network.ts";
import { compile, type CompiledFunction } from "../tensorflow/compiled_function.ts";
import {
  bestFileName,
  hashData,
  type ResumeCheckpoint,
  resumeFileName,
  type RunState,
  saveResume,
  saveWeights,
} from "./checkpoint.ts";
import { classWeights } from "./class_weights.ts";
import { type Clock, startClock } from "./clock.ts";
import { createEarlyStopping, updateEarlyStopping } from "./early_stopping.ts";
import type { Environment } from "./environment.ts";
import type { EpochRecord, StopReason, TrainingEvent } from "./events.ts";
import type { Recipe } from "./recipe.ts";
import { createSchedule } from "./schedules.ts";
import { initialState, recordTrainStep } from "./train_step.ts";

/** What a run is made of. */
export interface TrainingSetup {
  /** timm's id with its tag. */
  readonly model: string;
  readonly network: Network;
  readonly preprocessing: Preprocessing;
  /** First weights: parameters and running statistics by name, in tfjs's layouts. */
  readonly weights: Readonly<Record<string, HostTensor>>;
  readonly data: DatasetSplits;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly environment: Environment;
  /** Folder for the checkpoints; it exists. */
  readonly outputDir: string;
  /** Where an earlier run stood; this one goes on from there. */
  readonly resume?: ResumeCheckpoint;
  /** Seconds between two resume checkpoints within an epoch; there is one at the end of each epoch anyway. */
  readonly checkpointSeconds: number;
  readonly workers?: number;
  readonly onUnreadable?: "error" | "skip";
  /** Asks the run to finish its step, save and return. */
  readonly signal: AbortSignal;
  /** Told about everything that happens, in order. */
  readonly emit: (event: TrainingEvent) => void | Promise<void>;
}

/** What a run leaves. */
export interface TrainingOutcome {
  /** Best weights by validation top-1; the last ones if no epoch was finished. */
  readonly weights: Record<string, HostTensor>;
  readonly best: EpochRecord | undefined;
  readonly history: readonly EpochRecord[];
  readonly stopped: StopReason;
  /** Path of the best weights. */
  readonly checkpoint: string;
}

/**
 * Trains a network: epochs of steps, each epoch followed by a validation pass, checkpoints between them.
 *
 * The run is a function of its setup: order and augmentation of the pictures follow from (seed, epoch, index), so that a
 * run that was killed and resumed ends with the same weights and history as one that never was.
 *
 * @param setup Network, data, recipe and where to write.
 * @returns The best weights and the history.
 * @throws {RangeError} If the loss is not a number any more; the last good checkpoint stays.
 * @throws {DatasetError} If pictures cannot be read.
 */
export async function train(setup: TrainingSetup): Promise<TrainingOutcome> {
  const run = startRun(setup);
  try {
    return await runEpochs(run);
  } finally {
    await run.step.dispose();
    await run.inference.dispose();
  }
}

/** A run with its compiled functions and loaders. */
interface Run extends TrainingSetup {
  readonly step: CompiledFunction;
  readonly inference: Inference;
  readonly trainLoader: Loader;
  readonly validationLoader: Loader;
  readonly dataHash: string;
  readonly clock: Clock;
  readonly learningRateAt: (epoch: number) => number;
  state: RunState;
  bestWeights: Record<string, HostTensor> | undefined;
}

function startRun(setup: TrainingSetup): Run {
  const { network, preprocessing, recipe, data, resume, seed, workers, onUnreadable = "error" } = setup;
  const loading = { preprocessing, seed, workers, onUnreadable };
  const trainLoader = createLoader(data.train, {
    ...loading,
    batchSize: recipe.batchSize,
    training: true,
    augment: recipe.augmentation === "baseline" ? baselineAugmentation() : undefined,
  });
  const validationLoader = createLoader(data.validation, {
    ...loading,
    batchSize: recipe.batchSize,
    training: false,
  });
  const graph = recordTrainStep({
    network,
    preprocessing,
    batchSize: trainLoader.batchSize,
    loss: {
      labelSmoothing: recipe.labelSmoothing,
      classWeights: classWeights(recipe.classWeights, data.train),
    },
    optimizer: { momentum: recipe.momentum, weightDecay: recipe.weightDecay },
  });
  const tensors = resume?.tensors ?? {};
  const isBest = (name: string) => name.startsWith("best/");
  const resumed = Object.fromEntries(Object.entries(tensors).filter(([name]) => !isBest(name)));
  const best = Object.entries(tensors).filter(([name]) => isBest(name));
  const variables = resume === undefined ? initialState(network, setup.weights) : resumed;
  return {
    ...setup,
    step: compile(graph, { variables }),
    inference: createInference(network, setup.weights, preprocessing, validationLoader.batchSize),
    trainLoader,
    validationLoader,
    dataHash: hashData(data),
    clock: startClock(),
    learningRateAt: createSchedule(recipe),
    state: resume?.state ??
      { epoch: 0, step: 0, lossSum: 0, correct: 0, history: [], earlyStopping: createEarlyStopping() },
    bestWeights: best.length === 0
      ? undefined
      : Object.fromEntries(best.map(([name, value]) => [name.slice("best/".length), value])),
  };
}

async function runEpochs(run: Run): Promise<TrainingOutcome> {
  const { recipe, data, trainLoader, environment } = run;
  await run.emit({
    type: "start",
    model: run.model,
    classNames: data.classNames,
    trainSize: data.train.samples.length,
    validationSize: data.validation.samples.length,
    batchSize: trainLoader.batchSize,
    epochs: recipe.epochs,
    stepsPerEpoch: trainLoader.stepsPerEpoch,
    epoch: run.state.epoch,
    step: run.state.step,
    device: `${environment.device} (${environment.library})`,
    outputDir: run.outputDir,
  });
  // The file may be missing where the run goes on, or belong to a later epoch than the state it goes on from.
  const best = bestRecord(run.state);
  if (run.resume !== undefined && best !== undefined) await saveBest(run, best);
  while (run.state.epoch < recipe.epochs && !run.state.earlyStopping.stop) {
    const finished = await trainEpoch(run) && await validateEpoch(run);
    if (!finished) return await endRun(run, "interrupted");
  }
  return await endRun(run, run.state.earlyStopping.stop ? "early-stopping" : "completed");
}

/** The steps of the current epoch that are not done yet. Returns whether all of them are done now. */
async function trainEpoch(run: Run): Promise<boolean> {
  const { trainLoader, clock } = run;
  const learningRate = run.learningRateAt(run.state.epoch);
  let savedAt = performance.now();
  if (run.state.step === trainLoader.stepsPerEpoch) return true; // resumed between the last step and the validation
  for await (const batch of trainLoader.epoch(run.state.epoch, run.state.step)) {
    if (run.signal.aborted) {
      await saveRun(run);
      return false;
    }
    const { loss, correct } = await takeStep(run, batch, learningRate);
    const { epoch, step } = run.state;
    run.state = {
      ...run.state,
      step: step + 1,
      lossSum: run.state.lossSum + loss,
      correct: run.state.correct + correct,
    };
    await run.emit({
      type: "step",
      epoch,
      step,
      stepsPerEpoch: trainLoader.stepsPerEpoch,
      loss,
      learningRate,
      imagesPerSecond: clock.stepDone(batch.count),
      elapsedSeconds: clock.elapsedSeconds(),
      remainingSeconds: remainingSeconds(run),
    });
    if ((performance.now() - savedAt) / 1000 >= run.checkpointSeconds) {
      await saveRun(run);
      savedAt = performance.now();
      clock.pause();
    }
  }
  return true;
}

async function takeStep(
  run: Run,
  batch: Batch,
  learningRate: number,
): Promise<{ loss: number; correct: number }> {
  const { height, width } = run.preprocessing.size;
  const rows = run.trainLoader.batchSize;
  const outputs = await run.step.run({
    images: { dtype: "uint8", shape: [rows, height, width, 3], data: batch.images },
    labels: { dtype: "int32", shape: [rows], data: batch.labels },
    learningRate: { dtype: "float32", shape: [], data: new Float32Array([learningRate]) },
  });
  const loss = outputs["loss"]!.data[0] as number;
  if (!Number.isFinite(loss)) throw divergence(run, loss, learningRate);
  return { loss, correct: outputs["correct"]!.data[0] as number };
}

function divergence(run: Run, loss: number, learningRate: number): RangeError {
  const { epoch, step, history } = run.state;
  const kept = history.length === 0
    ? "no epoch was finished before"
    : `the best epoch so far is kept in ${JSON.stringify(join(run.outputDir, bestFileName))}`;
  return new RangeError(
    `Cannot go on training: the loss is ${loss} at epoch ${epoch + 1}, step ${step + 1} of ` +
      `${run.trainLoader.stepsPerEpoch}, with learning rate ${learningRate}\n  ${kept}\n` +
      `  help: train with a smaller learning rate, e.g. { learningRate: ${
        Number((learningRate / 10).toPrecision(2))
      } }, ` +
      `or with { warmUpEpochs: 3 }`,
  );
}

/** Measures the current epoch's weights and closes its row of the history. Returns whether that was done. */
async function validateEpoch(run: Run): Promise<boolean> {
  const { clock, recipe, trainLoader } = run;
  const { epoch, lossSum, correct, history } = run.state;
  const weights = await currentWeights(run);
  const measured = await validate(run, weights);
  if (measured === undefined) {
    await saveRun(run);
    return false;
  }
  const record: EpochRecord = {
    epoch,
    trainLoss: lossSum / trainLoader.stepsPerEpoch,
    trainTop1: correct / (trainLoader.stepsPerEpoch * trainLoader.batchSize),
    ...measured,
    learningRate: run.learningRateAt(epoch),
  };
  const top1 = measured.validationTop1;
  const earlyStopping = updateEarlyStopping(
    run.state.earlyStopping,
    { epoch, top1 },
    recipe.earlyStoppingPatience,
  );
  const best = earlyStopping.bestEpoch === epoch;
  run.state = {
    epoch: epoch + 1,
    step: 0,
    lossSum: 0,
    correct: 0,
    history: [...history, record],
    earlyStopping,
  };
  if (best) {
    run.bestWeights = weights;
    await saveBest(run, record);
  }
  await saveRun(run);
  await run.emit({
    type: "epoch",
    ...record,
    epochs: recipe.epochs,
    best,
    durationSeconds: clock.epochDone(),
    elapsedSeconds: clock.elapsedSeconds(),
    remainingSeconds: remainingSeconds(run),
  });
  return true;
}

type Measured = Pick<EpochRecord, "validationLoss" | "validationTop1" | "validationTop5">;

/** `undefined` if the user stopped the run meanwhile. */
async function validate(run: Run, weights: Record<string, HostTensor>): Promise<Measured | undefined> {
  const { inference, validationLoader, data } = run;
  await inference.setWeights(weights);
  const logits: Float32Array[] = [];
  const labels: number[] = [];
  for await (const batch of validationLoader.epoch(0)) {
    if (run.signal.aborted) return undefined;
    logits.push(...await inference.logits(batch.images, batch.count));
    for (let row = 0; row < batch.count; row++) labels.push(batch.labels[row]!);
  }
  const losses = sampleLosses(logits, labels);
  return {
    validationLoss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
    validationTop1: topKAccuracy(logits, labels, 1),
    validationTop5: topKAccuracy(logits, labels, Math.min(5, data.classNames.length)),
  };
}

async function endRun(run: Run, stopped: StopReason): Promise<TrainingOutcome> {
  const best = bestRecord(run.state);
  const weights = run.bestWeights ?? await currentWeights(run);
  if (stopped === "interrupted" && best === undefined) await saveBest({ ...run, bestWeights: weights });
  const checkpoint = join(run.outputDir, bestFileName);
  await run.emit({
    type: "end",
    stopped,
    bestEpoch: best?.epoch ?? -1,
    bestTop1: best?.validationTop1 ?? 0,
    elapsedSeconds: run.clock.elapsedSeconds(),
  });
  return { weights, best, history: run.state.history, stopped, checkpoint };
}

function bestRecord({ history, earlyStopping }: RunState): EpochRecord | undefined {
  return history.find((record) => record.epoch === earlyStopping.bestEpoch);
}

async function currentWeights(run: Run): Promise<Record<string, HostTensor>> {
  return { ...await run.step.read("parameters/"), ...await run.step.read("statistics/") };
}

async function saveBest(run: Run, record?: EpochRecord): Promise<void> {
  const path = join(run.outputDir, bestFileName);
  await saveWeights(path, run.bestWeights!, {
    format: 1,
    model: run.model,
    classNames: run.data.classNames,
    preprocessing: run.preprocessing,
    recipe: run.recipe,
    ...(record === undefined ? {} : { metrics: { ...record } }),
  });
  await run.emit({ type: "checkpoint", kind: "best", path, epoch: record?.epoch ?? run.state.epoch });
}

async function saveRun(run: Run): Promise<void> {
  const path = join(run.outputDir, resumeFileName);
  const best = Object.entries(run.bestWeights ?? {}).map(([name, value]) => [`best/${name}`, value]);
  await saveResume(path, {
    format: 1,
    model: run.model,
    classNames: run.data.classNames,
    preprocessing: run.preprocessing,
    recipe: run.recipe,
    seed: run.seed,
    dataHash: run.dataHash,
    environment: run.environment,
    state: run.state,
    tensors: { ...await run.step.read(), ...Object.fromEntries(best) },
  });
  await run.emit({ type: "checkpoint", kind: "resume", path, epoch: run.state.epoch });
}

function remainingSeconds(run: Run): number {
  const { epoch, step } = run.state;
  const stepsLeft = (run.recipe.epochs - epoch) * run.trainLoader.stepsPerEpoch - step;
  return stepsLeft * run.clock.secondsPerStep();
}
