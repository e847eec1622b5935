import type { Augmentation } from "./augmentation.ts";
import { rotateNearest } from "./geometric_operations.ts";

/** How {@linkcode rotate} turns. */
export interface RotateOptions {
  /** How often, 0..1. @default {0.35} */
  readonly probability?: number;
  /** The most it turns either way, in whole degrees. @default {10} */
  readonly degrees?: number;
}

/**
 * Turns a picture by a whole number of degrees about its middle; what comes in is black.
 *
 * @param options How often and how far.
 * @returns The augmentation; it returns its input itself when it does not turn.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { rotate } from "./rotate.ts";
 * import { createRng } from "./rng.ts";
 * const image = { width: 9, height: 9, data: new Uint8Array(243).fill(9) };
 * assert(rotate({ probability: 1 })(image, createRng(5, "augmentation")).data.length === 243);
 * ```
 */
export function rotate({ probability = 0.35, degrees = 10 }: RotateOptions = {}): Augmentation {
  return (image, rng) =>
    rng.chance(probability) ? rotateNearest(image, rng.integer(-degrees, degrees)) : image;
}
