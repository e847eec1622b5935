import type { ProvisionListener } from "../provision/events.ts";
import { dirname, join } from "node:path";
import type { DatasetSplits } from "../data/dataset.ts";
import { listNames } from "../data/dataset_error.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { parseCheckpointMetadata } from "../models/checkpoint_metadata.ts";
import { initialise } from "../models/initialise.ts";
import { createModel, type Model } from "../models/model.ts";
import { isWeightsPath, openModel } from "../models/open_model.ts";
import type { ClassifierHead } from "../models/network.ts";
import { createNetwork, modelRecord } from "../models/registry.ts";
import { readWeightsFile } from "../models/weights/load_weights.ts";
import { CheckpointError, hashData, loadResume, type ResumeCheckpoint } from "./checkpoint.ts";
import { compareEnvironments, type Environment } from "./environment.ts";
import { headOfLoss } from "./am_softmax.ts";
import { type AuxiliaryNetwork, openAuxiliary, reopenAuxiliary, withScale } from "./auxiliary.ts";
import type { FineTuneOptions } from "./fine_tune_options.ts";
import type { Recipe } from "./recipe.ts";
import { namedDifferences } from "./differences.ts";
import { recipeChanges, settleRecipe } from "./settle_recipe.ts";

/** What a run begins with. */
export interface Start {
  readonly model: Model;
  readonly recipe: Recipe;
  /** The models that learn beside it. */
  readonly auxiliary: readonly AuxiliaryNetwork[];
  readonly seed: number;
  /** Where the run writes unless it is told otherwise. */
  readonly outputDir: string;
  /** Where an earlier run stood. */
  readonly resume?: ResumeCheckpoint;
  /** What the user should know. */
  readonly warnings: readonly string[];
}

/**
 * Opens a model with a classifier for the data and its recipe's loss.
 *
 * @param source A model id, the path of a checkpoint, or a model.
 * @param data What it is trained on.
 * @param options The user's options.
 * @param onProgress Told about downloads.
 * @param verb Who asks, for errors.
 * @returns The model, and the recipe that the options ask for.
 * @throws {TypeError} If an option contradicts the source.
 */
export async function openForData(
  source: string | Model,
  data: DatasetSplits,
  options: FineTuneOptions,
  onProgress?: ProvisionListener,
  verb = "fineTune",
): Promise<{ model: Model; recipe: Recipe }> {
  const seed = options.seed ?? 0;
  const { device, executor, weights, imageSize, signal } = options;
  if (weights !== undefined && !(typeof source === "string" && !isWeightsPath(source))) {
    throw new TypeError(
      `Cannot run ${verb}(): weights are given twice, by the model and by { weights: ${
        JSON.stringify(weights)
      } }\n` +
        `  help: pass a model id with weights, or the ${
          typeof source === "string" ? "path" : "model"
        } without`,
    );
  }
  const { classNames } = data;
  const opening = { device, executor, signal, onProgress };
  const settle = ({ id }: { id: string }) => settleRecipe(modelRecord(id), options, verb);
  const adapted = (model: Model) => adapt(model, classNames, seed, imageSize, headOfLoss(settle(model).loss));
  const opened = typeof source !== "string"
    ? adapted(source)
    : isWeightsPath(source)
    ? adapted(await openModel(source, opening))
    : await openModel(source, {
      ...opening,
      weights,
      imageSize,
      seed,
      classNames,
      head: headOfLoss(settle(modelRecord(source)).loss),
    });
  const recipe = settle(opened);
  const model = createModel({
    record: modelRecord(opened.id),
    classNames,
    weights: withScale(opened.weights, recipe, classNames.length),
    preprocessing: opened.preprocessing,
    quantization: opened.quantization,
  });
  return { model, recipe };
}

/**
 * Begins a run: opens the model with a classifier for the data, settles the recipe, and opens its auxiliary models.
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
  const { device, executor, signal } = options;
  const { model, recipe: settled } = await openForData(source, data, options, onProgress);
  const auxiliary = await openAuxiliary(settled.auxiliaryModels ?? [], data.classNames, model.preprocessing, {
    device,
    executor,
    signal,
    onProgress,
    seed,
  });
  const recipe: Recipe = settled.auxiliaryModels === undefined
    ? settled
    : { ...settled, auxiliaryModels: auxiliary.map(({ model, settings }) => ({ ...settings, model })) };
  return { model, recipe, auxiliary, seed, outputDir: newOutputDir(model.id), warnings: [] };
}

/**
 * Where something about a model writes unless it is told otherwise.
 *
 * @param model Its id, perhaps with what is done.
 * @returns A path with the time.
 */
export function newOutputDir(model: string): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  return join("outputs", `${model}-${time}`);
}

const quantizedForOther =
  "Cannot train this model in another form: it is quantised, for its classes, classifier and size\n" +
  "  help: train the float model, and quantise what comes out";

/** The same weights for other classes or another kind of classifier (with a fresh one), or another size. */
function adapt(
  model: Model,
  classNames: readonly string[],
  seed: number,
  imageSize = model.preprocessing.size.height,
  head: ClassifierHead,
): Model {
  const record = modelRecord(model.id);
  const size = imageSize === model.preprocessing.size.height
    ? model.preprocessing.size
    : { height: imageSize, width: imageSize };
  const preprocessing = { ...model.preprocessing, size };
  const same = model.network.head === head && model.classNames.length === classNames.length &&
    model.classNames.every((name, index) => name === classNames[index]);
  const { quantization } = model;
  if (same && (quantization === undefined || size === model.preprocessing.size)) {
    return createModel({ record, classNames, weights: model.weights, preprocessing, quantization });
  }
  if (quantization !== undefined) throw new TypeError(quantizedForOther);
  const network = createNetwork(record, { numClasses: classNames.length, head });
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
    ...await otherModel(source, options.weights, resume.model),
    ...otherData(data, resume),
    ...otherOptions(options, { ...resume, imageSize: resume.preprocessing.size.height }),
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
  const { classNames, preprocessing, quantization, recipe, seed } = resume;
  const isFolder = (await Deno.stat(resumeFrom)).isDirectory;
  return {
    model: createModel({
      record: modelRecord(resume.model),
      classNames,
      weights,
      preprocessing,
      quantization,
    }),
    recipe,
    auxiliary: reopenAuxiliary(recipe.auxiliaryModels ?? [], classNames, preprocessing),
    seed,
    outputDir: isFolder ? resumeFrom : dirname(resumeFrom),
    resume,
    warnings,
  };
}

/**
 * Tells whether a run was one of another model.
 *
 * @param source The model that is passed now.
 * @param weights The option.
 * @param model Id of the run's model.
 * @returns A line if it was.
 */
export async function otherModel(
  source: string | Model,
  weights: string | null | undefined,
  model: string,
): Promise<string[]> {
  const was = modelRecord(model);
  const is = typeof source !== "string"
    ? modelRecord(source.id)
    : isWeightsPath(source)
    ? modelRecord(parseCheckpointMetadata((await readWeightsFile(source)).metadata)?.model ?? model)
    : modelRecord(weights && !isWeightsPath(weights) ? withTag(source, weights) : source);
  // The names in a file of weights decide which of an architecture's records it opens as.
  const byFile = typeof weights === "string" && isWeightsPath(weights);
  const same = byFile ? is.architecture === was.architecture : is.id === was.id;
  return same ? [] : [`model: was ${was.id}, is ${is.id}`];
}

function withTag(id: string, tag: string): string {
  return tag.includes(".") ? tag : `${id.split(".")[0]}.${tag}`;
}

/**
 * Tells whether a run was one of other data.
 *
 * @param data What is passed now.
 * @param was Classes and hash of the run's.
 * @returns A line if it was.
 */
export function otherData(
  data: DatasetSplits,
  was: { readonly classNames: readonly string[]; readonly dataHash: string },
): string[] {
  if (JSON.stringify(data.classNames) !== JSON.stringify(was.classNames)) {
    return [`classes: were ${listNames(was.classNames, 5)}, are ${listNames(data.classNames, 5)}`];
  }
  return hashData(data) === was.dataHash
    ? []
    : ["data: the number, order, names or labels of the pictures differ"];
}

/**
 * Tells which options differ from the settings of a run that is to go on.
 *
 * @param options What is passed now; what is not passed does not differ.
 * @param was Recipe, seed and image size of the run.
 * @returns A line for each that differs.
 */
export function otherOptions(
  options: FineTuneOptions,
  { recipe, seed, imageSize }: {
    readonly recipe: Recipe;
    readonly seed: number;
    readonly imageSize: number;
  },
): string[] {
  const asked: Readonly<Record<string, unknown>> = {
    ...recipeChanges(options),
    auxiliaryModels: recipeChanges(options).auxiliaryModels?.map((auxiliary) => ({
      ...auxiliary,
      model: modelRecord(auxiliary.model).id,
    })),
    name: typeof options.recipe === "string" ? options.recipe : options.recipe?.name,
    imageSize: options.imageSize,
    seed: options.seed,
  };
  return namedDifferences(asked, {
    noBiasDecay: false,
    precision: "float32",
    dropout: 0,
    layerDecay: 1,
    freezeEpochs: 0,
    sampler: "shuffled",
    ...recipe,
    imageSize,
    seed,
  });
}
