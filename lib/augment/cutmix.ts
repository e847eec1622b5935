import type { Rng } from "./rng.ts";

/** Width and height, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A rectangle; `right` and `bottom` are the first column and row outside it. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Draws the rectangle that {@linkcode cutmix} exchanges: about a random pixel, `sqrt(1 - share)` of the sides long; what
 * of it lies outside is cut off, so that the share that pictures really keep is {@linkcode keptShare}.
 *
 * @param size Of the pictures.
 * @param share What a picture should keep of itself, 0..1.
 * @param rng Where the randomness comes from; the row is drawn before the column.
 * @returns The rectangle, perhaps empty.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cutmixBox } from "./cutmix.ts";
 * import { createRng } from "./rng.ts";
 * const { left, right } = cutmixBox({ width: 100, height: 100 }, 0.75, createRng(5, "mixing"));
 * assert(right - left <= 50);
 * ```
 */
export function cutmixBox({ width, height }: Size, share: number, rng: Rng): Box {
  const side = Math.sqrt(1 - share);
  const [top, bottom] = extent(Math.trunc(height * side), height, rng);
  const [left, right] = extent(Math.trunc(width * side), width, rng);
  return { left, top, right, bottom };
}

/** Where a line of some length about a random pixel begins and ends within `limit` pixels. */
function extent(length: number, limit: number, rng: Rng): [number, number] {
  const middle = rng.integer(0, limit - 1);
  return [Math.max(middle - (length >> 1), 0), Math.min(middle + ((length + 1) >> 1), limit)];
}

/**
 * How much of a picture lies outside a rectangle.
 *
 * @param size Of the picture.
 * @param box The rectangle.
 * @returns 0..1.
 */
export function keptShare({ width, height }: Size, { left, top, right, bottom }: Box): number {
  return 1 - (right - left) * (bottom - top) / (width * height);
}

/**
 * Puts into each picture of a batch a rectangle of the picture at its place from the end.
 *
 * @param images `[rows, height, width, 3]` bytes.
 * @param rows Pictures of the batch.
 * @param size Of the pictures.
 * @param box The rectangle, the same in all pictures.
 * @returns A new batch.
 * @see Yun et al.: CutMix: regularization strategy to train strong classifiers with localizable features (ICCV 2019,
 * https://arxiv.org/abs/1905.04899); with one rectangle a batch and the batch reversed, as timm has it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { cutmix } from "./cutmix.ts";
 * const twoPictures = Uint8Array.of(1, 1, 1, 2, 2, 2, 7, 7, 7, 8, 8, 8);
 * const box = { left: 1, top: 0, right: 2, bottom: 1 };
 * assert(cutmix(twoPictures, 2, { width: 2, height: 1 }, box).join() === "1,1,1,8,8,8,7,7,7,2,2,2");
 * ```
 */
export function cutmix(images: Uint8Array, rows: number, size: Size, box: Box): Uint8Array<ArrayBuffer> {
  const mixed = new Uint8Array(images), line = 3 * size.width, bytes = line * size.height;
  for (let row = 0; row < rows; row++) {
    for (let y = box.top; y < box.bottom; y++) {
      const start = y * line + 3 * box.left, other = (rows - 1 - row) * bytes + start;
      mixed.set(images.subarray(other, other + 3 * (box.right - box.left)), row * bytes + start);
    }
  }
  return mixed;
}
