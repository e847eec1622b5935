import type { HostTensor } from "../graph/host_tensor.ts";
import type { ProvisionListener } from "../provision/events.ts";
import { type ExportedFile, nameOfExported, readExported } from "./exported_file.ts";
import { openONNX } from "./onnxruntime.ts";
import { openIR } from "./openvino.ts";

/** An input or output of an exported model. */
export interface ExportedPort {
  readonly name: string;
  /** `float32` for instance; a type that a `HostTensor` cannot hold has the runtime's own name, e.g. `f16`. */
  readonly dtype: string;
  /** Lengths of the axes; -1 where any length will do. */
  readonly shape: readonly number[];
}

/** How an exported model is opened. */
export interface OpenExportedOptions {
  /**
   * Numbers that OpenVINO computes with. `f32` gives what the file says; `auto` lets OpenVINO round to bf16 or f16 on
   * processors that are faster with them. An int8 file is computed in int8 either way. onnxruntime always computes what
   * the file says.
   * @default {"f32"}
   */
  readonly precision?: "f32" | "auto";
  /** Threads to compute with. @default {the runtime's own choice} */
  readonly threads?: number;
  /**
   * `latency`: one batch at a time, as fast as possible. `throughput`: several at a time where `run` is called again
   * before the last is done; each alone takes longer. onnxruntime knows no difference.
   * @default {"latency"}
   */
  readonly performance?: "latency" | "throughput";
  /**
   * Whether each operation is run by itself, so that values from the middle of the file are what it says: onnxruntime
   * moves roundings ahead of others otherwise. OpenVINO always joins some.
   * @default {false}
   */
  readonly asWritten?: boolean;
  /** Told about the download of the runtime. */
  readonly onProgress?: ProvisionListener;
  /** Stops a download. */
  readonly signal?: AbortSignal;
}

/** An exported model in the runtime it was made for. */
export interface ExportedModel {
  /** Which runtime, with its version, e.g. `OpenVINO 2026.4.1`. */
  readonly runtime: string;
  readonly inputs: readonly ExportedPort[];
  readonly outputs: readonly ExportedPort[];
  /**
   * Runs the model. May be called again before the last call is done. OpenVINO computes while the event loop goes on;
   * onnxruntime's package for Node holds it up for as long as a call takes.
   *
   * @param inputs A tensor for each input, by name.
   * @returns A tensor for each output, by name.
   * @throws {TypeError} If an input is missing, not known, or of another dtype or shape.
   */
  run(inputs: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>>;
  /** Frees the native memory, after the runs under way are done. Disposing again does nothing. */
  dispose(): Promise<void>;
}

/**
 * Opens an exported model: an `.xml` in OpenVINO, an `.onnx` in onnxruntime.
 *
 * @param file The file, or its bytes.
 * @param options Precision, threads, and who is told of a download.
 * @returns The model, ready to run; dispose of it after use.
 * @throws {TypeError} If the name is neither a `.xml` nor a `.onnx`.
 * @throws {SyntaxError} If the file is no model, is damaged, or has something the runtime does not know.
 * @throws {Error} If the file cannot be read.
 * @throws {LibraryError} If the runtime cannot be had.
 *
 * @example
 * ```ts ignore
 * import { openExported } from "./exported_model.ts";
 *
 * const model = await openExported("pets/model.xml");
 * console.log(model.runtime, model.inputs, model.outputs);
 * await model.dispose();
 * ```
 */
export async function openExported(
  file: ExportedFile,
  options: OpenExportedOptions = {},
): Promise<ExportedModel> {
  const bytes = await readExported(file);
  const name = nameOfExported(file);
  return "onnx" in bytes ? await openONNX(bytes, name, options) : await openIR(bytes, name, options);
}
