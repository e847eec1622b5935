import type { ExportMetadata } from "./export_metadata.ts";
import { readIRInformation } from "./_ir_information.ts";
import { parseMetadataJSON } from "./metadata_json.ts";

/**
 * Reads what an OpenVINO model says of itself.
 *
 * @param xml The text of its `.xml`.
 * @returns The record; `undefined` if the file has none, so that another program wrote it.
 * @throws {SyntaxError} If the text is no OpenVINO model, or the record is damaged or of another version.
 *
 * @example
 * ```ts
 * import { metadataOfIR } from "./read_ir_metadata.ts";
 * console.log(metadataOfIR('<net name="another program\'s" version="11" />')); // undefined
 * ```
 */
export function metadataOfIR(xml: string): ExportMetadata | undefined {
  const information = readIRInformation(xml);
  return information === undefined ? undefined : parseMetadataJSON(information.metadata);
}
