import { Buffer } from "node:buffer";
import sharp from "npm:sharp@0.35.5";
import type { ImageSource } from "../data/dataset.ts";
import { DatasetError } from "../data/dataset_error.ts";
import { decodePixels } from "../data/decode.ts";

/**
 * A small JPEG of a picture as a data URL, for pages and notebooks that carry their pictures with them.
 *
 * @param image The picture.
 * @param size Longest side in pixels.
 * @default {112}
 * @returns The URL, or undefined if the picture cannot be read any more: a report must not fail for one file.
 */
export async function thumbnailUrl(image: ImageSource, size = 112): Promise<string | undefined> {
  try {
    const { data, width, height } = await decodePixels(image);
    const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
      .resize({ width: size, height: size, fit: "inside" }).jpeg({ quality: 80 }).toBuffer();
    return `data:image/jpeg;base64,${Buffer.from(jpeg).toString("base64")}`;
  } catch (error) {
    if (error instanceof DatasetError) return undefined;
    throw error;
  }
}
