import type { Augmentation, Pixels } from "./augmentation.ts";
import { createRng } from "./rng.ts";

/** What a change to a picture of a run depends on, beside the picture. */
export interface AugmentationKey {
  /** The run's seed. */
  readonly seed: number;
  /** 0-based epoch. */
  readonly epoch: number;
  /** Index of the sample in its data set. */
  readonly index: number;
  /** How often the sample came before in the epoch. */
  readonly repeat: number;
}

/** A change that depends on the picture and its key alone; it may be computed elsewhere. */
export type KeyedAugmentation = (image: Pixels, key: AugmentationKey) => Pixels | Promise<Pixels>;

/**
 * An augmentation whose random numbers follow from a key, on this thread.
 *
 * @param augmentation The augmentation.
 * @returns The same by key.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { augmentByKey } from "./augment_by_key.ts";
 * import { flip } from "./flip.ts";
 * const image = { width: 2, height: 1, data: new Uint8Array([1, 2, 3, 4, 5, 6]) };
 * const mirrored = await augmentByKey(flip(1))(image, { seed: 5, epoch: 0, index: 3, repeat: 0 });
 * assert(mirrored.data.join() === "4,5,6,1,2,3");
 * ```
 */
export function augmentByKey(augmentation: Augmentation): (image: Pixels, key: AugmentationKey) => Pixels {
  return (image, { seed, epoch, index, repeat }) =>
    augmentation(image, createRng(seed, "augmentation", epoch, index, repeat));
}
