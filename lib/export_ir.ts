import { join } from "node:path";
import * as check from "./errors/check_options.ts";
import type { ExportInput, ExportMetadata } from "./export/export_metadata.ts";
import { exportOptionNames, exportOptionProblems, type ExportOptions } from "./export/export_options.ts";
import { makeExport } from "./export/make_export.ts";
import { toOpenVINO } from "./export/openvino_ir.ts";
import type { Parity, ParityNotChecked } from "./export/parity.ts";
import { writeFiles } from "./files/write_files.ts";
import type { Source } from "./models/source.ts";
import type { Displayed } from "./notebook/display.ts";
import { withExportView } from "./notebook/export_view.ts";

/** Options of {@linkcode exportIR}. */
export interface ExportIROptions extends ExportOptions {
  /**
   * How the weights are stored: `fp16` halves the file; what is computed with is the runtime's choice. Weights in int8
   * stay int8.
   * @default {"fp32"}
   */
  readonly precision?: "fp32" | "fp16";
  /**
   * Whether the file takes pictures of any size, raw, and resizes them itself as Pillow does: for programs that have no
   * such resize, ModelAPI among them. All pictures of a batch have one size.
   * @default {false}
   */
  readonly anySize?: boolean;
  /** Name of the two files, without their endings. @default {"model"} */
  readonly name?: string;
}

/** A model as OpenVINO's files. */
export interface ExportIRResult {
  /** Path of the `.xml`. */
  readonly xml: string;
  /** Path of the `.bin`. */
  readonly bin: string;
  /** Model id. */
  readonly model: string;
  /** Numbers of the computation; `fp16` are weights in half precision. */
  readonly precision: ExportMetadata["precision"];
  /** What the file is fed. */
  readonly input: ExportInput;
  /** Size of both files together. */
  readonly sizeBytes: number;
  /** How the file compares with the trained model. */
  readonly parity: Parity | ParityNotChecked;
}

const known = [...exportOptionNames, "precision", "anySize", "name"];

/**
 * Writes a model as OpenVINO's intermediate representation, after running it in OpenVINO beside the trained model: a
 * file that computes something else is not written. It holds mean and standard deviation, the names of the classes and
 * what OpenVINO's ModelAPI wants to know, so that programs need no other file.
 *
 * @param source A model, a result of `fineTune` or `quantize`, or the path of a checkpoint.
 * @param folder Where to put `model.xml` and `model.bin`; it is made if it is not there. Older files are replaced.
 * @param options See {@linkcode ExportIROptions}.
 * @returns The paths, and how the file compares with the trained model. It shows itself in a notebook.
 * @throws {ParityError} If the file computes something else than the model; names the first operation that does.
 * @throws {TypeError} If an option is unknown or of the wrong type, or the network has operators that files cannot hold.
 * @throws {Error} If the files cannot be written; the older ones stay.
 *
 * @example
 * ```ts ignore
 * import { exportIR } from "whittle";
 *
 * const { xml, parity } = await exportIR("outputs/pets/best.safetensors", "pets_ir");
 * console.log(xml, parity); // pets_ir/model.xml { checked: true, maxAbsDifference: 0.000004, ... }
 * ```
 */
export async function exportIR(
  source: Source,
  folder: string,
  options: ExportIROptions = {},
): Promise<Displayed<ExportIRResult, Record<never, never>>> {
  check.checkOptions(options, known, "exportIR");
  check.checkValues("exportIR", [
    check.oneOf("precision", options.precision, ["fp32", "fp16"]),
    check.ofType("anySize", options.anySize, "boolean"),
    nameProblem(options.name),
    ...exportOptionProblems(options, "exportIR"),
  ]);
  checkFolder(folder);
  const { anySize = false } = options;
  if (anySize && options.preprocessing === "normalized") throw resizesRawOnly();
  const made = await makeExport(
    source,
    options,
    (graph, metadata, settings) => toOpenVINO(graph, metadata, { ...settings, anySize }),
  );
  const { file, model, precision, input, parity } = made;
  const { name = "model" } = options;
  const [xml, bin] = [join(folder, `${name}.xml`), join(folder, `${name}.bin`)];
  const text = new TextEncoder().encode(file.xml);
  // The runtime finds the .bin by the .xml: that comes last.
  await writeFiles([{ path: bin, content: file.bin }, { path: xml, content: text }]);
  const sizeBytes = text.length + file.bin.length;
  return withExportView({ xml, bin, model, precision, input, sizeBytes, parity }, [xml, bin]);
}

function resizesRawOnly(): TypeError {
  return new TypeError(
    `Cannot run exportIR(): a file resizes raw pictures only, and { anySize: true, preprocessing: "normalized" } was given\n` +
      `  help: leave one of them out`,
  );
}

function nameProblem(name: unknown): check.OptionProblem | undefined {
  if (name === undefined || (typeof name === "string" && /^(?!\.)[^/\\]+(?<!\.xml|\.bin)$/i.test(name))) {
    return;
  }
  const wanted = "a name without folder and ending";
  return { option: "name", found: name, wanted, wrongType: typeof name !== "string" };
}

function checkFolder(folder: unknown): void {
  if (typeof folder === "string" && folder !== "" && !/\.(xml|bin)$/i.test(folder)) return;
  throw new TypeError(
    `Cannot run exportIR(): found ${
      check.describeValue(folder)
    } for the folder, wanted the path of a folder\n` +
      `  help: write for example exportIR(model, "pets_ir"); { name: "pets" } makes the files pets.xml and pets.bin`,
  );
}
