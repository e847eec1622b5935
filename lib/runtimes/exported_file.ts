import { basename } from "node:path";
import { checkIRWeights } from "../export/check_ir_weights.ts";
import type { ExportMetadata } from "../export/export_metadata.ts";
import { metadataOfIR } from "../export/read_ir_metadata.ts";
import { metadataOfONNX } from "../export/read_onnx_metadata.ts";
import { readFailure } from "../files/read_failure.ts";

/** The bytes of an OpenVINO model's two files. */
export interface IRBytes {
  readonly xml: string;
  readonly bin: Uint8Array<ArrayBuffer>;
}

/** The bytes of an ONNX file. */
export interface ONNXBytes {
  readonly onnx: Uint8Array<ArrayBuffer>;
}

/** An exported model: the path of an `.xml` (its `.bin` is beside it) or of an `.onnx` file, or their bytes. */
export type ExportedFile = string | IRBytes | ONNXBytes;

/**
 * Whether a text is the path of an exported model.
 *
 * @param source A path, or something else.
 * @returns Whether it ends in `.xml` or `.onnx`.
 *
 * @example
 * ```ts
 * import { isExportedPath } from "./exported_file.ts";
 * console.log(isExportedPath("pets/model.xml"), isExportedPath("pets/best.safetensors")); // true false
 * ```
 */
export function isExportedPath(source: string): boolean {
  return /\.(xml|onnx)$/i.test(source);
}

/**
 * What an exported model is called in messages.
 *
 * @param file The file, or its bytes.
 * @returns What it is, with its path in quotes if it has one.
 */
export function nameOfExported(file: ExportedFile): string {
  if (typeof file === "string") return `exported model ${JSON.stringify(file)}`;
  return "onnx" in file ? "the ONNX model" : "the OpenVINO model";
}

/**
 * Reads an exported model into memory, and checks that an `.xml` and its `.bin` belong together: the runtime itself
 * would compute with the weights of another model, or with half of them.
 *
 * @param file The file, or its bytes.
 * @returns Its bytes.
 * @throws {TypeError} If the name is neither a `.xml` nor a `.onnx`.
 * @throws {SyntaxError} If it is no model, or its weights are not those it was written with.
 * @throws {Error} If a file cannot be read.
 */
export async function readExported(file: ExportedFile): Promise<IRBytes | ONNXBytes> {
  const bytes = typeof file === "string" ? await readFiles(file) : file;
  if ("xml" in bytes) {
    const name = nameOfExported(file);
    checkSize(name, bytes);
    try {
      checkIRWeights(bytes.xml, bytes.bin);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new SyntaxError(error.message.replace("the OpenVINO model", name));
    }
  }
  return bytes;
}

/**
 * The record in an exported file.
 *
 * @param bytes The file.
 * @returns The record; `undefined` if another program wrote the file.
 * @throws {SyntaxError} If the record is damaged or of another version.
 */
export function metadataOfExported(bytes: IRBytes | ONNXBytes): ExportMetadata | undefined {
  return "onnx" in bytes ? metadataOfONNX(bytes.onnx) : metadataOfIR(bytes.xml);
}

async function readFiles(path: string): Promise<IRBytes | ONNXBytes> {
  if (/\.onnx$/i.test(path)) return { onnx: await read(path, path) };
  if (/\.xml$/i.test(path)) {
    const xml = new TextDecoder().decode(await read(path, path));
    return { xml, bin: await read(path.replace(/\.xml$/i, ".bin"), path) };
  }
  const help = /\.bin$/i.test(path)
    ? `name the .xml beside it: ${JSON.stringify(path.replace(/\.bin$/i, ".xml"))}`
    : "exportIR writes an .xml, exportONNX an .onnx";
  throw new TypeError(
    `Cannot open exported model ${
      JSON.stringify(path)
    }: wanted the path of an .xml or an .onnx file\n  help: ${help}`,
  );
}

async function read(path: string, model: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    const of = path === model ? "" : `its weights "${basename(path)}": `;
    throw new Error(
      `Cannot open exported model ${JSON.stringify(model)}: ${of}${readFailure(error, "file")}\n` +
        (path === model
          ? "  help: pass the path of an .xml or an .onnx file"
          : "  help: an .xml needs the .bin it was written with beside it, under the same name"),
      { cause: error },
    );
  }
}

/** What the constants of any IR reach for; files of other programs have no other record of their weights. */
function checkSize(name: string, { xml, bin }: IRBytes): void {
  let wanted = 0;
  for (const [element] of xml.matchAll(/<data [^>]*>/g)) {
    const number = (attribute: string) =>
      Number(new RegExp(` ${attribute}="(\\d+)"`).exec(element)?.[1] ?? NaN);
    const end = number("offset") + number("size");
    if (end > wanted) wanted = end;
  }
  if (bin.length >= wanted) return;
  throw new SyntaxError(
    `Cannot use the weights of ${name}: the .bin is cut off, or belongs to another .xml\n` +
      `  it has ${bin.length} bytes, wanted at least ${wanted}\n  help: copy both files again, or export the model again`,
  );
}
