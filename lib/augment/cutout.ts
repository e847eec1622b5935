import type { Augmentation } from "./augmentation.ts";

/** How {@linkcode cutout} cuts. */
export interface CutoutOptions {
  /** How often, 0..1. @default {0.35} */
  readonly probability?: number;
  /** Side of the rectangle as a share of the picture's, 0..1. @default {0.3} */
  readonly share?: number;
}

/**
 * Covers a rectangle about a random pixel with a random colour; what of it lies outside is cut off.
 *
 * DeVries, Taylor: Improved regularization of convolutional neural networks with cutout (2017,
 * https://arxiv.org/abs/1708.04552); with one colour, as deep-object-reid has it.
 *
 * @param options How often and how large.
 * @returns The augmentation; it returns its input itself when it does not cut.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cutout } from "./cutout.ts";
 * import { createRng } from "./rng.ts";
 * const image = { width: 10, height: 10, data: new Uint8Array(300) };
 * const { data } = cutout({ probability: 1, share: 0.4 })(image, createRng(5, "augmentation"));
 * assert(data.some((value) => value > 0));
 * ```
 */
export function cutout({ probability = 0.35, share = 0.3 }: CutoutOptions = {}): Augmentation {
  return (image, rng) => {
    if (!rng.chance(probability)) return image;
    const { width, height } = image;
    const holeWidth = Math.trunc(share * width + 0.5), holeHeight = Math.trunc(share * height + 0.5);
    const left = rng.integer(0, width - 1) - (holeWidth >> 1);
    const top = rng.integer(0, height - 1) - (holeHeight >> 1);
    const color = [rng.integer(0, 255), rng.integer(0, 255), rng.integer(0, 255)];
    const data = image.data.slice();
    const [fromX, toX] = [Math.max(left, 0), Math.min(left + holeWidth, width)];
    for (let y = Math.max(top, 0); y < Math.min(top + holeHeight, height); y++) {
      for (let at = 3 * (y * width + fromX); at < 3 * (y * width + toX); at += 3) {
        data[at] = color[0]!;
        data[at + 1] = color[1]!;
        data[at + 2] = color[2]!;
      }
    }
    return { width, height, data };
  };
}
