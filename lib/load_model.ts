import type { Model } from "./models/model.ts";
import { openModel, type OpenModelOptions } from "./models/open_model.ts";
import { provisionView } from "./notebook/provision_view.ts";
import { checkOptions } from "./errors/check_options.ts";

/** Options of {@linkcode loadModel}. */
export type LoadModelOptions = OpenModelOptions;

const known = [
  "weights",
  "numClasses",
  "classNames",
  "imageSize",
  "seed",
  "device",
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
 * @throws {TypeError} If the weights do not fit the network; all tensors that disagree are counted.
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
  checkOptions(options, known, "loadModel");
  return await openModel(source, { ...options, onProgress: options.onProgress ?? provisionView() });
}
