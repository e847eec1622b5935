import type { Augmentation, Pixels } from "./augmentation.ts";

/**
 * Mirrors a picture left to right with a probability.
 *
 * @param probability How often, 0..1.
 * @returns The augmentation; it returns its input itself when it does not flip.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { flip } from "./flip.ts";
 * import { createRng } from "./rng.ts";
 * const image = { width: 2, height: 1, data: new Uint8Array([1, 2, 3, 4, 5, 6]) };
 * const mirrored = flip(1)(image, createRng(0, "augmentation"));
 * assert(mirrored.data.join() === "4,5,6,1,2,3");
 * ```
 */
export function flip(probability = 0.5): Augmentation {
  return (image, rng) => rng.chance(probability) ? mirrored(image) : image;
}

/**
 * The mirror image of a picture, left to right.
 *
 * @param image The picture.
 * @returns A new picture.
 */
export function mirrored({ width, height, data }: Pixels): Pixels {
  const result = new Uint8Array(data.length);
  for (let y = 0, at = 0; y < height; y++) {
    let from = (y * width + width - 1) * 3;
    for (let x = 0; x < width; x++, at += 3, from -= 3) {
      result[at] = data[from];
      result[at + 1] = data[from + 1];
      result[at + 2] = data[from + 2];
    }
  }
  return { width, height, data: result };
}
