import type { ExportMetadata } from "./export_metadata.ts";
import { parseMetadataJSON } from "./metadata_json.ts";
import { decodeModel } from "./_onnx_messages.ts";

/**
 * Reads what an ONNX file says of itself.
 *
 * @param bytes The whole file.
 * @returns The record; `undefined` if the file has none, so that another program wrote it.
 * @throws {SyntaxError} If the bytes are no ONNX file, or the record is damaged or of another version.
 *
 * @example Bytes of something else
 * ```ts
 * import assert from "node:assert/strict";
 * assert.throws(() => metadataOfONNX(new Uint8Array(8)), /Cannot read the ONNX file/);
 * ```
 */
export function metadataOfONNX(bytes: Uint8Array): ExportMetadata | undefined {
  const record = decodeModel(bytes).metadataProps.find(({ key }) => key === "whittle");
  return record === undefined ? undefined : parseMetadataJSON(record.value);
}
