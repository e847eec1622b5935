import type { ProvisionListener } from "../provision/events.ts";
import type { Device } from "../tensorflow/engine.ts";
import { type ExecutorChoice, openExecutor } from "../tensorflow/executor.ts";
import type { Model } from "./model.ts";
import { openModel } from "./open_model.ts";

/** What can be evaluated, exported and asked: a model, a result of `fineTune` or `quantize`, or the path of a checkpoint. */
export type Source = string | Model | { readonly model: Model; readonly checkpoint: string };

/**
 * The model behind a source.
 *
 * @param source A model, a result that holds one, or the path of a checkpoint (or a model id).
 * @param options `device` and `executor`: what computes; `onProgress`: told about downloads; `signal`: stops them.
 * @returns The model, and the file it comes from, if it comes from one.
 * @throws {TypeError} If it is none of these.
 */
export async function openSource(
  source: Source,
  options: {
    device?: Device;
    executor?: ExecutorChoice;
    onProgress?: ProvisionListener;
    signal?: AbortSignal;
  } = {},
): Promise<{ model: Model; path?: string }> {
  if (typeof source === "string") {
    return { model: await openModel(source, options), path: source };
  }
  if (typeof source !== "object" || source === null || !("model" in source || "network" in source)) {
    throw new TypeError(
      `Cannot use this as a model: found ${
        source === null ? "null" : typeof source
      }, wanted a model, a result of ` +
        `fineTune, the path of a checkpoint or a model id\n  help: write for example loadModel("outputs/pets/best.safetensors")`,
    );
  }
  await openExecutor(options);
  return "model" in source ? { model: source.model, path: source.checkpoint } : { model: source };
}
