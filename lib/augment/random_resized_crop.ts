import { resize } from "../data/resize.ts";
import type { Augmentation, Pixels } from "./augmentation.ts";
import type { Rng } from "./rng.ts";

/** How {@linkcode randomResizedCrop} crops. */
export interface RandomResizedCropOptions {
  /** How often, 0..1. @default {1} */
  readonly probability?: number;
  /** Least area of the window, as a share of the picture's, above 0, at most `maxArea`. @default {0.08} */
  readonly minArea?: number;
  /** Most area of the window, at most 1. @default {1} */
  readonly maxArea?: number;
  /** Least ratio of the window's width and height, as a share of the picture's own, above 0, at most 1. @default {0.75} */
  readonly minAspect?: number;
}

/** Least and most area of a window where nothing else is said. */
export const drawnAreas = { min: 0.08, max: 1 } as const;

/** A window of a picture, in pixels. */
export interface CropWindow {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Cuts out a window of random size, aspect and place, and enlarges it to the picture's size (bilinear): what most
 * networks were trained on ImageNet with, and timm's and torchvision's default.
 *
 * Pictures are already of the network's size here, so that a small window is enlarged from fewer pixels than a large
 * original would have. Aspects are those of the resized picture.
 *
 * Szegedy et al.: Going deeper with convolutions (CVPR 2015, https://arxiv.org/abs/1409.4842), section 6.
 *
 * @param options How often, how small and how oblong.
 * @returns The augmentation; it returns its input itself when it does not crop.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { randomResizedCrop } from "./random_resized_crop.ts";
 * import { createRng } from "./rng.ts";
 * const image = { width: 96, height: 96, data: new Uint8Array(96 * 96 * 3).fill(7) };
 * const cropped = randomResizedCrop({ minArea: 0.5 })(image, createRng(5, "augmentation"));
 * assert(cropped.width === 96 && cropped.data.every((value) => value === 7));
 * ```
 */
export function randomResizedCrop(options: RandomResizedCropOptions = {}): Augmentation {
  const { probability = 1 } = options;
  return (image, rng) => rng.chance(probability) ? enlarge(image, drawWindow(image, rng, options)) : image;
}

/**
 * Draws a window as torchvision's `RandomResizedCrop.get_params` does: ten attempts at a uniform area and a
 * log-uniform aspect, then the whole picture.
 *
 * @param image Size of the picture, in pixels.
 * @param rng Where the randomness comes from.
 * @param options How small and how oblong.
 * @returns The window, inside the picture.
 */
export function drawWindow(
  { width, height }: Pick<Pixels, "width" | "height">,
  rng: Rng,
  { minArea = drawnAreas.min, maxArea = drawnAreas.max, minAspect = 0.75 }: RandomResizedCropOptions = {},
): CropWindow {
  const limit = Math.log(minAspect);
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * rng.uniform(minArea, maxArea);
    const aspect = Math.exp(rng.uniform(limit, -limit)) * width / height;
    const size = {
      width: Math.round(Math.sqrt(area * aspect)),
      height: Math.round(Math.sqrt(area / aspect)),
    };
    if (size.width >= 1 && size.width <= width && size.height >= 1 && size.height <= height) {
      const top = rng.integer(0, height - size.height);
      return { left: rng.integer(0, width - size.width), top, ...size };
    }
  }
  return { left: 0, top: 0, width, height };
}

/** A window of a picture at the picture's size. */
function enlarge({ width, height, data }: Pixels, { left, top, ...size }: CropWindow): Pixels {
  const cut = new Uint8Array(size.width * size.height * 3);
  for (let y = 0; y < size.height; y++) {
    const from = 3 * ((top + y) * width + left);
    cut.set(data.subarray(from, from + 3 * size.width), 3 * y * size.width);
  }
  return { width, height, data: resize(cut, size, { width, height }, "bilinear") };
}
