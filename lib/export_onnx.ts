import * as check from "./errors/check_options.ts";
import type { ExportMetadata } from "./export/export_metadata.ts";
import { checkExportOptions, type ExportOptions } from "./export/export_options.ts";
import { toONNX } from "./export/onnx.ts";
import type { Parity, ParityNotChecked } from "./export/parity.ts";
import { prepareExport } from "./export/prepare_export.ts";
import { writeFile } from "./files/write_file.ts";
import type { Source } from "./models/source.ts";
import { withExportView } from "./notebook/export_view.ts";

/** Options of {@linkcode exportONNX}. */
export type ExportONNXOptions = ExportOptions;

/** What {@linkcode exportONNX} wrote. */
export interface ExportONNXResult {
  /** Path of the file. */
  readonly onnx: string;
  readonly sizeBytes: number;
  /** How the file compares with the trained model; where it was not compared, why not. */
  readonly parity: Parity | ParityNotChecked;
  /** What the file says of itself: classes, preprocessing, what it is fed. */
  readonly metadata: ExportMetadata;
}

/**
 * Writes a model as an ONNX file (operator set 22) that computes what the model computes: batch norms folded into the
 * convolutions, quantised values as pairs of `QuantizeLinear` and `DequantizeLinear`. Input `images`
 * `[batch, 3, height, width]`, output `logits` `[batch, classes]`, both float32.
 *
 * Before the file gets its name its bytes are run in onnxruntime, and the logits are compared with the model's: what
 * disagrees is not written.
 *
 * @param source A model, a result of `fineTune` or `quantize`, or the path of a checkpoint.
 * @param file Path of the file, ending in `.onnx`; missing folders are made, an older file is replaced.
 * @param options What the file is fed, how it is stored, and how it is compared.
 * @returns Path and parity. In a notebook it shows itself.
 * @throws {TypeError} If an option is unknown or of the wrong type, or the network has operators that files cannot hold.
 * @throws {RangeError} If an option is out of range.
 * @throws {ParityError} If the file computes something else than the model; it names the first operation that differs.
 * @throws {Error} If the file cannot be written; then an older one stays as it was.
 *
 * @example
 * ```ts ignore
 * import { exportONNX } from "whittle";
 *
 * const { onnx, parity } = await exportONNX("outputs/pets/best.safetensors", "pets.onnx");
 * ```
 */
export async function exportONNX(
  source: Source,
  file: string,
  options: ExportONNXOptions = {},
): Promise<ExportONNXResult> {
  checkExportOptions("exportONNX", options);
  check.checkValues("exportONNX", [check.ofType("file", file, "string")]);
  if (!/\.onnx$/i.test(file)) throw new RangeError(otherEnding(file));
  await using prepared = await prepareExport(source, options);
  const { graph, metadata, settings } = prepared;
  const onnx = toONNX(graph, metadata, settings);
  const parity = await prepared.compare({ onnx });
  options.signal?.throwIfAborted();
  await writeFile(file, onnx);
  return withExportView({ onnx: file, sizeBytes: onnx.length, parity, metadata }, file);
}

function otherEnding(file: string): string {
  return `Cannot run exportONNX(): found the file ${
    JSON.stringify(file)
  }, wanted a name that ends in .onnx: ` +
    `evaluate and predict go by it\n  help: write for example ${
      JSON.stringify(`${file.replace(/\.[^./]*$/, "")}.onnx`)
    }`;
}
