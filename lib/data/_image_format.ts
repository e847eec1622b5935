/** What the first and last bytes of a file say about it. */
export type ImageFormat =
  | {
    readonly id: "jpeg" | "png" | "webp" | "gif" | "bmp" | "tiff"; /** Whether the file has its end. */
    complete: boolean;
  }
  | { readonly id: undefined; /** Why it is not a picture we read. */ readonly reason: string };

/**
 * Tells a picture's format by its content: users rename files, and a name is not to be trusted.
 *
 * @param bytes The whole file.
 * @returns The format and whether the file seems complete, or the reason why it is none.
 */
export function imageFormat(bytes: Uint8Array): ImageFormat {
  if (bytes.length === 0) return { id: undefined, reason: "file is empty" };
  const starts = (text: string, at = 0) => [...text].every((char, i) => bytes[at + i] === char.charCodeAt(0));
  if (starts("\xff\xd8\xff")) return { id: "jpeg", complete: hasTail(bytes, "\xff\xd9") };
  if (starts("\x89PNG\r\n\x1a\n")) return { id: "png", complete: hasTail(bytes, "IEND") };
  if (starts("RIFF") && starts("WEBP", 8)) {
    return { id: "webp", complete: bytes.length >= uint32(bytes, 4, true) + 8 };
  }
  if (starts("GIF87a") || starts("GIF89a")) return { id: "gif", complete: hasTail(bytes, ";") };
  if (starts("II*\0") || starts("MM\0*")) return tiffFormat(bytes);
  if (starts("BM") && [12, 16, 40, 52, 56, 64, 108, 124].includes(uint32(bytes, 14, true))) {
    return { id: "bmp", complete: true }; // the decoder itself knows
  }
  return { id: undefined, reason: notAnImage(bytes, starts) };
}

function notAnImage(bytes: Uint8Array, starts: (text: string, at?: number) => boolean): string {
  const other = starts("%PDF")
    ? "a PDF document"
    : starts("PK\x03\x04")
    ? "a ZIP archive"
    : starts("ftyp", 4)
    ? "an AVIF, HEIC or MP4 file"
    : starts("\0\0\0\x0cJXL ") || starts("\xff\x0a")
    ? "a JPEG XL file"
    : undefined;
  if (other) return `unsupported image format (it is ${other})`;
  const head = bytes.subarray(0, 512);
  if (head.every((byte) => byte === 0)) return "file is not an image (it holds only zeros)";
  // deno-lint-ignore no-control-regex
  const text = /^[^\x00-\x08\x0e-\x1f\ufffd]+$/.test(
    new TextDecoder().decode(head.subarray(0, 500)).slice(0, -3) || "\0",
  );
  return text ? "file is not an image (it is text)" : "unsupported image format";
}

/** Whether `tail` stands among the last bytes: cameras and web sites append a few kilobytes of their own. */
function hasTail(bytes: Uint8Array, tail: string): boolean {
  const last = bytes.subarray(-65536);
  for (let at = last.length - tail.length; at >= 0; at--) {
    let same = 0;
    while (same < tail.length && last[at + same] === tail.charCodeAt(same)) same++;
    if (same === tail.length) return true;
  }
  return false;
}

function uint32(bytes: Uint8Array, at: number, littleEndian: boolean): number {
  if (at + 4 > bytes.length) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, littleEndian);
}

const tiffTypeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
const tiffTags = {
  compression: 259,
  photometric: 262,
  stripOffsets: 273,
  stripByteCounts: 279,
  tileOffsets: 324,
  tileByteCounts: 325,
};
const jpegCompressions = [6, 7], yCbCr = 6, cieLab = 8;

/** Reads the tags of the first page: whether its strips or tiles lie inside the file, and which colours it has. */
function tiffFormat(bytes: Uint8Array): ImageFormat {
  const values = tiffValues(bytes);
  if (!values) return { id: "tiff", complete: false };
  const first = (tag: number) => values.get(tag)?.[0];
  const isJpeg = jpegCompressions.includes(first(tiffTags.compression) ?? 1);
  // libtiff hands these over unconverted: the colours would be wrong without a word.
  if (first(tiffTags.photometric) === yCbCr && !isJpeg) {
    return { id: undefined, reason: "unsupported TIFF (YCbCr colours without JPEG compression)" };
  }
  if (first(tiffTags.photometric) === cieLab) {
    return { id: undefined, reason: "unsupported TIFF (CIELab colours)" };
  }
  const offsets = values.get(tiffTags.stripOffsets) ?? values.get(tiffTags.tileOffsets) ?? [];
  const counts = values.get(tiffTags.stripByteCounts) ?? values.get(tiffTags.tileByteCounts) ?? [];
  return { id: "tiff", complete: offsets.every((offset, i) => offset + (counts[i] ?? 0) <= bytes.length) };
}

/** The values of the tags above, or `undefined` if any tag's values lie outside the file. */
function tiffValues(bytes: Uint8Array): Map<number, number[]> | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  const wanted: number[] = Object.values(tiffTags);
  const values = new Map<number, number[]>();
  try {
    const directory = view.getUint32(4, little);
    const entries = view.getUint16(directory, little);
    if (directory + 2 + entries * 12 + 4 > bytes.length) return undefined;
    for (let at = directory + 2; at < directory + 2 + entries * 12; at += 12) {
      const tag = view.getUint16(at, little), type = view.getUint16(at + 2, little);
      const count = view.getUint32(at + 4, little), size = tiffTypeBytes[type] ?? 0;
      const from = count * size <= 4 ? at + 8 : view.getUint32(at + 8, little);
      if (from + count * size > bytes.length) return undefined;
      if (!wanted.includes(tag) || (size !== 2 && size !== 4)) continue;
      const read = (i: number) =>
        size === 2 ? view.getUint16(from + i * 2, little) : view.getUint32(from + i * 4, little);
      values.set(tag, Array.from({ length: count }, (_, i) => read(i)));
    }
    return values;
  } catch {
    return undefined; // a RangeError: the directory itself lies outside
  }
}
