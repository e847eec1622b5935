import type { Loader } from "../data/loader.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { createInference, type NetworkInference } from "../models/inference.ts";
import type { CompiledFunction } from "../graph/compiled_function.ts";
import { compileForExecutor } from "../tensorflow/executor.ts";
import { marginOf } from "./am_softmax.ts";
import { lossOf } from "./auxiliary.ts";
import { hashData, type RunState } from "./checkpoint.ts";
import { type Clock, startClock } from "./clock.ts";
import { createLoaders } from "./create_loaders.ts";
import { createEarlyStopping } from "./early_stopping.ts";
import type { EpochRecord } from "./events.ts";
import type { FrozenPhase } from "./_frozen_phase.ts";
import type { Recipe } from "./recipe.ts";
import { mixingOf } from "./recipe_augmentation.ts";
import { createMomentum, createSchedule, type Schedule } from "./schedules.ts";
import { stepSettings } from "./step_settings.ts";
import { initialState, type Learner, recordTrainStep } from "./train_step.ts";
import type { TrainingSetup } from "./trainer.ts";

/** A run with its compiled functions and loaders. */
export interface Run extends TrainingSetup {
  readonly step: CompiledFunction;
  readonly inference: NetworkInference;
  readonly trainLoader: Loader;
  readonly validationLoader: Loader;
  readonly dataHash: string;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** The momentum of each step, if it changes. */
  readonly momentum: ReturnType<typeof createMomentum>;
  /** The networks of the step: the main one, then the auxiliary ones. */
  readonly learners: readonly Learner[];
  /** Where the run stands. */
  state: RunState;
  bestWeights: Record<string, HostTensor> | undefined;
  /** The epochs with only the classifier learning, while they last. */
  frozen: FrozenPhase | undefined;
  /** How many unreadable pictures were told about. */
  skipped: number;
}

/** Records and compiles what the run needs, and puts it where it starts or goes on. */
export async function startRun(setup: TrainingSetup): Promise<Run> {
  const { network, preprocessing, recipe, data, resume } = setup;
  const { trainLoader, validationLoader } = createLoaders(setup);
  const [main, ...auxiliary] = learnersOf(setup);
  const scheduling = { ...recipe, stepsPerEpoch: trainLoader.stepsPerEpoch };
  const momentum = createMomentum(scheduling);
  const graph = recordTrainStep({
    ...main!,
    auxiliary,
    ...stepSettings(recipe, data),
    batchSize: trainLoader.batchSize,
    cyclesMomentum: momentum !== undefined,
    mixed: mixingOf(recipe) !== undefined,
    ema: recipe.ema,
  });
  const { state, bestWeights } = splitTensors(resume?.tensors ?? {});
  const step = await compileForExecutor(
    graph,
    resume === undefined
      ? initialState(network, setup.weights, { ema: recipe.ema, auxiliary: setup.auxiliary })
      : state,
    recipe.precision,
  );
  return {
    ...setup,
    warnings: [...setup.warnings ?? [], ...elsewhere(step, setup)],
    step,
    inference: await createInference(network, setup.weights, preprocessing, validationLoader.batchSize),
    trainLoader,
    validationLoader,
    dataHash: hashData(data),
    clock: startClock(),
    schedule: createSchedule(scheduling),
    momentum,
    learners: [main!, ...auxiliary],
    state: resume?.state ??
      { epoch: 0, step: 0, lossSum: 0, correct: 0, history: [], earlyStopping: createEarlyStopping() },
    bestWeights,
    frozen: undefined,
    skipped: 0,
  };
}

/** The networks of a step with their losses. */
function learnersOf({ network, preprocessing, recipe, auxiliary = [] }: TrainingSetup): Learner[] {
  const { dropout, learningRate } = recipe;
  return [
    { network, preprocessing, dropout, margin: marginOf(recipe) },
    ...auxiliary.map(({ network, preprocessing, settings }) => ({
      network,
      preprocessing,
      frozen: settings.frozen,
      dropout: settings.frozen ? 0 : settings.dropout,
      margin: marginOf(lossOf(settings)),
      learningRateFactor: (settings.learningRate ?? learningRate) / learningRate,
    })),
  ];
}

/** What to tell if the step is not run by the executor the run was opened with. */
function elsewhere({ executor }: CompiledFunction, { environment }: TrainingSetup): string[] {
  return executor.name === "tensorflow" && !environment.library.startsWith("TensorFlow")
    ? [`TensorFlow runs the training step, not oneDNN: ${executor.reason}`]
    : [];
}

/** Frees what {@linkcode startRun} compiled. */
export async function disposeRun(run: Run): Promise<void> {
  await run.frozen?.dispose();
  await run.step.dispose();
  await run.inference.dispose();
}

/** Epochs of the whole run. */
export function totalEpochs({ epochs, freezeEpochs = 0 }: Recipe): number {
  return freezeEpochs + epochs;
}

/** Whether the run is in an epoch in which only the classifier learns. */
export function isFrozen({ recipe: { freezeEpochs = 0 }, state: { epoch } }: Run): boolean {
  return epoch < freezeEpochs;
}

/** Learning rate of the step the run is about to take; after the last one of an epoch it is still that one's. */
export function currentLearningRate(run: Run): number {
  const { recipe, schedule, trainLoader: { stepsPerEpoch }, state: { epoch, step, history } } = run;
  const { learningRate, freezeEpochs = 0, freezeLearningRate = learningRate } = recipe;
  if (isFrozen(run)) return freezeLearningRate;
  const losses = history.slice(freezeEpochs).map(({ trainLoss }) => trainLoss);
  return schedule(epoch - freezeEpochs, losses, Math.min(step, stepsPerEpoch - 1));
}

/** Momentum of the step the run is about to take, if it changes from step to step. */
export function currentMomentum(run: Run): number | undefined {
  const { recipe: { freezeEpochs = 0 }, state: { epoch, step } } = run;
  return isFrozen(run) ? undefined : run.momentum?.(epoch - freezeEpochs, step);
}

/** Parameters and running statistics as they are now. */
export async function currentWeights(run: Run): Promise<Record<string, HostTensor>> {
  return { ...await run.step.read("parameters/"), ...await run.step.read("statistics/") };
}

/** The moving averages of parameters and running statistics, if the recipe keeps them. */
export async function averagedWeights(run: Run): Promise<Record<string, HostTensor> | undefined> {
  return run.recipe.ema === undefined ? undefined : await run.step.read("average/");
}

/** The row of the best epoch, if one was finished. */
export function bestRecord({ history, earlyStopping }: RunState): EpochRecord | undefined {
  return history.find((record) => record.epoch === earlyStopping.bestEpoch);
}

/** A resume file's tensors: the state of the training step, and the best weights so far. */
function splitTensors(tensors: Readonly<Record<string, HostTensor>>): {
  state: Record<string, HostTensor>;
  bestWeights: Record<string, HostTensor> | undefined;
} {
  const prefix = "best/";
  const entries = Object.entries(tensors);
  const best = entries.filter(([name]) => name.startsWith(prefix));
  return {
    state: Object.fromEntries(entries.filter(([name]) => !name.startsWith(prefix))),
    bestWeights: best.length === 0
      ? undefined
      : Object.fromEntries(best.map(([name, value]) => [name.slice(prefix.length), value])),
  };
}
