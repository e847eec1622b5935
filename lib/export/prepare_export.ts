import type { Model } from "../models/model.ts";
import { openSource, type Source } from "../models/source.ts";
import { provisionView } from "../notebook/provision_view.ts";
import type { ExportedFile } from "../runtimes/exported_file.ts";
import type { ExportGraph } from "./export_graph.ts";
import type { ExportMetadata } from "./export_metadata.ts";
import { type ExportOptions, inputOf } from "./export_options.ts";
import { withInput } from "./model_input.ts";
import { checkParity, type Parity, type ParityNotChecked } from "./parity.ts";
import { toExportGraph } from "./to_export_graph.ts";
import { toExportMetadata } from "./to_export_metadata.ts";

/** A model on its way into a file. */
export interface PreparedExport {
  /** What the file computes. */
  readonly graph: ExportGraph;
  /** What it says of itself. */
  readonly metadata: ExportMetadata;
  /** How it is written. */
  readonly settings: { readonly precision: "fp32" | "fp16"; readonly dynamicBatch: boolean };
  /**
   * Compares a file with the model, as far as that is wanted.
   *
   * @param file The file, or its bytes.
   * @throws {ParityError} If it computes something else.
   */
  compare(file: ExportedFile): Promise<Parity | ParityNotChecked>;
  /** Frees what was opened; a model that is the caller's stays. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a source and writes it in the operations of files.
 *
 * @param source A model, a result that holds one, or the path of a checkpoint.
 * @param options The user's, checked.
 * @returns What a file is made of, and the comparison.
 * @throws {TypeError} If the network has operators that files cannot hold.
 */
export async function prepareExport(source: Source, options: ExportOptions): Promise<PreparedExport> {
  const { device, executor, signal, pictures, parity = true } = options;
  const { precision = "fp32", dynamicBatch = false } = options;
  const onProgress = provisionView();
  signal?.throwIfAborted();
  const { model } = await openSource(source, { device, executor, onProgress });
  try {
    const input = inputOf(options);
    const network = toExportGraph(model);
    const graph = withInput(network.graph, model.preprocessing, input);
    const metadata = toExportMetadata(model, graph, { input, precision });
    return {
      graph,
      metadata,
      settings: { precision, dynamicBatch },
      async compare(file) {
        if (parity === false) return notWanted;
        const limits = parity === true ? undefined : parity;
        return await checkParity({
          model,
          network,
          graph,
          metadata,
          file,
          pictures,
          limits,
          onProgress,
          signal,
        });
      },
      [Symbol.asyncDispose]: () => disposeOpened(source, model),
    };
  } catch (error) {
    await disposeOpened(source, model);
    throw error;
  }
}

async function disposeOpened(source: Source, model: Model): Promise<void> {
  if (typeof source === "string") await model.dispose(); // a model that is the caller's stays ready
}

const notWanted: ParityNotChecked = {
  checked: false,
  reason: "it was not asked for",
  help: "leave out { parity: false }",
};
