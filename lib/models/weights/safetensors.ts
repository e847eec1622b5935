import { writeFile } from "../../files/write_file.ts";
import { type DType, type HostTensor, sizeOf } from "../../graph/host_tensor.ts";
import { fromStored, storedBytes, type StoredFormat } from "./_stored_numbers.ts";

/** Content of a safetensors file. */
export interface SafetensorsFile {
  /** Tensors by name, in the file's order. */
  tensors: Record<string, HostTensor>;
  /** Free text that travels with them; `{}` if there is none. */
  metadata: Record<string, string>;
}

/** The reference implementation's limit, against headers that only want memory. */
const maximalHeaderBytes = 100_000_000;

/** Formats that can be written. The order is the file order of the reference implementation: widest first. */
const writtenFormats: Readonly<Record<string, { format: StoredFormat; order: number }>> = {
  int64: { format: "I64", order: 0 },
  float32: { format: "F32", order: 1 },
  int32: { format: "I32", order: 2 },
  uint8: { format: "U8", order: 3 },
  bool: { format: "BOOL", order: 4 },
};

/**
 * Reads a safetensors file from disk.
 *
 * @param source path of the file, or its bytes
 * @returns tensors (F16, BF16 and F64 as float32; I8 and I16 as int32) and metadata
 * @throws {SyntaxError} if the header is malformed or does not describe the bytes exactly
 * @throws {Deno.errors.NotFound} if there is no such file
 * @example
 * ```ts
 * import { readSafetensors, toSafetensors } from "./safetensors.ts";
 *
 * const bytes = toSafetensors({ bias: { dtype: "float32", shape: [2], data: new Float32Array([1, 2]) } });
 * const { tensors } = await readSafetensors(bytes);
 * console.log(tensors.bias.shape); // [2]
 * ```
 * @see https://github.com/huggingface/safetensors#format
 */
export async function readSafetensors(source: string | Uint8Array): Promise<SafetensorsFile> {
  if (typeof source !== "string") return fromSafetensors(source);
  return fromSafetensors(await Deno.readFile(source), source);
}

/**
 * Reads safetensors bytes.
 *
 * @param bytes the whole file
 * @param name how messages call it
 * @returns tensors and metadata, copied out of `bytes`
 * @throws {SyntaxError} if the header is malformed or does not describe the bytes exactly
 */
export function fromSafetensors(bytes: Uint8Array, name = "safetensors bytes"): SafetensorsFile {
  const { header, dataStart } = readHeader(bytes, name);
  const metadata = readMetadata(header["__metadata__"], name);
  const entries = Object.entries(header).filter(([key]) => key !== "__metadata__")
    .map(([key, value]) => readEntry(key, value, name));

  // The tensors must tile the data: holes hide content, overlaps and overruns read what is not theirs.
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== end) {
      fail(name, `tensor "${entry.key}" starts at byte ${entry.begin} of the data, where ${end} was wanted`);
    }
    end = entry.end;
  }
  if (end !== bytes.length - dataStart) {
    const cause = end > bytes.length - dataStart ? "the file is cut off" : "bytes follow the last tensor";
    fail(name, `${cause}: the header describes ${end} bytes of data, found ${bytes.length - dataStart}`);
  }

  const tensors = entries.map(({ key, format, shape, begin, end }): [string, HostTensor] => [
    key,
    { ...fromStored(format, bytes.subarray(dataStart + begin, dataStart + end)), shape },
  ]);
  return { tensors: Object.fromEntries(tensors), metadata };
}

/**
 * Serialises tensors as safetensors bytes. The same input gives the same bytes, whatever the order of its keys:
 * widest dtype first, then by name, as the reference implementation writes them.
 *
 * @param tensors float32, int32, int64, uint8 or bool tensors by name
 * @param metadata free text to store with them
 * @returns the whole file
 * @throws {TypeError} if a dtype cannot be stored, a length disagrees with its shape, or metadata is no text
 */
export function toSafetensors(
  tensors: Readonly<Record<string, HostTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(tensors).map(([name, tensor]) => ({
    name,
    tensor,
    ...formatOf(name, tensor),
  }));
  entries.sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

  const header: Record<string, unknown> = Object.create(null);
  const texts = Object.entries(metadata).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  for (const [key, value] of texts) {
    if (typeof value !== "string") {
      throw new TypeError(
        `Cannot write safetensors: metadata "${key}" is a ${typeof value}, a string was wanted\n` +
          `  help: pass JSON.stringify(value)`,
      );
    }
  }
  if (texts.length > 0) header["__metadata__"] = Object.fromEntries(texts);
  let end = 0;
  for (const { name, tensor, format } of entries) {
    const begin = end;
    end += tensor.data.byteLength;
    header[name] = { dtype: format, shape: tensor.shape, data_offsets: [begin, end] };
  }

  const text = new TextEncoder().encode(JSON.stringify(header));
  const dataStart = Math.ceil((8 + text.length) / 8) * 8;
  const bytes = new Uint8Array(dataStart + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  bytes.set(text, 8);
  bytes.fill(0x20, 8 + text.length, dataStart); // spaces pad the header, so that numbers are aligned
  let at = dataStart;
  for (const { tensor: { data } } of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * Writes a safetensors file: it is there whole, or not at all.
 *
 * @param path target file; an existing one is replaced
 * @param tensors float32, int32, int64, uint8 or bool tensors by name
 * @param metadata free text to store with them
 * @throws {TypeError} if a tensor or the metadata cannot be stored
 * @throws {Error} if the file cannot be written
 */
export async function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, HostTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeFile(path, toSafetensors(tensors, metadata));
}

function readHeader(bytes: Uint8Array, name: string): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.length < 8) fail(name, `the file has ${bytes.length} bytes, at least 8 were wanted`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > maximalHeaderBytes) {
    fail(name, `the header claims ${length} bytes, at most ${maximalHeaderBytes} are allowed`);
  }
  const dataStart = 8 + Number(length);
  if (dataStart > bytes.length) {
    fail(name, `the file is cut off: the header claims ${length} bytes, found ${bytes.length - 8}`);
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, dataStart)));
  } catch (error) {
    fail(name, `the header is not JSON: ${(error as Error).message}`);
  }
  if (!isRecord(header)) fail(name, "the header is not a JSON object");
  return { header, dataStart };
}

function readMetadata(value: unknown, name: string): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value)) fail(name, `"__metadata__" is not an object of strings`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") fail(name, `metadata "${key}" is not a string`);
  }
  return value as Record<string, string>;
}

interface Entry {
  key: string;
  format: StoredFormat;
  shape: number[];
  begin: number;
  end: number;
}

function readEntry(key: string, value: unknown, name: string): Entry {
  if (!isRecord(value)) fail(name, `the entry of tensor "${key}" is not an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(storedBytes, dtype)) {
    const known = Object.keys(storedBytes).join(", ");
    fail(name, `tensor "${key}" has dtype ${JSON.stringify(dtype)}, one of ${known} was wanted`);
  }
  const format = dtype as StoredFormat;
  if (!isCounts(shape)) {
    fail(name, `tensor "${key}" has shape ${JSON.stringify(shape)}, whole numbers were wanted`);
  }
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    fail(name, `tensor "${key}" has data_offsets ${JSON.stringify(offsets)}, [begin, end] was wanted`);
  }
  const wanted = sizeOf(shape) * storedBytes[format];
  if (offsets[1] - offsets[0] !== wanted) {
    fail(
      name,
      `tensor "${key}" of dtype ${dtype} and shape [${shape}] takes ${wanted} bytes, ` +
        `its data_offsets give ${offsets[1] - offsets[0]}`,
    );
  }
  return { key, format, shape, begin: offsets[0], end: offsets[1] };
}

function formatOf(name: string, tensor: HostTensor): { format: StoredFormat; order: number } {
  const written = writtenFormats[tensor.dtype satisfies DType];
  if (name === "__metadata__" || written === undefined) {
    const wanted = Object.keys(writtenFormats).join(", ");
    throw new TypeError(
      name === "__metadata__"
        ? `Cannot write safetensors: "__metadata__" is reserved and cannot name a tensor`
        : `Cannot write safetensors: tensor "${name}" has dtype ${tensor.dtype}, one of ${wanted} was wanted`,
    );
  }
  if (
    tensor.data.length !== sizeOf(tensor.shape) ||
    tensor.data.BYTES_PER_ELEMENT !== storedBytes[written.format]
  ) {
    throw new TypeError(
      `Cannot write safetensors: tensor "${name}" of dtype ${tensor.dtype} and shape [${tensor.shape}] wants ` +
        `${sizeOf(tensor.shape)} elements of ${storedBytes[written.format]} bytes, ` +
        `found ${tensor.data.length} of ${tensor.data.BYTES_PER_ELEMENT}`,
    );
  }
  return written;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function fail(name: string, cause: string): never {
  throw new SyntaxError(
    `Cannot read safetensors "${name}": ${cause}\n  help: the file is damaged or of another format; get it again`,
  );
}
