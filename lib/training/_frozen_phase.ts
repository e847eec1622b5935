import type { Dataset } from "../data/dataset.ts";
import type { DatasetProblem } from "../data/dataset_error.ts";
import { createLoader } from "../data/loader.ts";
import { createSampler } from "../data/sampler.ts";
import type { CompiledFunction } from "../graph/compiled_function.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { classifierOnly } from "../models/classifier.ts";
import { type CutNetwork, cutNetwork } from "../models/features.ts";
import { compileForExecutor } from "../tensorflow/executor.ts";
import { currentWeights, isFrozen, type Run } from "./_run.ts";
import { stepSettings } from "./step_settings.ts";
import { recordTrainStep } from "./train_step.ts";

/** A batch of features, as it crosses to the engine. */
export interface FeatureBatch {
  /** Float32 `[batch, 1, 1, featureChannels]`. */
  readonly features: HostTensor;
  readonly labels: Int32Array;
  /** Pictures of the batch: all rows. */
  readonly count: number;
}

/** The epochs in which only the classifier learns. */
export interface FrozenPhase {
  /** The training step of the classifier. */
  readonly step: CompiledFunction;
  /** Pictures that cannot be read, of both sets. */
  readonly unreadable: readonly DatasetProblem[];
  /** Batches of the pictures that an ordinary epoch of this number has too, neither augmented nor mixed. */
  batches(epoch: number, fromStep: number): Generator<FeatureBatch, void, void>;
  /** Scores of the validation pictures with a classifier, and their labels. */
  scores(
    weights: Readonly<Record<string, HostTensor>>,
  ): Promise<{ logits: Float32Array[]; labels: number[] }>;
  dispose(): Promise<void>;
}

/** Features of the pictures of a set that can be read, with their labels. */
interface CachedFeatures {
  /** `[count, featureChannels]`. */
  readonly values: Float32Array;
  readonly labels: Int32Array;
  readonly unreadable: readonly DatasetProblem[];
}

/**
 * Computes the features of all pictures if the run is in its frozen epochs and has not yet, and puts the classifier into a
 * step of its own.
 *
 * @param run The run.
 * @returns Whether it was done; not if the user stopped the run meanwhile.
 */
export async function prepareFrozenPhase(run: Run): Promise<boolean> {
  if (!isFrozen(run) || run.frozen !== undefined) return true;
  const { network, preprocessing, data, trainLoader } = run;
  const cut = await cutNetwork(network, await currentWeights(run), preprocessing, trainLoader.batchSize);
  try {
    const progress = createProgress(run);
    const train = await featuresOf(run, cut, data.train, progress);
    const validation = train && await featuresOf(run, cut, data.validation, progress);
    run.clock.pause();
    if (validation !== undefined) {
      run.frozen = createPhase(run, cut, await compileHeadStep(run), train!, validation);
    }
  } finally {
    if (run.frozen === undefined) await cut.dispose();
  }
  return run.frozen !== undefined;
}

/**
 * Brings the classifier and its velocities from the step they are trained in to the whole step, from where they are saved
 * and validated.
 *
 * @param run The run.
 */
export async function bringBack(run: Run): Promise<void> {
  if (run.frozen !== undefined) await run.step.write(await run.frozen.step.read());
}

/**
 * Ends the frozen epochs: all parameters go on without velocity, and averages begin with the classifier as it is.
 *
 * @param run The run.
 */
export async function endFrozenPhase(run: Run): Promise<void> {
  const state = await run.step.read();
  const begun = Object.entries(state).flatMap(([name, value]): [string, HostTensor][] => {
    const parameter = state[name.replace(/^average\//, "parameters/")];
    if (name.startsWith("average/") && parameter !== undefined) return [[name, parameter]];
    if (!name.startsWith("velocities/")) return [];
    return [[name, { ...value, data: new Float32Array(value.data.length) } as HostTensor]];
  });
  await run.step.write(Object.fromEntries(begun));
  await run.frozen?.dispose();
  run.frozen = undefined;
  run.clock.forgetSpeed();
}

/** The training step of the classifier alone, with its state in the whole step. */
async function compileHeadStep({ learners, step, trainLoader: { batchSize }, recipe, data }: Run) {
  const [main] = learners;
  const graph = recordTrainStep({
    ...main!,
    ...stepSettings(recipe, data),
    network: classifierOnly(main!.network),
    input: "features",
    batchSize,
  });
  const state = Object.entries(await step.read()).filter(([name]) =>
    /^(parameters|velocities|statistics)\/classifier\./.test(name)
  );
  return await compileForExecutor(graph, Object.fromEntries(state), recipe.precision);
}

/** Runs through a set once; `undefined` if the user stopped the run meanwhile. */
async function featuresOf(
  run: Run,
  cut: CutNetwork,
  set: Dataset,
  progress: (pictures: number) => Promise<void>,
): Promise<CachedFeatures | undefined> {
  const { preprocessing, trainLoader: { batchSize }, workers, onUnreadable } = run;
  const { featureChannels } = run.network;
  const loader = createLoader(set, { preprocessing, batchSize, training: false, workers, onUnreadable });
  const values = new Float32Array(set.samples.length * featureChannels);
  const labels: number[] = [];
  let left = set.samples.length;
  for await (const { images, labels: given, count } of loader.epoch(0)) {
    if (run.signal.aborted) return undefined;
    const features = await cut.features(images);
    values.set(features.subarray(0, count * featureChannels), labels.length * featureChannels);
    labels.push(...given.subarray(0, count));
    await progress(Math.min(batchSize, left));
    left -= batchSize;
  }
  return { values, labels: Int32Array.from(labels), unreadable: loader.unreadable };
}

function createPhase(
  run: Run,
  cut: CutNetwork,
  step: CompiledFunction,
  train: CachedFeatures,
  validation: CachedFeatures,
): FrozenPhase {
  const { seed, data, recipe, network: { featureChannels }, trainLoader: { batchSize, stepsPerEpoch } } = run;
  const samples = Array.from(train.labels, (label) => ({ ...data.train.samples[0]!, label }));
  const orderOf = createSampler({ ...data.train, samples }, {
    sampler: recipe.sampler ?? "shuffled",
    length: stepsPerEpoch * batchSize,
    seed,
  });
  /** `[batch, featureChannels]` with the features of some pictures; zeros behind them. */
  const gather = ({ values }: CachedFeatures, rows: ArrayLike<number>): Float32Array => {
    const batch = new Float32Array(batchSize * featureChannels);
    for (let at = 0; at < rows.length; at++) {
      const from = rows[at]! * featureChannels;
      batch.set(values.subarray(from, from + featureChannels), at * featureChannels);
    }
    return batch;
  };
  return {
    step,
    unreadable: [...train.unreadable, ...validation.unreadable],
    *batches(epoch, fromStep) {
      const { labels } = train;
      const order = orderOf(epoch);
      for (let step = fromStep; step < stepsPerEpoch; step++) {
        // Where pictures cannot be read, the first ones of the epoch come again at its end.
        const rows = Array.from(
          { length: batchSize },
          (_, row) => order[(step * batchSize + row) % order.length]!,
        );
        yield {
          features: {
            dtype: "float32",
            shape: [batchSize, 1, 1, featureChannels],
            data: gather(train, rows),
          },
          labels: Int32Array.from(rows, (row) => labels[row]!),
          count: batchSize,
        };
      }
    },
    async scores(weights) {
      const logits: Float32Array[] = [];
      const labels = [...validation.labels];
      for (let from = 0; from < labels.length; from += batchSize) {
        const rows = Array.from(
          { length: Math.min(batchSize, labels.length - from) },
          (_, row) => from + row,
        );
        const scores = await cut.logits(gather(validation, rows), weights);
        const classes = scores.length / batchSize;
        rows.forEach((_, row) => logits.push(scores.slice(row * classes, (row + 1) * classes)));
      }
      return { logits, labels };
    },
    async dispose() {
      await step.dispose();
      await cut.dispose();
    },
  };
}

/** Tells how many pictures have features. */
function createProgress({ data, clock, emit }: Run): (pictures: number) => Promise<void> {
  const started = performance.now();
  const total = data.train.samples.length + data.validation.samples.length;
  let done = 0;
  return async (pictures) => {
    done += pictures;
    const remainingSeconds = (performance.now() - started) / 1000 / done * (total - done);
    await emit({ type: "features", done, total, elapsedSeconds: clock.elapsedSeconds(), remainingSeconds });
  };
}
