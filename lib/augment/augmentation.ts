import type { Rng } from "./rng.ts";

/** A picture on its way through augmentations. */
export interface Pixels {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** `[height, width, 3]` RGB bytes. */
  readonly data: Uint8Array;
}

/**
 * A random change to a picture that keeps its size and its class. Pure: it never writes to its input, and what it
 * returns depends on the pixels and on the numbers it draws alone. It may return its input itself.
 */
export type Augmentation = (image: Pixels, rng: Rng) => Pixels;

/**
 * Applies augmentations one after the other, all drawing from one generator.
 *
 * @param steps What to apply, in order.
 * @returns The chain as one augmentation.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { chain } from "./augmentation.ts";
 * import { flip } from "./flip.ts";
 * import { createRng } from "./rng.ts";
 * const image = { width: 2, height: 1, data: new Uint8Array([1, 2, 3, 4, 5, 6]) };
 * const same = chain(flip(1), flip(1))(image, createRng(0, "augmentation"));
 * assert(same.data.join() === "1,2,3,4,5,6");
 * ```
 */
export function chain(...steps: readonly Augmentation[]): Augmentation {
  return (image, rng) => steps.reduce((changed, step) => step(changed, rng), image);
}
