import { join } from "node:path";
import type { DatasetSplits } from "../data/dataset.ts";
import type { Batch } from "../data/loader.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import type { Network } from "../models/network.ts";
import type { Quantization } from "../models/quantized/quantization.ts";
import type { AuxiliaryNetwork } from "./auxiliary.ts";
import { bestFileName, type ResumeCheckpoint } from "./checkpoint.ts";
import { describeSkipped } from "./describe_skipped.ts";
import { dropoutMask } from "./dropout.ts";
import { bringBack, endFrozenPhase, type FeatureBatch, prepareFrozenPhase } from "./_frozen_phase.ts";
import { updateEarlyStopping } from "./early_stopping.ts";
import type { Environment } from "./environment.ts";
import type { EpochRecord, StopReason, TrainingEvent } from "./events.ts";
import { labelInputs } from "./mixed_loss.ts";
import type { Recipe } from "./recipe.ts";
import {
  averagedWeights,
  bestRecord,
  currentLearningRate,
  currentMomentum,
  currentWeights,
  disposeRun,
  isFrozen,
  type Run,
  startRun,
  totalEpochs,
} from "./_run.ts";
import { diverged, saveAuxiliary, saveBest, saveRun } from "./_run_files.ts";
import { type Measured, validate } from "./_validation.ts";

/** What a run is made of. */
export interface TrainingSetup {
  /** timm's id with its tag. */
  readonly model: string;
  readonly network: Network;
  readonly preprocessing: Preprocessing;
  /** How the network is quantised, if it is. */
  readonly quantization?: Quantization;
  /** First weights: parameters and running statistics by name, in tfjs's layouts. */
  readonly weights: Readonly<Record<string, HostTensor>>;
  /** Models that learn beside it. */
  readonly auxiliary?: readonly AuxiliaryNetwork[];
  readonly data: DatasetSplits;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly environment: Environment;
  /** Folder for the checkpoints; it exists. */
  readonly outputDir: string;
  /** Where an earlier run stood; this one goes on from there. */
  readonly resume?: ResumeCheckpoint;
  /** What the user should know before the first step. */
  readonly warnings?: readonly string[];
  /** Seconds between two resume checkpoints within an epoch; there is one at the end of each epoch anyway. */
  readonly checkpointSeconds: number;
  readonly workers?: number;
  readonly onUnreadable?: "error" | "skip";
  /**
   * Whether the best weights get a file of their own while the run goes; the resume checkpoint holds them anyway.
   * @default {true}
   */
  readonly savesBest?: boolean;
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
  /** Path of the best weights, if they are saved. */
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
  const run = await startRun(setup);
  try {
    return await runEpochs(run);
  } finally {
    await disposeRun(run);
  }
}

async function runEpochs(run: Run): Promise<TrainingOutcome> {
  await emitStart(run);
  for (const message of run.warnings ?? []) await run.emit({ type: "warning", message });
  if (run.resume === undefined) await saveRun(run); // from here on a run that is killed can go on
  // The file may be missing where the run goes on, or belong to a later epoch than the state it goes on from.
  else if (run.bestWeights !== undefined) await saveBest(run, run.bestWeights, bestRecord(run.state));
  while (run.state.epoch < totalEpochs(run.recipe) && !run.state.earlyStopping.stop) {
    const finished = await prepareEpoch(run) && await trainEpoch(run) && await validateEpoch(run);
    if (!finished) return await endRun(run, "interrupted");
  }
  return await endRun(run, run.state.earlyStopping.stop ? "early-stopping" : "completed");
}

/** Has the features ready if only the classifier learns. Returns whether they are. */
async function prepareEpoch(run: Run): Promise<boolean> {
  if (await prepareFrozenPhase(run)) return true;
  await saveRun(run);
  return false;
}

/** The steps of the current epoch that are not done yet. Returns whether all of them are done now. */
async function trainEpoch(run: Run): Promise<boolean> {
  const { trainLoader, clock, frozen } = run;
  let savedAt = performance.now();
  if (run.state.step === trainLoader.stepsPerEpoch) return true; // resumed between the last step and the validation
  for await (const batch of (frozen?.batches ?? trainLoader.epoch)(run.state.epoch, run.state.step)) {
    if (run.signal.aborted) {
      await bringBack(run);
      await saveRun(run);
      return false;
    }
    const learningRate = currentLearningRate(run), momentum = currentMomentum(run);
    const { loss, correct } = await takeStep(run, batch, learningRate, momentum);
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
      ...(momentum === undefined ? {} : { momentum }),
      imagesPerSecond: clock.stepDone(batch.count),
      elapsedSeconds: clock.elapsedSeconds(),
      remainingSeconds: remainingSeconds(run),
    });
    const isLast = run.state.step === trainLoader.stepsPerEpoch; // the file after the validation is near
    if (!isLast && (performance.now() - savedAt) / 1000 >= run.checkpointSeconds) {
      await bringBack(run);
      await saveRun(run);
      savedAt = performance.now();
      clock.pause();
    }
  }
  await bringBack(run);
  await warnAboutSkipped(run);
  return true;
}

async function takeStep(
  run: Run,
  batch: Batch | FeatureBatch,
  learningRate: number,
  momentum: number | undefined,
): Promise<{ loss: number; correct: number }> {
  const { height, width } = run.preprocessing.size;
  const rows = run.trainLoader.batchSize;
  const scalar = (value: number): HostTensor => ({
    dtype: "float32",
    shape: [],
    data: Float32Array.of(value),
  });
  const outputs = await (run.frozen?.step ?? run.step).run({
    ...("features" in batch
      ? { features: batch.features }
      : { images: { dtype: "uint8", shape: [rows, height, width, 3], data: batch.images } }),
    ...labelInputs(batch),
    learningRate: scalar(learningRate),
    ...(momentum === undefined ? {} : { momentum: scalar(momentum) }),
    ...dropoutMasks(run, rows),
  });
  const loss = outputs["loss"]!.data[0] as number;
  if (!Number.isFinite(loss)) {
    const { epoch, step } = run.state;
    throw diverged(
      run,
      `the loss is ${loss} at epoch ${epoch + 1}, step ${step + 1} of ${run.trainLoader.stepsPerEpoch}`,
    );
  }
  return { loss, correct: outputs["correct"]!.data[0] as number };
}

/** A mask for each network with dropout that learns. */
function dropoutMasks(run: Run, rows: number): Record<string, HostTensor> {
  const { learners, seed, frozen, state: { epoch, step } } = run;
  return Object.fromEntries(
    learners.slice(0, frozen && 1).flatMap(({ dropout = 0, network: { featureChannels } }, index) => {
      if (dropout === 0) return [];
      const key = { seed, epoch, step, index, learners: learners.length };
      return [[`dropout/${index}`, dropoutMask([rows, featureChannels], dropout, key)]];
    }),
  );
}

/** Measures the current epoch's weights and closes its row of the history. Returns whether that was done. */
async function validateEpoch(run: Run): Promise<boolean> {
  const { clock, recipe, trainLoader } = run;
  const { epoch, lossSum, correct, history } = run.state;
  const validated = await validateBetter(run);
  if (validated === undefined) {
    await saveRun(run);
    return false;
  }
  const { weights, measured } = validated;
  await warnAboutSkipped(run);
  const frozen = isFrozen(run);
  const record: EpochRecord = {
    epoch,
    ...(frozen ? { phase: "frozen" } : {}),
    trainLoss: lossSum / trainLoader.stepsPerEpoch,
    trainTop1: correct / (trainLoader.stepsPerEpoch * trainLoader.batchSize),
    ...measured,
    learningRate: currentLearningRate(run),
  };
  const top1 = measured.validationTop1;
  const earlyStopping = updateEarlyStopping(
    run.state.earlyStopping,
    // A rate that is still to fall, or a backbone still to learn, may make a run better that seems to have stopped. What
    // comes after frozen epochs is measured by itself: batch norms have to come back to where they were first.
    {
      epoch,
      top1,
      improves: !frozen && history.every((row) => row.phase === "frozen" || row.validationTop1 < top1),
      counts: !frozen && (recipe.schedule !== "plateau" || record.learningRate <= lowestRate(recipe)),
    },
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
  // Before the files: a run killed in between does the epoch again, and logs cut its row. The other way round a kill
  // would lose the row.
  await run.emit({
    type: "epoch",
    ...record,
    epochs: totalEpochs(recipe),
    best,
    durationSeconds: clock.epochDone(),
    elapsedSeconds: clock.elapsedSeconds(),
    remainingSeconds: frozen ? NaN : remainingSeconds(run),
  });
  if (best) {
    run.bestWeights = weights;
    await saveAuxiliary(run);
    await saveBest(run, weights, record);
  }
  if (frozen && !isFrozen(run)) await endFrozenPhase(run);
  await saveRun(run);
  clock.pause();
  return true;
}

/** The rate a plateau schedule ends with, a little above for rounding. */
function lowestRate({ learningRate, plateau }: Recipe): number {
  return learningRate * (plateau?.floor ?? 1 / 200) * (1 + 1e-9);
}

/**
 * Measures the weights and, if the recipe keeps one, their moving average; the better one counts, the average if both
 * are as good. Returns nothing if the user stopped the run meanwhile.
 */
async function validateBetter(
  run: Run,
): Promise<{ weights: Record<string, HostTensor>; measured: Measured } | undefined> {
  const weights = await currentWeights(run);
  const raw = await validate(run, weights);
  const averages = isFrozen(run) ? undefined : await averagedWeights(run);
  if (raw === undefined || averages === undefined) return raw && { weights, measured: raw };
  const averaged = await validate(run, averages);
  if (averaged === undefined) return undefined;
  const better = averaged.validationTop1 >= raw.validationTop1;
  const both = { rawTop1: raw.validationTop1, averageTop1: averaged.validationTop1 };
  return better
    ? { weights: averages, measured: { ...averaged, ...both } }
    : { weights, measured: { ...raw, ...both } };
}

async function endRun(run: Run, stopped: StopReason): Promise<TrainingOutcome> {
  const best = bestRecord(run.state);
  const weights = run.bestWeights ?? await currentWeights(run);
  if (best === undefined) {
    await saveAuxiliary(run);
    await saveBest(run, weights, undefined);
  }
  await run.emit({
    type: "end",
    stopped,
    bestEpoch: best?.epoch ?? -1,
    bestTop1: best?.validationTop1 ?? 0,
    elapsedSeconds: run.clock.elapsedSeconds(),
  });
  return {
    weights,
    best,
    history: run.state.history,
    stopped,
    checkpoint: join(run.outputDir, bestFileName),
  };
}

async function emitStart(run: Run): Promise<void> {
  const { data, recipe, trainLoader, environment, state } = run;
  await run.emit({
    type: "start",
    model: run.model,
    classNames: data.classNames,
    trainSize: data.train.samples.length,
    validationSize: data.validation.samples.length,
    batchSize: trainLoader.batchSize,
    epochs: totalEpochs(recipe),
    ...(recipe.freezeEpochs ? { freezeEpochs: recipe.freezeEpochs } : {}),
    stepsPerEpoch: trainLoader.stepsPerEpoch,
    epoch: state.epoch,
    step: state.step,
    device: `${environment.device} (${environment.library})`,
    outputDir: run.outputDir,
  });
}

/** Tells about pictures that turned out to be unreadable since it last did. */
async function warnAboutSkipped(run: Run): Promise<void> {
  const skipped = run.frozen?.unreadable ??
    [...run.trainLoader.unreadable, ...run.validationLoader.unreadable];
  if (skipped.length <= run.skipped) return; // the loaders find what the features have told about
  run.skipped = skipped.length;
  await run.emit({ type: "warning", message: describeSkipped(skipped) });
}

function remainingSeconds(run: Run): number {
  const { epoch, step } = run.state;
  if (isFrozen(run)) return NaN;
  const stepsLeft = (totalEpochs(run.recipe) - epoch) * run.trainLoader.stepsPerEpoch - step;
  return stepsLeft * run.clock.secondsPerStep();
}
