import { crc32, inflateRawSync } from "node:zlib";

/** Entries of a zip archive by name; each function gives the entry's checked content. */
export type ZipEntries = Map<string, { sizeBytes: number; read: () => Uint8Array }>;

const endSignature = 0x06054b50;
const zip64EndSignature = 0x06064b50;
const zip64LocatorSignature = 0x07064b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;

/**
 * Opens a zip archive (zip64 too) that lies in memory. Nothing is unpacked until an entry is read; sizes and
 * offsets are checked against the archive before anything is allocated, contents by their CRC-32.
 *
 * @param bytes the whole archive
 * @returns its entries
 * @throws {SyntaxError} if the directory is missing, damaged or points outside the archive
 */
export function openZip(bytes: Uint8Array): ZipEntries {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { count, offset } = findDirectory(view);
  const entries: ZipEntries = new Map();
  let at = offset;
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== centralSignature) {
      throw new SyntaxError("the zip directory is damaged");
    }
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    const crc = view.getUint32(at + 16, true);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + 46 + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > bytes.length) throw new SyntaxError("the zip directory is damaged");
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const [size, packed, local] = readSizes(view, at, at + 46 + nameLength, extraLength);
    entries.set(name, {
      sizeBytes: size,
      read: () => readEntry(bytes, { name, flags, method, crc, size, packed, local }),
    });
    at = next;
  }
  return entries;
}

function findDirectory(view: DataView): { count: number; offset: number } {
  const lowest = Math.max(0, view.byteLength - 22 - 0xffff); // a comment of up to 65,535 bytes may follow
  for (let at = view.byteLength - 22; at >= lowest; at--) {
    if (view.getUint32(at, true) !== endSignature) continue;
    const locator = at - 20;
    if (locator >= 0 && view.getUint32(locator, true) === zip64LocatorSignature) {
      const end = toOffset(view.getBigUint64(locator + 8, true), view.byteLength - 56);
      if (view.getUint32(end, true) === zip64EndSignature) {
        const count = toOffset(view.getBigUint64(end + 32, true), view.byteLength);
        return { count, offset: toOffset(view.getBigUint64(end + 48, true), view.byteLength) };
      }
    }
    return { count: view.getUint16(at + 10, true), offset: view.getUint32(at + 16, true) };
  }
  throw new SyntaxError("the zip directory at its end is missing: the file is cut off");
}

/** [size, packed size, offset]: 32-bit fields, or the 64-bit ones in the extra field where those are full. */
function readSizes(view: DataView, at: number, extra: number, extraLength: number): number[] {
  const fields = [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ];
  if (!fields.includes(0xffffffff)) return fields;
  for (let i = extra; i + 4 <= extra + extraLength;) {
    const length = view.getUint16(i + 2, true);
    if (view.getUint16(i, true) === 1) {
      let field = i + 4;
      return fields.map((value) => {
        if (value !== 0xffffffff) return value;
        if (field + 8 > extra + extraLength) throw new SyntaxError("the zip directory is damaged");
        field += 8;
        return toOffset(view.getBigUint64(field - 8, true), Number.MAX_SAFE_INTEGER);
      });
    }
    i += 4 + length;
  }
  return fields;
}

interface Entry {
  name: string;
  flags: number;
  method: number;
  crc: number;
  size: number;
  packed: number;
  local: number;
}

function readEntry(bytes: Uint8Array, entry: Entry): Uint8Array {
  const { name, flags, method, crc, size, packed, local } = entry;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (local + 30 > bytes.length || view.getUint32(local, true) !== localSignature) {
    throw new SyntaxError(`zip entry "${name}" is damaged`);
  }
  const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (start + packed > bytes.length) throw new SyntaxError(`zip entry "${name}" is cut off`);
  const stored = bytes.subarray(start, start + packed);
  if (flags & 1) throw new SyntaxError(`zip entry "${name}" is encrypted`);
  if (method !== 0 && method !== 8) {
    throw new SyntaxError(`zip entry "${name}" is packed by method ${method}`);
  }
  // Deflate cannot pack below 1:1032, so a size beyond that is a lie.
  if (method === 0 ? packed !== size : size > 1032 * (packed + 16)) {
    throw new SyntaxError(`zip entry "${name}" claims ${size} bytes from ${packed}`);
  }
  const content = method === 0 ? stored : inflate(name, stored, size);
  if (content.length !== size || crc32(content) !== crc) {
    throw new SyntaxError(`zip entry "${name}" fails its checksum`);
  }
  return content;
}

function inflate(name: string, packed: Uint8Array, size: number): Uint8Array {
  try {
    return new Uint8Array(inflateRawSync(packed, { maxOutputLength: Math.max(1, size) }));
  } catch (error) {
    throw new SyntaxError(`zip entry "${name}" is damaged: ${(error as Error).message}`);
  }
}

function toOffset(value: bigint, limit: number): number {
  if (value > BigInt(Math.max(0, limit))) throw new SyntaxError("the zip directory points outside the file");
  return Number(value);
}
