import { createHash } from "node:crypto";

/**
 * `items` in an order that looks random and depends on `seed` and the items' keys only: sorted by the SHA-256 of both.
 * Unlike a shuffle it does not depend on the order that the items come in, and one item more moves no other.
 *
 * @param items What to order; not changed.
 * @param seed Any number: the same seed, the same order.
 * @param key A text for each item, unique among them.
 * @returns A new array.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { seededOrder } from "./_seeded_order.ts";
 *
 * const key = (name: string) => name;
 * assert.deepEqual(seededOrder(["a", "b", "c"], 7, key), seededOrder(["c", "a", "b"], 7, key));
 * ```
 */
export function seededOrder<T>(items: readonly T[], seed: number, key: (item: T) => string): T[] {
  return items
    .map((item) => ({ item, rank: createHash("sha256").update(`${seed}\0${key(item)}`).digest("hex") }))
    .sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0))
    .map(({ item }) => item);
}
