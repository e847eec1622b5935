/**
 * Blends each picture of a batch with the picture at its place from the end: `share * picture + (1 - share) * other`,
 * to the nearest byte.
 *
 * @param images `[rows, height, width, 3]` bytes.
 * @param rows Pictures of the batch.
 * @param share What a picture keeps of itself, 0..1.
 * @returns A new batch.
 * @see Zhang, Cisse, Dauphin, Lopez-Paz: mixup: beyond empirical risk minimization (ICLR 2018,
 * https://arxiv.org/abs/1710.09412); with one share a batch and the batch reversed, as timm has it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mixup } from "./mixup.ts";
 * const black = [0, 0, 0], white = [255, 255, 255];
 * assert(mixup(Uint8Array.of(...black, ...white), 2, 0.8).join() === "51,51,51,204,204,204");
 * ```
 */
export function mixup(images: Uint8Array, rows: number, share: number): Uint8Array<ArrayBuffer> {
  const mixed = new Uint8Array(images.length), bytes = images.length / rows, rest = 1 - share;
  for (let row = 0; row < rows; row++) {
    const end = (row + 1) * bytes;
    for (let at = row * bytes, other = (rows - 1 - row) * bytes; at < end; at++, other++) {
      mixed[at] = share * images[at]! + rest * images[other]! + 0.5;
    }
  }
  return mixed;
}
