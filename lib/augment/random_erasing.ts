import type { Augmentation } from "./augmentation.ts";
import { normalQuantiles } from "./distributions.ts";
import type { Rng } from "./rng.ts";

/** How {@linkcode randomErasing} erases. */
export interface RandomErasingOptions {
  /** How often, 0..1. @default {0.5} */
  readonly probability?: number;
  /** Smallest share of the picture's area, 0..1. @default {0.02} */
  readonly minArea?: number;
  /** Largest share of the picture's area, 0..1. @default {1/3} */
  readonly maxArea?: number;
  /** Smallest height divided by width, above 0, at most 1; the largest is its inverse. @default {0.3} */
  readonly minAspect?: number;
  /**
   * What comes in place: `constant`, the mean colour of ImageNet; `color`, one random colour; `pixel`, a random colour
   * for each pixel. @default {"constant"}
   */
  readonly mode?: "constant" | "color" | "pixel";
}

/** Between which shares of the picture's area a rectangle lies, unless told otherwise. */
export const erasedAreas = { min: 0.02, max: 1 / 3 };

/** ImageNet's colours, as shares of 255. Normalised pictures are 0 at the mean and 1 a deviation above it. */
const mean = [0.485, 0.456, 0.406], deviation = [0.229, 0.224, 0.225];
const meanBytes = Uint8Array.from(mean, (value) => Math.round(255 * value));

/** Of each channel the bytes of normal numbers, as often among the 1,024 as they are likely. */
const quantiles = normalQuantiles(1024);
const noiseBytes = mean.map((value, channel) =>
  Uint8ClampedArray.from(quantiles, (quantile) => Math.round(255 * (value + deviation[channel]! * quantile)))
);

/** Rectangles that are tried; one as long as a side of the picture does not fit. */
const attempts = 10;

/**
 * Erases a rectangle of random size, shape and place, which lies wholly inside the picture.
 *
 * timm erases in normalised pictures, where the constant is 0 and random colours are normal numbers. Here are bytes, so
 * that the same is the mean colour and normal numbers about it, rounded and cut off at 0 and 255 (3 to 4 % of them); of
 * such numbers there are 1,024.
 *
 * @param options How often, how large, and what comes in place.
 * @returns The augmentation; it returns its input itself when it does not erase.
 * @see Zhong, Zheng, Kang, Li, Yang: Random erasing data augmentation (AAAI 2020, https://arxiv.org/abs/1708.04896)
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { randomErasing } from "./random_erasing.ts";
 * import { createRng } from "./rng.ts";
 * const image = { width: 20, height: 20, data: new Uint8Array(1200) };
 * const { data } = randomErasing({ probability: 1 })(image, createRng(5, "augmentation"));
 * assert(data.some((value) => value === 124));
 * ```
 */
export function randomErasing(options: RandomErasingOptions = {}): Augmentation {
  const { probability = 0.5, minArea = erasedAreas.min, maxArea = erasedAreas.max } = options;
  const { minAspect = 0.3, mode = "constant" } = options;
  return (image, rng) => {
    if (!rng.chance(probability)) return image;
    const { width: imageWidth, height: imageHeight } = image;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const area = rng.uniform(minArea, maxArea) * imageWidth * imageHeight;
      const aspect = Math.exp(rng.uniform(Math.log(minAspect), -Math.log(minAspect)));
      const height = Math.round(Math.sqrt(area * aspect)), width = Math.round(Math.sqrt(area / aspect));
      if (width >= imageWidth || height >= imageHeight) continue;
      const top = rng.integer(0, imageHeight - height), left = rng.integer(0, imageWidth - width);
      const data = image.data.slice(), line = new Uint8Array(3 * width);
      fill(line, mode === "color" ? drawColor(rng, new Uint8Array(3), 0) : meanBytes);
      for (let y = top; y < top + height; y++) {
        for (let at = 0; mode === "pixel" && at < line.length; at += 3) drawColor(rng, line, at);
        data.set(line, 3 * (y * imageWidth + left));
      }
      return { width: imageWidth, height: imageHeight, data };
    }
    return image;
  };
}

/** Writes a random colour: 10 bits of one number for each channel. */
function drawColor(rng: Rng, bytes: Uint8Array, at: number): Uint8Array {
  const number = rng.uint32();
  bytes[at] = noiseBytes[0]![number >>> 22]!;
  bytes[at + 1] = noiseBytes[1]![number >>> 12 & 1023]!;
  bytes[at + 2] = noiseBytes[2]![number >>> 2 & 1023]!;
  return bytes;
}

function fill(line: Uint8Array, color: Uint8Array): void {
  for (let at = 0; at < line.length; at += 3) line.set(color, at);
}
