import type { Model } from "./models/model.ts";
import { openModel, type OpenModelOptions } from "./models/open_model.ts";
import { provisionView } from "./notebook/provision_view.ts";
import { executorChoices } from "./tensorflow/executor.ts";
import * as check from "./errors/check_options.ts";

/** Options of {@linkcode loadModel}. */
export type LoadModelOptions = OpenModelOptions;

const known = [
  "weights",
  "numClasses",
  "classNames",
  "imageSize",
  "seed",
  "device",
  "executor",
  "onProgress",
  "signal",
] as const;

/**
 * Opens a model: one of the known ids with published or own weights, or a checkpoint that a run has written.
 *
 * @param source A model id (timm's names, e.g. `mobilenetv3_large_100`), or the path of a `best.safetensors`.
 * @param options See {@linkcode LoadModelOptions}.
 * @returns The model.
 * @throws {RangeError} If the id is not known.
 * @throws {TypeError} If an option is unknown or of the wrong type; if the weights do not fit the network: all tensors
 * that disagree are counted.
 * @throws {Error} If the weights cannot be had: no such file, no network.
 *
 * @example
 * ```ts ignore
 * import { loadModel } from "whittle";
 *
 * const model = await loadModel("tf_efficientnet_lite0");
 * const [logits] = await model.logits(["cat.jpg"]);
 * console.log(model.classNames[logits.indexOf(Math.max(...logits))]);
 * ```
 */
export async function loadModel(source: string, options: LoadModelOptions = {}): Promise<Model> {
  check.checkOptions(options, known, "loadModel");
  const { weights, classNames } = options;
  check.checkValues("loadModel", [
    weights === null ? undefined : check.ofType("weights", weights, "string"),
    check.positiveInteger("numClasses", options.numClasses),
    classNames === undefined || Array.isArray(classNames)
      ? undefined
      : { option: "classNames", found: classNames, wanted: "an array of names", wrongType: true },
    check.positiveInteger("imageSize", options.imageSize),
    check.wholeNumber("seed", options.seed),
    check.oneOf("device", options.device, ["auto", "cpu", "gpu"]),
    check.oneOf("executor", options.executor, executorChoices),
    check.ofType("onProgress", options.onProgress, "function"),
  ]);
  if (typeof source !== "string" || source === "") {
    throw new TypeError(
      `Cannot run loadModel(): found ${
        source === "" ? "an empty text" : typeof source
      }, wanted a model id or a path\n` +
        `  help: write for example loadModel("tf_efficientnet_lite0")`,
    );
  }
  return await openModel(source, { ...options, onProgress: options.onProgress ?? provisionView() });
}
