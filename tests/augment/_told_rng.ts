import assert from "node:assert/strict";
import type { Rng } from "../../lib/augment/rng.ts";

/** A generator that gives the numbers it is told: shares of what is possible. */
export function told(...uniform: number[]): Rng {
  const next = () => uniform.shift() ?? assert.fail("drew more numbers than expected");
  return {
    uint32: () => Math.floor(next() * 2 ** 32),
    uniform: (low = 0, high = 1) => low + (high - low) * next(),
    integer: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (probability) => next() < probability,
  };
}
