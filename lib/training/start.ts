import type { ProvisionListener } from "../provision/events.ts";
import { dirname, join } from "node:path";
import type { DatasetSplits } from "../data/dataset.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { parseCheckpointMetadata } from "../models/checkpoint_metadata.ts";
import { initialise } from "../models/initialise.ts";
import { createModel, type Model } from "../models/model.ts";
import { isWeightsPath, openModel } from "../models/open_model.ts";
import { createNetwork, modelRecord } from "../models/registry.ts";
import { readWeightsFile } from "../models/weights/load_weights.ts";
import { CheckpointError, hashData, loadResume, type ResumeCheckpoint } from "./checkpoint.ts";
import { compareEnvironments, type Environment } from "./environment.ts";
import type { FineTuneOptions } from "./fine_tune_options.ts";
import { baselineRecipe, type Recipe } from "./recipe.ts";

/** What a run begins with. */
export interface Start {
  readonly model: Model;
  readonly recipe: Recipe;
  readonly seed: number;
  /** Where the run writes unless it is told otherwise. */
  readonly outputDir: string;
  /** Where an earlier run stood. */
  readonly resume?: ResumeCheckpoint;
  /** What the user should know. */
  readonly warnings: readonly string[];
}

/**
 * Begins a run: opens the model with a classifier for the data, and settles the recipe.
 *
 * @param source A model id, the path of a checkpoint, or a model.
 * @param data What it is trained on.
 * @param options The user's options.
 * @param onProgress Told about downloads.
 * @returns The start.
 * @throws {TypeError} If an option contradicts the source.
 */
export async function startAnew(
  source: string | Model,
  data: DatasetSplits,
  options: FineTuneOptions,
  onProgress?: ProvisionListener,
): Promise<Start> {
  const seed = options.seed ?? 0;
  const { device, executor, weights, imageSize, signal } = options;
  if (weights !== undefined && !(typeof source === "string" && !isWeightsPath(source))) {
    throw new TypeError(
      `Cannot run fineTune(): weights are given twice, by the model and by { weights: ${
        JSON.stringify(weights)
      } }\n` +
        `  help: pass a model id with weights, or the ${
          typeof source === "string" ? "path" : "model"
        } without`,
    );
  }
  const { classNames } = data;
  const opening = { device, executor, signal, onProgress };
  const model = typeof source !== "string"
    ? adapt(source, classNames, seed, imageSize)
    : isWeightsPath(source)
    ? adapt(await openModel(source, opening), classNames, seed, imageSize)
    : await openModel(source, { ...opening, weights, imageSize, seed, classNames });
  const changes: Partial<Recipe> = {
    batchSize: options.batchSize,
    epochs: options.epochs,
    learningRate: options.learningRate,
    schedule: options.schedule,
    warmUpEpochs: options.warmUpEpochs,
    labelSmoothing: options.labelSmoothing,
    classWeights: options.classWeights,
    momentum: options.momentum,
    weightDecay: options.weightDecay,
    earlyStoppingPatience: options.earlyStoppingPatience,
    augmentation: options.augmentation,
    sam: options.sam,
    noBiasDecay: options.noBiasDecay,
    ema: options.ema,
    precision: options.precision,
  };
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  return {
    model,
    recipe: baselineRecipe(modelRecord(model.id), given),
    seed,
    outputDir: join("outputs", `${model.id}-${time}`),
    warnings: [],
  };
}

/** The same weights for other classes (with a fresh classifier) or another size. */
function adapt(
  model: Model,
  classNames: readonly string[],
  seed: number,
  imageSize = model.preprocessing.size.height,
): Model {
  const record = modelRecord(model.id);
  const size = imageSize === model.preprocessing.size.height
    ? model.preprocessing.size
    : { height: imageSize, width: imageSize };
  const preprocessing = { ...model.preprocessing, size };
  const same = model.classNames.length === classNames.length &&
    model.classNames.every((name, index) => name === classNames[index]);
  if (same) return createModel({ record, classNames, weights: model.weights, preprocessing });
  const network = createNetwork(record, { numClasses: classNames.length });
  const fresh = initialise(network.parameters, seed);
  const weights: Record<string, HostTensor> = {};
  for (const { name } of network.parameters) {
    weights[name] = name.startsWith("classifier.") ? fresh[name]! : model.weights[name]!;
  }
  return createModel({ record, classNames, weights, preprocessing });
}

/**
 * Goes on with a run: its recipe and seed count, and what is asked for must not contradict them.
 *
 * @param source A model id, the path of a checkpoint, or a model: the one the run began with.
 * @param data What it was trained on.
 * @param options The user's options; `resumeFrom` is the run.
 * @param environment This machine.
 * @returns The start.
 * @throws {CheckpointError} If there is no such run, or it is another one; all differences are named.
 */
export async function startAgain(
  source: string | Model,
  data: DatasetSplits,
  options: FineTuneOptions & { resumeFrom: string },
  environment: Environment,
): Promise<Start> {
  const { resumeFrom } = options;
  const resume = await loadResume(resumeFrom);
  const problems = [
    ...await otherModel(source, options.weights, resume),
    ...otherData(data, resume),
    ...otherOptions(options, resume),
  ];
  if (problems.length > 0) {
    throw new CheckpointError(
      `Cannot resume from "${resumeFrom}": it is another run\n  ${problems.join("\n  ")}\n` +
        `  help: pass the same model, data and options, or start a new run from its weights`,
    );
  }
  const differences = compareEnvironments(resume.environment, environment);
  const warnings = differences.length === 0 ? [] : [
    "The run goes on in another environment, so its bits may differ from an uninterrupted one: " +
    differences.join("; "),
  ];
  const weights: Record<string, HostTensor> = {};
  for (const prefix of ["parameters/", "statistics/"]) {
    for (const [name, value] of Object.entries(resume.tensors)) {
      if (name.startsWith(prefix)) weights[name.slice(prefix.length)] = value;
    }
  }
  const { classNames, preprocessing, recipe, seed } = resume;
  const isFolder = (await Deno.stat(resumeFrom)).isDirectory;
  return {
    model: createModel({ record: modelRecord(resume.model), classNames, weights, preprocessing }),
    recipe,
    seed,
    outputDir: isFolder ? resumeFrom : dirname(resumeFrom),
    resume,
    warnings,
  };
}

async function otherModel(
  source: string | Model,
  weights: string | null | undefined,
  resume: ResumeCheckpoint,
): Promise<string[]> {
  const was = modelRecord(resume.model);
  const is = typeof source !== "string"
    ? modelRecord(source.id)
    : isWeightsPath(source)
    ? modelRecord(parseCheckpointMetadata((await readWeightsFile(source)).metadata)?.model ?? resume.model)
    : modelRecord(weights && !isWeightsPath(weights) ? withTag(source, weights) : source);
  // The names in a file of weights decide which of an architecture's records it opens as.
  const byFile = typeof weights === "string" && isWeightsPath(weights);
  const same = byFile ? is.architecture === was.architecture : is.id === was.id;
  return same ? [] : [`model: was ${was.id}, is ${is.id}`];
}

function withTag(id: string, tag: string): string {
  return tag.includes(".") ? tag : `${id.split(".")[0]}.${tag}`;
}

function otherData(data: DatasetSplits, resume: ResumeCheckpoint): string[] {
  const list = (names: readonly string[]) =>
    names.slice(0, 5).join(", ") + (names.length > 5 ? ` (${names.length} in all)` : "");
  if (JSON.stringify(data.classNames) !== JSON.stringify(resume.classNames)) {
    return [`classes: were ${list(resume.classNames)}, are ${list(data.classNames)}`];
  }
  return hashData(data) === resume.dataHash
    ? []
    : ["data: the number, order, names or labels of the pictures differ"];
}

function otherOptions(options: FineTuneOptions, { recipe, seed, preprocessing }: ResumeCheckpoint): string[] {
  const settings: { readonly [K in keyof FineTuneOptions]: unknown } = {
    recipe: recipe.name,
    epochs: recipe.epochs,
    batchSize: recipe.batchSize,
    learningRate: recipe.learningRate,
    schedule: recipe.schedule,
    warmUpEpochs: recipe.warmUpEpochs,
    loss: recipe.loss,
    labelSmoothing: recipe.labelSmoothing,
    classWeights: recipe.classWeights,
    momentum: recipe.momentum,
    weightDecay: recipe.weightDecay,
    earlyStoppingPatience: recipe.earlyStoppingPatience,
    augmentation: recipe.augmentation,
    sam: recipe.sam,
    noBiasDecay: recipe.noBiasDecay ?? false,
    ema: recipe.ema,
    precision: recipe.precision ?? "float32",
    imageSize: preprocessing.size.height,
    seed,
  };
  const show = (value: unknown) => value === undefined ? "not set" : canonical(value);
  return (Object.keys(settings) as (keyof FineTuneOptions)[])
    .filter((name) => options[name] !== undefined && canonical(options[name]) !== canonical(settings[name]))
    .map((name) => `${name}: was ${show(settings[name])}, is ${show(options[name])}`);
}

/** JSON with the names of an object in order. */
function canonical(value: unknown): string {
  return typeof value === "object" && value !== null
    ? JSON.stringify(Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)))
    : JSON.stringify(value);
}
