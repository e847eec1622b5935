import type { ExportMetadata } from "./export_metadata.ts";

/**
 * The record as text, the same text for the same record whatever the order of its fields.
 *
 * @param metadata The record.
 * @returns JSON on one line.
 */
export function toMetadataJSON(metadata: ExportMetadata): string {
  return JSON.stringify(sorted(metadata));
}

/**
 * Reads the record out of an exported file's text, and checks what others rely on.
 *
 * @param text What {@linkcode toMetadataJSON} wrote.
 * @returns The record.
 * @throws {SyntaxError} If it is no JSON, of another version, or lacks fields; all of them are named.
 *
 * @example A file that a newer version wrote
 * ```ts
 * import assert from "node:assert/strict";
 * assert.throws(() => parseMetadataJSON('{"format":2}'), /has format 2, and this version reads format 1/);
 * ```
 */
export function parseMetadataJSON(text: string): ExportMetadata {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(`it is no JSON: ${(error as Error).message}`, "export the model again");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw unreadable("found no object", "export the model again");
  }
  if (value.format !== 1) {
    throw unreadable(
      `it has format ${JSON.stringify(value.format)}, and this version reads format 1`,
      "update Whittle, or export the model again",
    );
  }
  const problems = problemsOf(value);
  if (problems.length > 0) {
    throw unreadable(
      `${problems.length === 1 ? "1 field does" : `${problems.length} fields do`} not fit\n  ${
        problems.join("\n  ")
      }`,
      "export the model again",
    );
  }
  return value as unknown as ExportMetadata;
}

function unreadable(cause: string, help: string): SyntaxError {
  return new SyntaxError(`Cannot read the metadata of the exported file: ${cause}\n  help: ${help}`);
}

/** What does not fit, as `field: found, wanted`. */
function problemsOf(value: Record<string, unknown>): string[] {
  const problems: string[] = [];
  const wanted = (field: string, found: unknown, fits: boolean, words: string) => {
    if (!fits) problems.push(`${field}: found ${JSON.stringify(found) ?? "nothing"}, wanted ${words}`);
  };
  const object = (found: unknown) => (typeof found === "object" && found !== null ? found : {}) as never;
  const isOneOf = (found: unknown, values: readonly string[]) => values.includes(found as string);
  const areNumbers = (found: unknown) =>
    Array.isArray(found) && found.length === 3 && found.every(Number.isFinite);
  const isLength = (found: unknown) => Number.isSafeInteger(found) && (found as number) > 0;
  const { size, interpolation, channelOrder, mean, std } = object(value.preprocessing) as Record<
    string,
    unknown
  >;
  const { height, width } = object(size) as Record<string, unknown>;
  const input = object(value.input) as Record<string, unknown>;
  const names = value.classNames;
  const areNames = Array.isArray(names) && names.length > 0 &&
    names.every((name) => typeof name === "string");
  wanted("model", value.model, typeof value.model === "string", "the name of a model");
  wanted("classNames", areNames ? names : typeof names, areNames, "the names of the classes");
  wanted(
    "precision",
    value.precision,
    isOneOf(value.precision, ["fp32", "fp16", "int8"]),
    "fp32, fp16 or int8",
  );
  wanted("preprocessing.size.height", height, isLength(height), "pixels");
  wanted("preprocessing.size.width", width, isLength(width), "pixels");
  const kernels = ["bilinear", "bicubic"];
  wanted("preprocessing.interpolation", interpolation, isOneOf(interpolation, kernels), kernels.join(" or "));
  wanted("preprocessing.channelOrder", channelOrder, channelOrder === "rgb", "rgb");
  wanted("preprocessing.mean", mean, areNumbers(mean), "three numbers");
  wanted("preprocessing.std", std, areNumbers(std), "three numbers");
  wanted("input.channelOrder", input.channelOrder, isOneOf(input.channelOrder, ["bgr", "rgb"]), "bgr or rgb");
  wanted("input.values", input.values, isOneOf(input.values, ["raw", "normalized"]), "raw or normalized");
  return problems;
}

/** The same value with the fields of its objects in the order of their names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([name, field]) => [name, sorted(field)]),
  );
}
