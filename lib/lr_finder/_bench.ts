import type { DatasetSplits } from "../data/dataset.ts";
import type { Batch, Loader } from "../data/loader.ts";
import { topKAccuracy } from "../metrics/top_k.ts";
import { createInference } from "../models/inference.ts";
import type { Model } from "../models/model.ts";
import { isFiniteArray, unusableTensors } from "../models/unusable_tensors.ts";
import { compileForExecutor } from "../tensorflow/executor.ts";
import { marginOf } from "../training/am_softmax.ts";
import { dropoutMask } from "../training/dropout.ts";
import { labelInputs } from "../training/mixed_loss.ts";
import type { Recipe } from "../training/recipe.ts";
import { mixingOf } from "../training/recipe_augmentation.ts";
import { createLoaders } from "../training/create_loaders.ts";
import { stepSettings } from "../training/step_settings.ts";
import { scorePictures } from "../training/score_pictures.ts";
import { initialState, recordTrainStep } from "../training/train_step.ts";

/** What all trials of a search share: one compiled step, one compiled network to validate with, one pair of loaders. */
export interface TrialBench {
  readonly trainLoader: Loader;
  readonly validationLoader: Loader;
  /** Puts the first weights back, with velocities of zero. */
  reset(): Promise<void>;
  /** Takes a step; returns the loss, which may be no finite number. */
  step(batch: Batch, at: { epoch: number; step: number }, learningRate: number): Promise<number>;
  /** Scores one batch, to see how long that takes. */
  score(batch: Batch): Promise<void>;
  /** Top-1 on the validation set, 0..1; NaN if weights or scores are not finite, `undefined` if the signal came first. */
  validationTop1(signal: AbortSignal): Promise<number | undefined>;
  dispose(): Promise<void>;
}

/** What {@linkcode openBench} needs. */
export interface BenchSetup {
  readonly model: Model;
  readonly data: DatasetSplits;
  /** The recipe of a trial. */
  readonly recipe: Recipe;
  readonly seed: number;
  readonly workers?: number;
  readonly onUnreadable?: "error" | "skip";
}

/** Records and compiles what trials need. The model is not changed: executors copy its weights. */
export async function openBench(setup: BenchSetup): Promise<TrialBench> {
  const { model: { network, preprocessing, weights }, data, recipe, seed } = setup;
  const { trainLoader, validationLoader } = createLoaders({ ...setup, preprocessing });
  const rows = trainLoader.batchSize, { dropout = 0 } = recipe;
  const graph = recordTrainStep({
    network,
    preprocessing,
    dropout,
    margin: marginOf(recipe),
    batchSize: rows,
    ...stepSettings(recipe, data),
    mixed: mixingOf(recipe) !== undefined,
  });
  const first = initialState(network, weights);
  const step = await compileForExecutor(graph, first, recipe.precision);
  const inference = await createInference(network, weights, preprocessing, validationLoader.batchSize);
  const { height, width } = preprocessing.size;
  return {
    trainLoader,
    validationLoader,
    reset: () => step.write(first),
    async step(batch, at, learningRate) {
      const key = { seed, ...at, index: 0, learners: 1 };
      const outputs = await step.run({
        images: { dtype: "uint8", shape: [rows, height, width, 3], data: batch.images },
        ...labelInputs(batch),
        learningRate: { dtype: "float32", shape: [], data: Float32Array.of(learningRate) },
        ...(dropout === 0 ? {} : { "dropout/0": dropoutMask([rows, network.featureChannels], dropout, key) }),
      });
      return outputs["loss"]!.data[0] as number;
    },
    async score(batch) {
      await inference.logits(batch.images, batch.count);
    },
    async validationTop1(signal) {
      const now = { ...await step.read("parameters/"), ...await step.read("statistics/") };
      if (unusableTensors(now).length > 0) return NaN;
      await inference.setWeights(now);
      const scored = await scorePictures(inference, validationLoader, signal);
      if (scored === undefined) return undefined;
      return scored.logits.every(isFiniteArray) ? topKAccuracy(scored.logits, scored.labels, 1) : NaN;
    },
    async dispose() {
      await step.dispose();
      await inference.dispose();
    },
  };
}
