import { fileURLToPath } from "node:url";
import sharp from "npm:sharp@0.35.5";
import { DatasetError, onOneLine } from "./dataset_error.ts";
import type { ImageSource, RawImage } from "./dataset.ts";
import type { Preprocessing } from "./preprocessing.ts";
import { decodeBmp } from "./_bmp.ts";
import { imageFormat } from "./_image_format.ts";
import { readFailure } from "../files/read_failure.ts";
import { resize } from "./resize.ts";

/** Pictures of more pixels are refused unread, as Pillow does: they would take gigabytes. */
export const maxPixels = 178_956_970;

/**
 * Turns a picture into the bytes of a network's input: decodes it, applies the EXIF rotation, converts it to RGB and
 * resizes it straight to `preprocessing.size`. The result equals
 * `ImageOps.exif_transpose(Image.open(path)).convert("RGB").resize(size, kernel)` of Pillow, bit for bit for lossless
 * formats and for JPEG files of baseline libjpeg-turbo; see {@link decodePixels} for the colour rules.
 *
 * @param source A path, the bytes of a file, or pixels.
 * @param preprocessing Gives the size and the kernel; mean and std are not applied here.
 * @param name How messages call the picture; its path by default.
 * @returns `[size.height, size.width, 3]` RGB bytes, 0..255. For a {@link RawImage} of three channels and the right
 *   size these are its own bytes, not a copy.
 * @throws {DatasetError} If the file is missing, not an image, cut off, damaged or too large.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { decodeImage } from "./decode.ts";
 * const grey = { width: 2, height: 2, channels: 1 as const, data: new Uint8Array([0, 0, 255, 255]) };
 * const pixels = await decodeImage(grey, {
 *   size: { height: 2, width: 2 }, interpolation: "bilinear", channelOrder: "rgb", mean: [0, 0, 0], std: [1, 1, 1],
 * });
 * assert(pixels.length === 2 * 2 * 3);
 * ```
 */
export async function decodeImage(
  source: ImageSource,
  preprocessing: Preprocessing,
  name?: string,
): Promise<Uint8Array> {
  const { width, height, data } = await decodePixels(source, name);
  return resize(data, { height, width }, preprocessing.size, preprocessing.interpolation);
}

/** Decoded RGB pixels at the picture's own size. */
export interface RGBImage extends RawImage {
  /** Red, green, blue. */
  readonly channels: 3;
  /** Whether some pixels were not opaque; what lies under them is what a network sees. */
  readonly transparent?: boolean;
}

/**
 * Decodes a picture to RGB at its own size. Reads JPEG, PNG, WebP, GIF (first frame), BMP and TIFF (first page), told
 * apart by their content, not by their name. Colours become what Pillow's `convert("RGB")` makes of them: an alpha
 * channel is dropped, colour profiles are not applied, CMYK is converted by the plain formula. One exception: 16-bit
 * grey is scaled to 8 bits, where Pillow would clip it to white.
 *
 * @param source A path, the bytes of a file, or pixels.
 * @param name How messages call the picture; its path by default.
 * @returns The pixels, `[height, width, 3]`.
 * @throws {DatasetError} If the file is missing, not an image, cut off, damaged or too large.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { decodePixels } from "./decode.ts";
 * const { channels } = await decodePixels({ width: 1, height: 1, channels: 4, data: new Uint8Array([1, 2, 3, 0]) });
 * assert(channels === 3);
 * ```
 */
export async function decodePixels(source: ImageSource, name: string = imageName(source)): Promise<RGBImage> {
  if (typeof source === "object" && "channels" in source) return rawToRGB(source, name);
  const bytes = source instanceof Uint8Array ? source : await readImageFile(source);
  return await decodeBytes(bytes, name);
}

/**
 * Reads the bytes of a picture's file.
 *
 * @param path The file.
 * @returns All its bytes.
 * @throws {DatasetError} If there is no such file or it may not be read.
 */
export async function readImageFile(path: string | URL): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    const help = error instanceof Deno.errors.NotFound ? "check the path" : undefined;
    throw unreadable(imageName(path), readFailure(error, "file"), help);
  }
}

/** How a picture is called in messages. */
function imageName(source: ImageSource): string {
  if (typeof source === "string") return source;
  if (source instanceof URL) {
    return source.protocol === "file:" ? fileURLToPath(source) : source.href;
  }
  return "channels" in source ? `${source.width} x ${source.height} pixels` : `${source.length} bytes`;
}

function unreadable(name: string, reason: string, help?: string): DatasetError {
  return new DatasetError(`Cannot read image "${onOneLine(name)}": ${reason}`, {
    help,
    problems: [{ name, reason }],
    listed: 0, // the summary says it
  });
}

function rawToRGB(image: RawImage, name: string): RGBImage {
  const { width, height, channels, data } = image;
  const wanted = width * height * channels;
  if (!(Number.isInteger(width) && width > 0 && Number.isInteger(height) && height > 0)) {
    throw unreadable(name, `width and height must be positive integers: ${width} x ${height}`);
  }
  if (![1, 3, 4].includes(channels) || data.length !== wanted) {
    throw unreadable(
      name,
      `wanted 1, 3 or 4 channels and height * width * channels bytes: got ${channels} channels and ${data.length} bytes`,
    );
  }
  if (channels === 3) return image as RGBImage;
  return { width, height, channels: 3, data: keepRGB(data, channels), transparent: hasAlpha(data, channels) };
}

/** `[pixels, 1 | 2 | 3 | 4]`: whether the last of two or four channels is anywhere below 255. */
function hasAlpha(data: Uint8Array, channels: number): boolean {
  if (channels % 2 === 1) return false;
  for (let at = channels - 1; at < data.length; at += channels) if (data[at] < 255) return true;
  return false;
}

/** `[pixels, 1 | 2 | 3 | 4] -> [pixels, 3]`: grey is repeated, alpha is dropped. */
function keepRGB(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data;
  const pixels = data.length / channels;
  const rgb = new Uint8Array(pixels * 3);
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2];
  for (let from = 0, at = 0; at < rgb.length; from += channels, at += 3) {
    rgb[at] = data[from];
    rgb[at + 1] = data[from + green];
    rgb[at + 2] = data[from + blue];
  }
  return rgb;
}

/** `[pixels, 4] -> [pixels, 3]` by Pillow's formula, `(255 - k) - (255 - k) * c / 255`. */
function cmykToRGB(data: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(data.length / 4 * 3);
  for (let from = 0, at = 0; at < rgb.length; from += 4, at += 3) {
    const light = 255 - data[from + 3];
    for (let channel = 0; channel < 3; channel++) {
      const product = light * data[from + channel] + 128;
      rgb[at + channel] = light - ((product + (product >> 8)) >> 8); // rounded division by 255
    }
  }
  return rgb;
}

async function decodeBytes(bytes: Uint8Array, name: string): Promise<RGBImage> {
  const format = imageFormat(bytes);
  if (format.id === undefined) {
    throw unreadable(name, format.reason, "use .jpg, .png, .webp, .gif, .bmp or .tif files");
  }
  try {
    if (format.id === "bmp") return decodeBmp(bytes, maxPixels);
    return await decodeWithSharp(bytes);
  } catch (error) {
    throw unreadable(name, await damage(bytes, format.complete, error as Error));
  }
}

async function decodeWithSharp(bytes: Uint8Array): Promise<RGBImage> {
  // failOn "error": like Pillow, forgive stray bytes (libjpeg's warnings) but not missing ones.
  let picture = sharp(bytes, {
    autoOrient: true,
    failOn: "error",
    ignoreIcc: true,
    limitInputPixels: maxPixels,
    sequentialRead: true,
  });
  const cmyk = (await picture.metadata()).space === "cmyk";
  if (cmyk) picture = picture.pipelineColourspace("cmyk").toColourspace("cmyk");
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  const bytesOnly = new Uint8Array(data.buffer, data.byteOffset, data.byteLength); // no Buffer: its slice() is a view
  const rgb = cmyk ? cmykToRGB(bytesOnly) : keepRGB(bytesOnly, info.channels);
  const transparent = !cmyk && hasAlpha(bytesOnly, info.channels);
  return { width: info.width, height: info.height, channels: 3, data: rgb, transparent };
}

/** Says in words why a file of a known format cannot be decoded. */
async function damage(bytes: Uint8Array, complete: boolean, error: Error): Promise<string> {
  if (error instanceof RangeError) return error.message;
  if (/pixel limit/i.test(error.message)) {
    const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata();
    return `image is too large: ${width} x ${height} pixels, and at most ${maxPixels} are read`;
  }
  if (!complete || /unexpected end|premature end/i.test(error.message)) return "file is cut off";
  return `file is damaged (${error.message.trim().split("\n")[0]})`;
}
