import { testTimeViews } from "../augment/test_time_views.ts";
import type { ImageSource } from "../data/dataset.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import type { Complexity } from "../metrics/evaluation.ts";
import { createInference, type Inference } from "../models/inference.ts";
import { logitsOfPictures } from "../models/logits_of_pictures.ts";
import type { LogitsOptions } from "../models/model.ts";
import { openSource, type Source } from "../models/source.ts";
import type { ProvisionListener } from "../provision/events.ts";
import type { Device } from "../tensorflow/engine.ts";
import type { ExecutorChoice } from "../tensorflow/executor.ts";
import { openExportedClassifier } from "./exported_classifier.ts";
import type { ExportedDescription } from "./exported_description.ts";
import { isExportedPath } from "./exported_file.ts";

/** What is behind a source: a model with weights, or an exported file in its runtime. */
export interface Classifier {
  /** Names of the classes, in the order of the logits. */
  readonly classNames: readonly string[];
  /** How a picture becomes the input. */
  readonly preprocessing: Preprocessing;
  /** Work and size, where they are known. */
  readonly complexity?: Complexity;
  /** The file it comes from, if it comes from one. */
  readonly path?: string;
  /** What runs it on batches of pictures; dispose of it after use. */
  createInference(batchSize: number): Promise<Inference>;
  /** Logits of pictures, one array a picture. */
  logits(images: readonly ImageSource[], options: LogitsOptions): Promise<Float32Array[]>;
  /** Frees what opening it took; a model that is the caller's stays ready. */
  dispose(): Promise<void>;
}

/** How {@linkcode openClassifier} opens a source. */
export interface OpenClassifierOptions {
  readonly device?: Device;
  readonly executor?: ExecutorChoice;
  /** What is known of an exported file of another program. */
  readonly exported?: Partial<ExportedDescription>;
  /** Told about downloads. */
  readonly onProgress?: ProvisionListener;
  /** Stops a download. */
  readonly signal?: AbortSignal;
}

/** Pictures run at the same time, at most, where nobody says how many. */
const LARGEST_BATCH = 32;

/**
 * Opens whatever can be evaluated and asked for predictions.
 *
 * @param source A model, a result that holds one, the path of a checkpoint or of an exported file, or a model id.
 * @param options What computes; and what is known of a file of another program.
 * @returns The classifier; dispose of it after use.
 * @throws {TypeError} If it is none of these, or the options do not go with it.
 * @throws {SyntaxError} If the file is damaged.
 * @throws {LibraryError} If what computes it cannot be had.
 */
export async function openClassifier(
  source: Source,
  options: OpenClassifierOptions = {},
): Promise<Classifier> {
  if (typeof source === "string" && isExportedPath(source)) return await openFile(source, options);
  if (options.exported !== undefined) {
    throw new TypeError(
      "Cannot use { exported }: it describes an .xml or .onnx file of another program, and the source is none\n" +
        "  help: leave exported out",
    );
  }
  const { model, path } = await openSource(source, options);
  const { network, weights, classNames, preprocessing } = model;
  return {
    classNames,
    preprocessing,
    get complexity() {
      return model.complexity;
    },
    path,
    createInference: (batchSize) => createInference(network, weights, preprocessing, batchSize),
    logits: (images, options) => model.logits(images, options),
    dispose: async () => {
      if (typeof source === "string") await model.dispose();
    },
  };
}

async function openFile(
  path: string,
  { device = "auto", executor = "auto", exported, onProgress, signal }: OpenClassifierOptions,
): Promise<Classifier> {
  const problems = [
    ...(device === "gpu" ? ["device: found gpu, wanted cpu or auto"] : []),
    ...(executor === "auto" ? [] : [`executor: found ${executor}, wanted none`]),
  ];
  if (problems.length > 0) {
    throw new TypeError(
      `Cannot run exported model ${
        JSON.stringify(path)
      } that way: its own runtime computes it, on the CPU\n` +
        problems.map((problem) => `  ${problem}\n`).join("") + "  help: leave these options out",
    );
  }
  const classifier = await openExportedClassifier(path, { exported, onProgress, signal });
  const { classNames, preprocessing, complexity } = classifier.description;
  return {
    classNames,
    preprocessing,
    complexity,
    path,
    createInference: (batchSize) => Promise.resolve(classifier.createInference(batchSize)),
    async logits(images, { testTimeAugmentation }) {
      const views = testTimeViews(testTimeAugmentation);
      const inference = classifier.createInference(Math.min(images.length, LARGEST_BATCH));
      return images.length === 0
        ? []
        : await logitsOfPictures(images, inference, classifier.description, views);
    },
    dispose: () => classifier.dispose(),
  };
}
