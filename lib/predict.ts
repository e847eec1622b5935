import { type TestTimeAugmentation, testTimeProblems } from "./augment/test_time_views.ts";
import { imagePaths } from "./data/image_paths.ts";
import type { ImageSource } from "./data/dataset.ts";
import { DatasetError } from "./data/dataset_error.ts";
import type { Source } from "./models/source.ts";
import { withPredictionsView } from "./notebook/predictions_view.ts";
import { provisionView } from "./notebook/provision_view.ts";
import { softmax } from "./metrics/softmax.ts";
import * as check from "./errors/check_options.ts";
import { descriptionFields, type ExportedDescription } from "./runtimes/exported_description.ts";
import { openClassifier } from "./runtimes/open_classifier.ts";
import type { Device } from "./tensorflow/engine.ts";
import { type ExecutorChoice, executorChoices } from "./tensorflow/executor.ts";

/** A class with its probability. */
export interface Prediction {
  /** Name of the class. */
  readonly label: string;
  /** 0..1; the probabilities of all classes sum to 1. */
  readonly probability: number;
}

/** Options of {@linkcode predict}. */
export interface PredictOptions {
  /** How many classes to return for each picture. @default {5} */
  topK?: number;
  /**
   * Averages the probabilities of several views of each picture: `true` for the picture and its mirror image, or
   * `{ flip: true, crops: true }` for five slight crops and their mirror images too. @default {false}
   */
  testTimeAugmentation?: boolean | TestTimeAugmentation;
  /** What to compute on. @default {"auto"} */
  device?: Device;
  /** What runs the network: `auto` takes oneDNN on CPUs it supports, else TensorFlow. @default {"auto"} */
  executor?: ExecutorChoice;
  /**
   * For an `.xml` or `.onnx` file that another program wrote: its classes, its preprocessing and what it is fed, as far
   * as the file does not say it in the words of OpenVINO's ModelAPI.
   */
  exported?: Partial<ExportedDescription>;
}

/**
 * Names what is on pictures.
 *
 * @param source A model, a result of `fineTune` or `quantize`, or the path of a checkpoint or of an exported `.xml` or
 * `.onnx` file.
 * @param images A picture (path, URL, bytes of a file, decoded pixels), several, or the path of a folder: its pictures
 * in the order of their names.
 * @param options `topK`: how many classes for each picture.
 * @returns For each picture the likeliest classes, best first. In a notebook they show themselves with the pictures.
 * @throws {TypeError} If an option is unknown or of the wrong type.
 * @throws {DatasetError} If pictures cannot be read; all of them are named.
 * @throws {SyntaxError} If an exported file is damaged.
 * @throws {LibraryError} If what runs the model cannot be had.
 *
 * @example
 * ```ts ignore
 * import { predict } from "whittle";
 *
 * const [[best]] = await predict("outputs/pets/best.safetensors", "cat.jpg");
 * console.log(best.label, best.probability);
 * ```
 */
export async function predict(
  source: Source,
  images: ImageSource | readonly ImageSource[],
  options: PredictOptions = {},
): Promise<Prediction[][]> {
  check.checkOptions(options, ["topK", "testTimeAugmentation", "device", "executor", "exported"], "predict");
  check.checkValues("predict", [
    check.positiveInteger("topK", options.topK),
    ...testTimeProblems("testTimeAugmentation", options.testTimeAugmentation),
    check.oneOf("device", options.device, ["auto", "cpu", "gpu"]),
    check.oneOf("executor", options.executor, executorChoices),
  ]);
  check.checkOptions(options.exported, descriptionFields, "predict", "exported model");
  const { testTimeAugmentation, device, executor, exported } = options;
  const classifier = await openClassifier(source, {
    device,
    executor,
    exported,
    onProgress: provisionView(),
  });
  try {
    const list = Array.isArray(images) ? images : await picturesOf(images as ImageSource);
    const logits = await classifier.logits(list, { testTimeAugmentation }).catch((error) => {
      throw error instanceof DatasetError ? unreadable(error, list.length) : error;
    });
    return withPredictionsView(rank(logits, classifier.classNames, options.topK ?? 5), list);
  } finally {
    await classifier.dispose(); // a model that is the caller's stays ready
  }
}

/** The same problems, without the help for data sets. */
function unreadable({ problems }: DatasetError, count: number): DatasetError {
  return new DatasetError(`Cannot predict: ${problems.length} of ${count} pictures are not readable`, {
    problems,
    help: "leave them out",
  });
}

function rank(logits: readonly Float32Array[], classNames: readonly string[], topK: number): Prediction[][] {
  return logits.map((row) =>
    Array.from(softmax(row), (probability, index) => ({ label: classNames[index]!, probability }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, topK)
  );
}

async function picturesOf(image: ImageSource): Promise<readonly ImageSource[]> {
  const isPath = typeof image === "string" || image instanceof URL;
  const isFolder = isPath && await Deno.stat(image).then((info) => info.isDirectory, () => false);
  return isFolder ? await imagePaths(image) : [image];
}
