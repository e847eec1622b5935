/**
 * Random numbers that depend on names, not on the order of calls: a generator is made from a seed and from what it is
 * for (an epoch, a sample), so that neither the number of workers nor a resumed run changes what is drawn.
 *
 * The generator is Philox4x32-10: the seed is the key, and (block, epoch, sample, stream and repeat) is the counter. It
 * is counter-based: there is no state to carry from one sample to the next, and nearby keys and counters give unrelated
 * numbers.
 *
 * Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011).
 *
 * @module
 */

/** What a generator is for; each has its own numbers under the same seed. */
export type RngStream =
  | "order"
  | "augmentation"
  | "split"
  | "replacement"
  | "weights"
  | "dropout"
  | "search"
  | "mixing"
  | "sampler"
  | "sensitivity";

const streams: Readonly<Record<RngStream, number>> = {
  order: 0,
  augmentation: 1,
  split: 2,
  replacement: 3,
  weights: 4,
  dropout: 5,
  search: 6,
  mixing: 7,
  sampler: 8,
  sensitivity: 9,
};

/** A source of random numbers. */
export interface Rng {
  /** An integer, 0 to 2^32 - 1. */
  uint32(): number;
  /** A number in [low, high), 2^32 possible values; [0, 1) by default. */
  uniform(low?: number, high?: number): number;
  /** An integer from `low` to `high`, both included, all equally likely. */
  integer(low: number, high: number): number;
  /** `true` with probability `probability`, 0..1. */
  chance(probability: number): boolean;
}

/**
 * Makes the generator for one purpose.
 *
 * @param seed The run's seed, an integer 0 to 2^53 - 1.
 * @param stream What the numbers are for.
 * @param epoch 0-based epoch, 0 to 2^32 - 1.
 * @param sample Index of the sample in its data set, 0 to 2^32 - 1.
 * @param repeat How often the sample came before in the epoch, 0 to 2^24 - 1.
 * @returns A generator at its start.
 * @throws {RangeError} If the seed is not such an integer.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createRng } from "./rng.ts";
 * const rng = createRng(5, "augmentation", 3, 42);
 * assert(rng.uint32() === createRng(5, "augmentation", 3, 42).uint32());
 * ```
 */
export function createRng(seed: number, stream: RngStream, epoch = 0, sample = 0, repeat = 0): Rng {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(
      `Cannot make random numbers as 'seed' must be an integer from 0 to 2^53 - 1: got ${seed}`,
    );
  }
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32)] as const;
  const purpose = streams[stream] + repeat * 256; // streams take the last byte
  let block = 0, left = 0;
  let numbers: Uint32Array = new Uint32Array(4);
  const uint32 = () => {
    if (left === 0) {
      numbers = philox4x32([block++, epoch, sample, purpose], key);
      left = 4;
    }
    return numbers[4 - left--];
  };
  return {
    uint32,
    uniform: (low = 0, high = 1) => low + (high - low) * (uint32() / 2 ** 32),
    integer(low, high) {
      const values = high - low + 1;
      const limit = 2 ** 32 - 2 ** 32 % values; // numbers from here on would make the low values likelier
      let number = uint32();
      while (number >= limit) number = uint32();
      return low + number % values;
    },
    chance: (probability) => uint32() / 2 ** 32 < probability,
  };
}

/**
 * Shuffles the integers 0 to `length` - 1 (Fisher and Yates).
 *
 * @param length How many.
 * @param rng Where the randomness comes from.
 * @returns `[length]`, each integer once, every order equally likely.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createRng, permutation } from "./rng.ts";
 * const order = permutation(10, createRng(5, "order", 0));
 * assert(order.toSorted().every((value, i) => value === i));
 * ```
 */
export function permutation(length: number, rng: Rng): Int32Array {
  const order = Int32Array.from({ length }, (_, i) => i);
  for (let last = length - 1; last > 0; last--) {
    const other = rng.integer(0, last);
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/**
 * One block of Philox4x32-10.
 *
 * @param counter Four 32-bit integers.
 * @param key Two 32-bit integers.
 * @returns Four random 32-bit integers.
 */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): Uint32Array {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0), low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2), low1 = Math.imul(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0; // golden ratio
    k1 = (k1 + 0xbb67ae85) >>> 0; // sqrt(3) - 1
  }
  return new Uint32Array([c0, c1, c2, c3]);
}

/** Upper 32 bits of the product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff, aHigh = a >>> 16, bLow = b & 0xffff, bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) / 0x10000 >>> 0); // < 2^32
  const carry = (aLow * bHigh + (middle & 0xffff)) / 0x10000 >>> 0;
  return (aHigh * bHigh + (middle / 0x10000 >>> 0) + carry) >>> 0;
}
