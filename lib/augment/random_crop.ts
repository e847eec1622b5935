import { resize } from "../data/resize.ts";
import type { Augmentation } from "./augmentation.ts";

/** How {@link randomCrop} crops. */
export interface RandomCropOptions {
  /** How often, 0..1. @default {0.5} */
  readonly probability?: number;
  /** How much the picture is enlarged before the crop, >= 1. @default {1.125} */
  readonly enlargement?: number;
}

/**
 * The slight random crop of deep-object-reid's `Random2DTranslation`: enlarges the picture (bilinear) and cuts a
 * window of the old size out of it at a random place. Only the pixels of the window are computed.
 *
 * @param options How often and how much.
 * @returns The augmentation; it returns its input itself when it does not crop.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { randomCrop } from "./random_crop.ts";
 * import { createRng } from "./rng.ts";
 * const image = { width: 224, height: 224, data: new Uint8Array(224 * 224 * 3).fill(7) };
 * const cropped = randomCrop({ probability: 1 })(image, createRng(5, "augmentation"));
 * assert(cropped.width === 224 && cropped.data.every((value) => value === 7));
 * ```
 */
export function randomCrop({ probability = 0.5, enlargement = 1.125 }: RandomCropOptions = {}): Augmentation {
  return (image, rng) => {
    if (!rng.chance(probability)) return image;
    const { width, height, data } = image;
    const large = { width: Math.round(width * enlargement), height: Math.round(height * enlargement) };
    const left = Math.round(rng.uniform(0, large.width - width));
    const top = Math.round(rng.uniform(0, large.height - height));
    const window = { left, top, width, height };
    return { width, height, data: resize(data, { width, height }, large, "bilinear", window) };
  };
}
