import type { DatasetSplits } from "../data/dataset.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { parseCheckpointMetadata } from "../models/checkpoint_metadata.ts";
import type { Model } from "../models/model.ts";
import { isWeightsPath } from "../models/open_model.ts";
import type { Source } from "../models/source.ts";
import { readWeightsFile } from "../models/weights/load_weights.ts";
import type { ProvisionListener } from "../provision/events.ts";
import { openExecutor } from "../tensorflow/executor.ts";
import { openAuxiliary } from "../training/auxiliary.ts";
import { describeEnvironment } from "../training/environment.ts";
import type { EpochRecord, StopReason, TrainingEvent } from "../training/events.ts";
import type { Recipe } from "../training/recipe.ts";
import { startAgain } from "../training/start.ts";
import { train } from "../training/trainer.ts";
import { fineTuningRecipe } from "./fine_tuning_recipe.ts";
import type { QuantizedWeights } from "./post_training.ts";
import { quantizedModel } from "./quantized_model.ts";
import type { QuantizeOptions } from "./quantize_options.ts";

/** What fine-tuning works with. */
export interface FineTuning {
  readonly source: Source;
  readonly model: Model;
  readonly post: QuantizedWeights;
  readonly data: DatasetSplits;
  readonly options: QuantizeOptions;
  readonly outputDir: string;
  readonly warnings: readonly string[];
  readonly emit: (event: TrainingEvent) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onProvision: ProvisionListener;
}

/** What it gives. */
export interface FineTuned {
  readonly weights: Readonly<Record<string, HostTensor>>;
  readonly history: readonly EpochRecord[];
  readonly stopped: StopReason;
  readonly recipe: Recipe;
}

/**
 * Trains a quantised network with its rounding in place, or goes on with it.
 *
 * @param tuning Network, data and options.
 * @returns The best weights and the history.
 * @throws {DOMException} `AbortError`, if it was stopped; it says how it goes on.
 */
export async function fineTuneQuantized(tuning: FineTuning): Promise<FineTuned> {
  const { model, post, data, options, outputDir, emit, signal, onProvision } = tuning;
  const { device, resumeFrom, seed = 0 } = options;
  const environment = describeEnvironment(await openExecutor({ device, onProgress: onProvision, signal }));
  const common = {
    data,
    environment,
    outputDir,
    checkpointSeconds: 300,
    workers: options.workers,
    onUnreadable: options.onUnreadable,
    signal,
    emit,
  };
  if (resumeFrom !== undefined) {
    const { learningRate, epochs, batchSize } = options;
    const start = await startAgain(model, data, {
      resumeFrom,
      learningRate,
      epochs,
      batchSize,
      seed: options.seed,
    }, environment);
    const {
      model: { id, network, preprocessing, quantization, weights },
      recipe,
      auxiliary,
      seed,
      resume,
      warnings,
    } = start;
    const outcome = await train({
      ...common,
      model: id,
      network,
      preprocessing,
      quantization,
      weights,
      auxiliary,
      recipe,
      seed,
      resume,
      warnings: [...tuning.warnings, ...warnings],
    });
    return finished({ ...outcome, recipe }, outputDir);
  }
  const wanted = fineTuningRecipe(model, await recipeOf(tuning.source), options);
  const auxiliary = await openAuxiliary(wanted.auxiliaryModels ?? [], data.classNames, model.preprocessing, {
    device,
    signal,
    onProgress: onProvision,
    seed,
  });
  const recipe: Recipe = wanted.auxiliaryModels === undefined
    ? wanted
    : { ...wanted, auxiliaryModels: auxiliary.map(({ model, settings }) => ({ ...settings, model })) };
  const quantized = quantizedModel(model, post.weights, post.quantization);
  const outcome = await train({
    ...common,
    model: model.id,
    network: quantized.network,
    preprocessing: model.preprocessing,
    quantization: post.quantization,
    weights: quantized.weights,
    auxiliary,
    recipe,
    seed,
    warnings: tuning.warnings,
  });
  return finished({ ...outcome, recipe }, outputDir);
}

function finished(tuned: FineTuned, outputDir: string): FineTuned {
  if (tuned.stopped === "interrupted") throw interrupted(outputDir);
  return tuned;
}

/** Says how a stopped quantisation goes on. */
function interrupted(outputDir: string): DOMException {
  const folder = JSON.stringify(outputDir);
  return new DOMException(
    `The quantisation was stopped while it was fine-tuned; its state is in ${folder}\n` +
      `  help: go on with quantize(model, data, { resumeFrom: ${folder} })`,
    "AbortError",
  );
}

/** The recipe a model was trained with, where that is known. */
async function recipeOf(source: Source): Promise<Recipe | undefined> {
  if (typeof source === "object" && "recipe" in source) return source.recipe as Recipe;
  if (typeof source !== "string" || !isWeightsPath(source)) return undefined;
  return parseCheckpointMetadata((await readWeightsFile(source)).metadata)?.recipe as Recipe | undefined;
}
