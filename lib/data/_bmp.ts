import type { RGBImage } from "./decode.ts";

/** Where a BMP's header says things are. */
interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: number;
  readonly compression: number;
  readonly pixelsAt: number;
  readonly palette: { readonly at: number; readonly bytesEach: 3 | 4; readonly count: number };
  /** Red, green and blue, for 16 and 32 bits. */
  readonly masks: readonly [number, number, number];
}

const uncompressed = 0, rle8 = 1, rle4 = 2, bitfields = 3, alphaBitfields = 6;

/**
 * Decodes a Windows or OS/2 bitmap: 1, 2, 4, 8, 16, 24 and 32 bits, run-length and bit-field variants, either row
 * order. libvips does not read these files.
 *
 * @param bytes The whole file.
 * @param maxPixels More pixels than this are refused before anything is allocated.
 * @returns RGB pixels; alpha is dropped.
 * @throws {RangeError} With the reason, if the file is cut off, damaged, too large or of an unknown kind.
 */
export function decodeBmp(bytes: Uint8Array, maxPixels: number): RGBImage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readHeader(view, maxPixels);
  const { width, height, bits, topDown } = header;
  const colours = bits <= 8 ? readPalette(bytes, header) : undefined;
  const data = new Uint8Array(width * height * 3);
  if (header.compression === rle8 || header.compression === rle4) {
    const indices = readRuns(bytes, header);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const row = topDown ? y : height - 1 - y;
        paint(data, (row * width + x) * 3, colours!, indices[y * width + x]);
      }
    }
    return { width, height, channels: 3, data };
  }
  const stride = Math.ceil(width * bits / 32) * 4; // rows are padded to 4 bytes
  // The padding of the last row may be missing.
  if (header.pixelsAt + stride * (height - 1) + Math.ceil(width * bits / 8) > bytes.length) throw cutOff();
  for (let y = 0; y < height; y++) {
    const from = header.pixelsAt + y * stride;
    const at = (topDown ? y : height - 1 - y) * width * 3;
    if (colours) {
      const perByte = 8 / bits, mask = (1 << bits) - 1;
      for (let x = 0; x < width; x++) {
        const shift = 8 - bits * (x % perByte + 1);
        paint(data, at + x * 3, colours, (bytes[from + Math.floor(x / perByte)] >> shift) & mask);
      }
    } else readTrueColour(view, from, data, at, header);
  }
  return { width, height, channels: 3, data };
}

function cutOff(): RangeError {
  return new RangeError("file is cut off");
}

function readHeader(view: DataView, maxPixels: number): BmpHeader {
  if (view.byteLength < 26) throw cutOff();
  const pixelsAt = view.getUint32(10, true), size = view.getUint32(14, true);
  if (view.byteLength < 14 + size) throw cutOff();
  const old = size === 12; // OS/2 1.x: 16-bit sizes, palette of 3 bytes
  const width = old ? view.getUint16(18, true) : view.getInt32(18, true);
  const signedHeight = old ? view.getUint16(20, true) : view.getInt32(22, true);
  const height = Math.abs(signedHeight);
  const bits = view.getUint16(old ? 24 : 28, true);
  const compression = size >= 40 ? view.getUint32(30, true) : uncompressed;
  if (width <= 0 || height === 0) throw new RangeError(`file is damaged (size ${width} x ${height})`);
  if (width * height > maxPixels) {
    throw new RangeError(
      `image is too large: ${width} x ${height} pixels, and at most ${maxPixels} are read`,
    );
  }
  const known = compression === uncompressed
    ? [1, 2, 4, 8, 16, 24, 32].includes(bits)
    : compression === rle8
    ? bits === 8
    : compression === rle4
    ? bits === 4
    : (compression === bitfields || compression === alphaBitfields) && (bits === 16 || bits === 32);
  if (!known) throw new RangeError(`unsupported BMP (compression ${compression}, ${bits} bits)`);
  const masksGiven = compression === bitfields || compression === alphaBitfields;
  if (masksGiven && view.byteLength < 66) throw cutOff();
  const masks: BmpHeader["masks"] = masksGiven
    ? [view.getUint32(54, true), view.getUint32(58, true), view.getUint32(62, true)]
    : bits === 16
    ? [0x7c00, 0x03e0, 0x001f]
    : [0xff0000, 0x00ff00, 0x0000ff];
  const used = size >= 40 ? view.getUint32(46, true) : 0;
  const palette = {
    at: 14 + size,
    bytesEach: old ? 3 as const : 4 as const,
    count: bits > 8 ? 0 : Math.min(used || 1 << bits, 1 << bits),
  };
  return { width, height, topDown: signedHeight < 0, bits, compression, pixelsAt, palette, masks };
}

/** `[256, 3]` RGB; entries that the file lacks are black. */
function readPalette(bytes: Uint8Array, { palette }: BmpHeader): Uint8Array {
  if (palette.at + palette.count * palette.bytesEach > bytes.length) throw cutOff();
  const colours = new Uint8Array(256 * 3);
  for (let entry = 0; entry < palette.count; entry++) {
    const from = palette.at + entry * palette.bytesEach;
    colours.set([bytes[from + 2], bytes[from + 1], bytes[from]], entry * 3); // stored blue first
  }
  return colours;
}

function paint(data: Uint8Array, at: number, colours: Uint8Array, index: number): void {
  data[at] = colours[index * 3];
  data[at + 1] = colours[index * 3 + 1];
  data[at + 2] = colours[index * 3 + 2];
}

function readTrueColour(view: DataView, from: number, data: Uint8Array, at: number, header: BmpHeader): void {
  const { width, bits, masks } = header;
  if (bits === 24) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        data[at + x * 3 + channel] = view.getUint8(from + x * 3 + 2 - channel);
      }
    }
    return;
  }
  const fields = masks.map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { mask, shift, max: mask >>> shift || 1 };
  });
  for (let x = 0; x < width; x++) {
    const pixel = bits === 16 ? view.getUint16(from + x * 2, true) : view.getUint32(from + x * 4, true);
    for (let channel = 0; channel < 3; channel++) {
      const { mask, shift, max } = fields[channel];
      data[at + x * 3 + channel] = Math.trunc(((pixel & mask) >>> shift) * 255 / max);
    }
  }
}

/** Run-length coded palette indices, `[height, width]` in file order; what the runs skip stays 0. */
function readRuns(bytes: Uint8Array, { width, height, compression, pixelsAt }: BmpHeader): Uint8Array {
  const indices = new Uint8Array(width * height);
  const nibbles = compression === rle4;
  let at = pixelsAt, x = 0, y = 0;
  const put = (index: number) => {
    if (x < width && y < height) indices[y * width + x] = index;
    x++;
  };
  while (y < height) {
    if (at + 2 > bytes.length) throw cutOff();
    const count = bytes[at], value = bytes[at + 1];
    at += 2;
    if (count > 0) { // a run of one index, or of two in turn
      for (let i = 0; i < count; i++) put(nibbles ? (i % 2 === 0 ? value >> 4 : value & 15) : value);
    } else if (value === 0) { // end of line
      x = 0;
      y++;
    } else if (value === 1) { // end of picture
      break;
    } else if (value === 2) { // move
      if (at + 2 > bytes.length) throw cutOff();
      x += bytes[at];
      y += bytes[at + 1];
      at += 2;
    } else { // `value` indices as they are, padded to 2 bytes
      const length = nibbles ? Math.ceil(value / 2) : value;
      if (at + length > bytes.length) throw cutOff();
      for (let i = 0; i < value; i++) {
        const byte = bytes[at + (nibbles ? i >> 1 : i)];
        put(nibbles ? (i % 2 === 0 ? byte >> 4 : byte & 15) : byte);
      }
      at += length + length % 2;
    }
  }
  return indices;
}
