import { IMAGENET_CLASS_NAMES } from "./imagenet_class_names.ts";
import { headOf } from "./classifier.ts";
import { initialise } from "./initialise.ts";
import type { ParameterSpec } from "./layers.ts";
import { type CheckpointMetadata, parseCheckpointMetadata } from "./checkpoint_metadata.ts";
import { createModel, type Model } from "./model.ts";
import type { ClassifierHead } from "./network.ts";
import { createNetwork, modelIds, type ModelRecord, modelRecord } from "./registry.ts";
import type { Naming } from "./weights/key_maps.ts";
import {
  loadQuantizedWeights,
  loadWeights,
  readWeightsFile,
  type WeightsRef,
} from "./weights/load_weights.ts";
import type { ProvisionListener } from "../provision/events.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { type ExecutorChoice, openExecutor } from "../tensorflow/executor.ts";
import type { Device } from "../tensorflow/engine.ts";

/** How a model is opened. */
export interface OpenModelOptions {
  /**
   * Where the weights come from: the tag of published weights (`"ra_in1k"`), the path of a `.safetensors` or `.pth`
   * file under timm's, torchvision's, OTE's or Lite0's names, or `null` for random ones. Left out, the model's
   * default published weights; they are never made up.
   */
  weights?: string | null;
  /** Outputs of the classifier. If it differs from the weights', the classifier is made anew. */
  numClasses?: number;
  /** Names of the classes; `numClasses` follows from them. */
  classNames?: readonly string[];
  /** Side of the square input, in pixels, instead of the weights' own. */
  imageSize?: number;
  /**
   * Decides random weights.
   * @default {0}
   */
  seed?: number;
  /**
   * What to compute on.
   * @default {"auto"}
   */
  device?: Device;
  /**
   * What runs the network: `auto` takes oneDNN on CPUs it supports, else TensorFlow.
   * @default {"auto"}
   */
  executor?: ExecutorChoice;
  /** Told about downloads. */
  onProgress?: ProvisionListener;
  /** Stops a download. */
  signal?: AbortSignal;
}

/** How a model is opened to be trained. */
export interface OpenForTrainingOptions extends OpenModelOptions {
  /** Kind of the classifier, which is made anew if the weights' is another. @default {the weights'} */
  head?: ClassifierHead;
}

/**
 * Opens a model: a known id with published or own weights, or a checkpoint that a run has written.
 *
 * @param source A model id, or the path of a checkpoint.
 * @param options Weights, classes, size.
 * @returns The model.
 * @throws {RangeError} If the id is not known.
 * @throws {TypeError} If the weights do not fit the network.
 * @throws {Error} If the weights cannot be had.
 */
export async function openModel(source: string, options: OpenForTrainingOptions = {}): Promise<Model> {
  const { device, executor, onProgress, signal } = options;
  await openExecutor({ device, executor, onProgress, signal });
  return isWeightsPath(source) ? await openCheckpoint(source, options) : await openById(source, options);
}

/** Whether a text is the path of a file of weights, and not an id or a tag. */
export function isWeightsPath(source: string): boolean {
  return /[/\\]|\.(safetensors|pth|pt|bin)$/i.test(source);
}

async function openCheckpoint(path: string, options: OpenForTrainingOptions): Promise<Model> {
  const { metadata } = await readWeightsFile(path);
  const saved = parseCheckpointMetadata(metadata);
  if (options.weights !== undefined) {
    throw new TypeError(
      `Cannot open model "${path}": its weights are in the file, and { weights: ${
        JSON.stringify(options.weights)
      } } names others\n` +
        `  help: leave weights out, or pass a model id`,
    );
  }
  if (metadata["whittle-resume"] !== undefined) {
    throw new TypeError(
      `Cannot open model "${path}": it holds the state of a run that can go on, not a model\n` +
        `  help: open the best.safetensors beside it, or pass { resumeFrom: ${
          JSON.stringify(path)
        } } to fineTune`,
    );
  }
  if (saved === undefined) {
    throw new TypeError(
      `Cannot open model "${path}": the file does not say which model it belongs to, so it was not written by a run\n` +
        `  help: name the model, e.g. loadModel("${modelIds[0]!.split(".")[0]}", { weights: ${
          JSON.stringify(path)
        } })`,
    );
  }
  const record = modelRecord(saved.model);
  const { numClasses = saved.classNames.length } = options;
  const classNames = options.classNames ??
    (numClasses === saved.classNames.length ? saved.classNames : undefined);
  const preprocessing = withSize(saved.preprocessing, options.imageSize);
  if (saved.quantization !== undefined) {
    return await openQuantized(record, path, saved, { ...options, numClasses });
  }
  return await assemble(record, path, { ...options, classNames }, preprocessing);
}

/** A checkpoint of a quantised network: its ranges belong to its classes and its size. */
async function openQuantized(
  record: ModelRecord,
  path: string,
  { classNames, preprocessing, quantization }: CheckpointMetadata,
  options: OpenForTrainingOptions,
): Promise<Model> {
  const { numClasses, imageSize = preprocessing.size.height } = options;
  const problems = [
    ...(numClasses === classNames.length
      ? []
      : [`numClasses: found ${numClasses}, wanted ${classNames.length}`]),
    ...(options.classNames === undefined || options.classNames.length === classNames.length
      ? []
      : [`classNames: found ${options.classNames.length}, wanted ${classNames.length}`]),
    ...(imageSize === preprocessing.size.height
      ? []
      : [`imageSize: found ${imageSize}, wanted ${preprocessing.size.height}`]),
  ];
  if (problems.length > 0) {
    throw new TypeError(
      `Cannot open model "${path}" in another form: it is quantised\n  ${problems.join("\n  ")}\n` +
        `  help: change the float model, and quantise it again`,
    );
  }
  const tensors = await loadQuantizedWeights(path);
  const model = createModel({
    record,
    classNames: options.classNames ?? classNames,
    weights: tensors,
    preprocessing,
    quantization,
  });
  const wrong = model.network.parameters.filter(({ name, shape }) =>
    tensors[name]?.shape.join() !== shape.join()
  );
  if (wrong.length === 0) return model;
  throw new TypeError(
    `Cannot open model "${path}": ${wrong.length} of its ${model.network.parameters.length} tensors are missing or of ` +
      `another shape\n  ${
        wrong.slice(0, 3).map(({ name, shape }) => `"${name}": wanted [${shape}]`).join("\n  ")
      }\n` +
      `  help: get the file again`,
  );
}

async function openById(id: string, options: OpenForTrainingOptions): Promise<Model> {
  const { weights } = options;
  const record = modelRecord(id);
  if (weights === null) return await assemble(record, null, options);
  if (weights === undefined) {
    if (record.weights === undefined) {
      throw new RangeError(
        `Cannot load ${id}: no weights are published for it under a name that can be fetched\n` +
          `  help: pass { weights: "path/to/file.pth" }, or { weights: null } to train from scratch`,
      );
    }
    return await assemble(record, record.weights, options);
  }
  if (isWeightsPath(weights)) {
    return await assemble(await recordOfFile(id, record, weights), weights, options);
  }
  const tagged = modelRecord(weights.includes(".") ? weights : `${id.split(".")[0]}.${weights}`);
  if (tagged.weights === undefined) {
    throw new RangeError(
      `Cannot load ${id}: no weights "${weights}" can be fetched\n  help: pass their path`,
    );
  }
  return await assemble(tagged, tagged.weights, options);
}

/** Tags of the records that names of parameters belong to: whose names they are tells how they were trained. */
const tagOfNaming: Partial<Record<Naming, string>> = { ote: "ote", torchvision: "torchvision" };

async function recordOfFile(id: string, record: ModelRecord, path: string): Promise<ModelRecord> {
  const { naming } = await loadWeights(path, record.architecture);
  const tag = tagOfNaming[naming];
  if (naming === "lite0" && !record.id.startsWith("tf_")) return modelRecord(`tf_${id.split(".")[0]}`);
  if (tag === undefined || record.id.endsWith(`.${tag}`)) return record;
  const fitting = `${id.split(".")[0]}.${tag}`;
  if (id.includes(".") || id.startsWith("tf_")) {
    throw new TypeError(
      `Cannot load weights "${path}" into ${id}: their names are ${naming}'s, and that network differs in function\n` +
        `  help: open them as "${fitting.replace(/^tf_/, "")}"`,
    );
  }
  return modelRecord(fitting);
}

async function assemble(
  record: ModelRecord,
  ref: WeightsRef | null,
  options: OpenForTrainingOptions,
  preprocessing: Preprocessing = withSize(record.preprocessing, options.imageSize),
): Promise<Model> {
  const wanted = options.classNames?.length ?? options.numClasses;
  checkClasses(options);
  const numClasses = wanted ?? record.pretrainedClasses;
  const head = options.head ?? await storedHead(ref, record);
  const network = createNetwork(record, { numClasses, head });
  const { seed = 0 } = options;
  let weights: Record<string, HostTensor>;
  if (ref === null) weights = initialise(network.parameters, seed);
  else {
    const loaded = await loadWeights(ref, record.architecture, {
      expectedShapes: Object.fromEntries(network.parameters.map(({ name, shape }) => [name, shape])),
      otherClassifier: wanted === undefined ? "refuse" : "drop",
      mayBeMissing: record.variant.classifierBatchNorm
        ? ["classifier_bn.", "classifier."]
        : ["classifier.scale"], // the reference's files do not have it
      onProgress: options.onProgress,
      signal: options.signal,
    });
    const isLoaded = ({ name }: ParameterSpec) => name in loaded.tensors;
    const all = { ...loaded.tensors, ...initialise(network.parameters, seed, { except: isLoaded }) };
    weights = Object.fromEntries(network.parameters.map(({ name }) => [name, all[name]!]));
  }
  return createModel({ record, classNames: classNamesOf(options, numClasses), weights, preprocessing });
}

/** The kind of the classifier in a file; published weights have linear ones. */
async function storedHead(ref: WeightsRef | null, { architecture }: ModelRecord): Promise<ClassifierHead> {
  return typeof ref === "string" ? headOf((await loadWeights(ref, architecture)).tensors) : "linear";
}

function checkClasses({ classNames, numClasses }: OpenModelOptions): void {
  if (classNames !== undefined && numClasses !== undefined && classNames.length !== numClasses) {
    throw new RangeError(
      `Cannot load the model: numClasses is ${numClasses}, and ${classNames.length} class names are given`,
    );
  }
}

function classNamesOf({ classNames }: OpenModelOptions, numClasses: number): readonly string[] {
  if (classNames !== undefined) return [...classNames];
  if (numClasses === IMAGENET_CLASS_NAMES.length) return IMAGENET_CLASS_NAMES;
  return Array.from({ length: numClasses }, (_, index) => `class ${index}`);
}

function withSize(preprocessing: Preprocessing, imageSize: number | undefined): Preprocessing {
  if (imageSize === undefined) return preprocessing;
  if (!Number.isInteger(imageSize) || imageSize < 32) {
    throw new RangeError(
      `Cannot load the model: imageSize must be a whole number of at least 32, found ${imageSize}`,
    );
  }
  return { ...preprocessing, size: { height: imageSize, width: imageSize } };
}
