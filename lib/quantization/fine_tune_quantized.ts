import type { DatasetSplits } from "../data/dataset.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { parseCheckpointMetadata } from "../models/checkpoint_metadata.ts";
import type { Model } from "../models/model.ts";
import { isWeightsPath } from "../models/open_model.ts";
import type { Source } from "../models/source.ts";
import { readWeightsFile } from "../models/weights/load_weights.ts";
import type { ProvisionListener } from "../provision/events.ts";
import { openAuxiliary } from "../training/auxiliary.ts";
import type { Environment } from "../training/environment.ts";
import type { EpochRecord, StopReason, TrainingEvent } from "../training/events.ts";
import type { Recipe } from "../training/recipe.ts";
import type { Start } from "../training/start.ts";
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
  /** Where it stands, if it goes on. */
  readonly resumed?: Start;
  readonly data: DatasetSplits;
  readonly options: QuantizeOptions;
  readonly environment: Environment;
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
 * Trains a quantised network with its rounding in place, or goes on with it. Its best weights are in the state it can be
 * resumed from, and in no file of their own: nobody has measured yet what they cost in int8.
 *
 * @param tuning Network, data and options.
 * @returns The best weights and the history.
 * @throws {DOMException} `AbortError`, if it was stopped; it says how it goes on.
 */
export async function fineTuneQuantized(tuning: FineTuning): Promise<FineTuned> {
  const { data, environment, outputDir, emit, signal, options: { workers, onUnreadable } } = tuning;
  const { model, warnings, ...start } = tuning.resumed ?? await begin(tuning);
  const { recipe, auxiliary, seed, resume } = start;
  const outcome = await train({
    model: model.id,
    network: model.network,
    preprocessing: model.preprocessing,
    quantization: model.quantization,
    weights: model.weights,
    auxiliary,
    data,
    recipe,
    seed,
    environment,
    outputDir,
    resume,
    warnings: [...tuning.warnings, ...warnings],
    checkpointSeconds: 300,
    workers,
    onUnreadable,
    savesBest: false,
    signal,
    emit,
  });
  if (outcome.stopped === "interrupted") throw interrupted(outputDir, "while it was fine-tuned");
  return { ...outcome, recipe };
}

/** A first start, with the recipe of the model's training. */
async function begin(tuning: FineTuning): Promise<Omit<Start, "outputDir">> {
  const { source, model, post, data: { classNames }, options, signal, onProvision } = tuning;
  const { device, seed = 0 } = options;
  const wanted = fineTuningRecipe(model, await recipeOf(source), options);
  const opening = { device, signal, onProgress: onProvision, seed };
  const auxiliary = await openAuxiliary(
    wanted.auxiliaryModels ?? [],
    classNames,
    model.preprocessing,
    opening,
  );
  const recipe: Recipe = wanted.auxiliaryModels === undefined
    ? wanted
    : { ...wanted, auxiliaryModels: auxiliary.map(({ model, settings }) => ({ ...settings, model })) };
  return { model: quantizedModel(model, post), recipe, auxiliary, seed, warnings: [] };
}

/**
 * Says how a stopped quantisation goes on.
 *
 * @param outputDir Folder of its fine-tuning.
 * @param when When it was stopped.
 */
export function interrupted(
  outputDir: string,
  when: "while it was fine-tuned" | "after its fine-tuning",
): DOMException {
  const folder = JSON.stringify(outputDir);
  return new DOMException(
    `The quantisation was stopped ${when}; its state is in ${folder}\n` +
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
