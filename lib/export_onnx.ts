import * as check from "./errors/check_options.ts";
import type { ExportInput, ExportMetadata } from "./export/export_metadata.ts";
import { exportOptionNames, exportOptionProblems, type ExportOptions } from "./export/export_options.ts";
import { makeExport } from "./export/make_export.ts";
import { toONNX } from "./export/onnx.ts";
import type { Parity, ParityNotChecked } from "./export/parity.ts";
import { writeFile } from "./files/write_file.ts";
import type { Source } from "./models/source.ts";
import type { Displayed } from "./notebook/display.ts";
import { withExportView } from "./notebook/export_view.ts";

/** Options of {@linkcode exportONNX}. */
export interface ExportONNXOptions extends ExportOptions {
  /**
   * How the weights are stored: `fp16` halves the file, and the runtime makes float32 of them when it opens it. Weights
   * in int8 stay int8.
   * @default {"fp32"}
   */
  readonly precision?: "fp32" | "fp16";
}

/** A model as an ONNX file. */
export interface ExportONNXResult {
  /** Path of the file. */
  readonly onnx: string;
  /** Model id. */
  readonly model: string;
  /** Numbers of the computation; `fp16` are weights in half precision. */
  readonly precision: ExportMetadata["precision"];
  /** What the file is fed. */
  readonly input: ExportInput;
  /** Size of the file. */
  readonly sizeBytes: number;
  /** How the file compares with the trained model. */
  readonly parity: Parity | ParityNotChecked;
}

/**
 * Writes a model as an ONNX file (operator set 22), after running it in onnxruntime beside the trained model: a file
 * that computes something else is not written. Batch norms are folded into the convolutions, and quantised values are
 * pairs of `QuantizeLinear` and `DequantizeLinear`. Input `images` `[batch, 3, height, width]`, output `logits`
 * `[batch, classes]`, both float32. The names of the classes, mean and standard deviation are in its metadata.
 *
 * @param source A model, a result of `fineTune` or `quantize`, or the path of a checkpoint.
 * @param file Path of the file, ending in `.onnx`; missing folders are made, an older file is replaced.
 * @param options See {@linkcode ExportONNXOptions}.
 * @returns The path, and how the file compares with the trained model. It shows itself in a notebook.
 * @throws {ParityError} If the file computes something else than the model; names the first operation that does.
 * @throws {TypeError} If an option is unknown or of the wrong type, or the network has operators that files cannot hold.
 * @throws {Error} If the file cannot be written; an older one stays.
 *
 * @example
 * ```ts ignore
 * import { exportONNX } from "whittle";
 *
 * const { onnx, parity } = await exportONNX("outputs/pets/best.safetensors", "pets.onnx");
 * console.log(onnx, parity); // pets.onnx { checked: true, maxAbsDifference: 0.000004, ... }
 * ```
 */
export async function exportONNX(
  source: Source,
  file: string,
  options: ExportONNXOptions = {},
): Promise<Displayed<ExportONNXResult, Record<never, never>>> {
  check.checkOptions(options, [...exportOptionNames, "precision"], "exportONNX");
  check.checkValues("exportONNX", [
    check.oneOf("precision", options.precision, ["fp32", "fp16"]),
    ...exportOptionProblems(options, "exportONNX"),
  ]);
  checkName(file);
  const made = await makeExport(source, options, (graph, metadata, settings) => ({
    onnx: toONNX(graph, metadata, settings),
  }));
  const { file: { onnx }, model, precision, input, parity } = made;
  await writeFile(file, onnx);
  return withExportView({ onnx: file, model, precision, input, sizeBytes: onnx.length, parity }, [file]);
}

function checkName(file: unknown): void {
  if (typeof file === "string" && /[^/\\]\.onnx$/i.test(file)) return;
  throw new TypeError(
    `Cannot run exportONNX(): found ${
      check.describeValue(file)
    } for the file, wanted a path that ends in .onnx\n` +
      `  help: write for example exportONNX(model, "pets.onnx")`,
  );
}
