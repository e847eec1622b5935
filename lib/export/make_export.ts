import { openSource, type Source } from "../models/source.ts";
import { provisionView } from "../notebook/provision_view.ts";
import type { IRBytes, ONNXBytes } from "../runtimes/exported_file.ts";
import type { ExportGraph } from "./export_graph.ts";
import type { ExportInput, ExportMetadata } from "./export_metadata.ts";
import { exportInputOf, type ExportOptions, exportPictures } from "./export_options.ts";
import { withInput } from "./model_input.ts";
import { checkParity, type Parity, type ParityNotChecked, parityNotWanted } from "./parity.ts";
import { toExportGraph } from "./to_export_graph.ts";
import { toExportMetadata } from "./to_export_metadata.ts";

/** How a file is written. */
export interface FileSettings {
  /** How weights are stored. */
  readonly precision: "fp32" | "fp16";
  /** Whether the file takes any number of pictures at once. */
  readonly dynamicBatch: boolean;
}

/** A model in the form of a file that was compared with it. */
export interface MadeExport<F> {
  readonly file: F;
  /** Model id. */
  readonly model: string;
  /** Numbers of the computation. */
  readonly precision: ExportMetadata["precision"];
  /** What the file is fed. */
  readonly input: ExportInput;
  readonly parity: Parity | ParityNotChecked;
}

/**
 * Writes a model in the form of a file, in memory, and compares it with the model: what both exporters do before
 * anything is on the disk.
 *
 * @param source A model, a result that holds one, or the path of a checkpoint.
 * @param options The user's, checked.
 * @param write Spells a graph.
 * @returns The file's bytes, and how it compares.
 * @throws {ParityError} If the file computes something else than the model.
 * @throws {TypeError} If the network has operators that files cannot hold.
 */
export async function makeExport<F extends IRBytes | ONNXBytes>(
  source: Source,
  options: ExportOptions & { readonly precision?: "fp32" | "fp16" },
  write: (graph: ExportGraph, metadata: ExportMetadata, settings: FileSettings) => F,
): Promise<MadeExport<F>> {
  const { precision = "fp32", dynamicBatch = false, device, executor, signal } = options;
  const { onProgress = provisionView() } = options;
  signal?.throwIfAborted();
  const pictures = options.parity === false ? undefined : await exportPictures(options.pictures);
  const { model } = await openSource(source, { device, executor, onProgress, signal });
  try {
    const input = exportInputOf(options);
    const network = toExportGraph(model);
    const graph = withInput(network.graph, model.preprocessing, input);
    const metadata = toExportMetadata(model, graph, { input, precision });
    const file = write(graph, metadata, { precision, dynamicBatch });
    const parity = options.parity === false ? parityNotWanted : await checkParity({
      model,
      network,
      graph,
      metadata,
      file,
      pictures,
      limits: options.parity,
      onProgress,
      signal,
    });
    signal?.throwIfAborted();
    return { file, model: model.id, precision: metadata.precision, input, parity };
  } finally {
    if (typeof source === "string") await model.dispose(); // a model that is the caller's stays ready
  }
}
