import assert from "node:assert/strict";
import { createRng, permutation, philox4x32 } from "../../lib/augment/rng.ts";

Deno.test("philox4x32() gives the published test vectors", () => {
  // kat_vectors of Random123 1.14.0, philox4x32 with 10 rounds
  const ones = 0xffffffff;
  const vectors: [[number, number, number, number], [number, number], string][] = [
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [[ones, ones, ones, ones], [ones, ones], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      "d16cfe09 94fdcceb 5001e420 24126ea1",
    ],
  ];
  for (const [counter, key, wanted] of vectors) {
    const found = Array.from(philox4x32(counter, key), (number) => number.toString(16).padStart(8, "0")).join(
      " ",
    );
    assert.equal(found, wanted);
  }
});

Deno.test("createRng() runs through the blocks of its counter", () => {
  const rng = createRng(7 + 2 ** 32 * 3, "augmentation", 5, 11);
  const wanted = [...philox4x32([0, 5, 11, 1], [7, 3]), ...philox4x32([1, 5, 11, 1], [7, 3])];
  assert.deepEqual(wanted.map(() => rng.uint32()), wanted);
});

Deno.test("createRng() counts the repeats of a sample beside the stream", () => {
  for (const repeat of [0, 1, 2 ** 24 - 1]) {
    const rng = createRng(7, "mixing", 5, 11, repeat);
    const wanted = [...philox4x32([0, 5, 11, 7 + 256 * repeat], [7, 0])];
    assert.deepEqual(wanted.map(() => rng.uint32()), wanted);
  }
});

Deno.test("createRng() gives other numbers for another seed, stream, epoch or sample", () => {
  const first = [[0, "order", 0, 0], [1, "order", 0, 0], [2 ** 32, "order", 0, 0], [0, "split", 0, 0], [
    0,
    "order",
    1,
    0,
  ], [0, "order", 0, 1]]
    .map(([seed, stream, epoch, sample]) =>
      createRng(seed as number, stream as "order", epoch as number, sample as number).uint32()
    );
  assert.equal(new Set(first).size, first.length);
});

Deno.test("createRng() draws evenly", () => {
  const rng = createRng(5, "augmentation");
  const draws = 60_000;
  const counts = new Array(6).fill(0);
  let sum = 0, heads = 0;
  for (let i = 0; i < draws; i++) {
    counts[rng.integer(-2, 3) + 2]++;
    sum += rng.uniform(2, 4);
    if (rng.chance(0.3)) heads++;
  }
  // Chi-squared with 5 degrees of freedom: 20.5 has a probability of 0.1 %.
  const chiSquared = counts.reduce((total, count) => total + (count - 10_000) ** 2 / 10_000, 0);
  assert(chiSquared < 20.5, `${chiSquared}`);
  assert(Math.abs(sum / draws - 3) < 0.01);
  assert(Math.abs(heads / draws - 0.3) < 0.01);
  assert.equal(rng.chance(0), false);
  assert.equal(rng.chance(1), true);
});

Deno.test("createRng() refuses a seed that is not a whole number", () => {
  for (const seed of [-1, 0.5, NaN, 2 ** 53]) {
    assert.throws(() => createRng(seed, "order"), {
      name: "RangeError",
      message: `Cannot make random numbers as 'seed' must be an integer from 0 to 2^53 - 1: got ${seed}`,
    });
  }
});

Deno.test("permutation() holds each index once and every order is as likely", () => {
  assert.deepEqual([...permutation(0, createRng(0, "order"))], []);
  assert.deepEqual([...permutation(1, createRng(0, "order"))], [0]);
  assert.deepEqual(
    [...permutation(1000, createRng(0, "order")).sort()],
    Array.from({ length: 1000 }, (_, i) => i),
  );
  const seen = new Map<string, number>();
  for (let epoch = 0; epoch < 6000; epoch++) {
    const order = permutation(3, createRng(1, "order", epoch)).join("");
    seen.set(order, (seen.get(order) ?? 0) + 1);
  }
  assert.equal(seen.size, 6);
  for (const count of seen.values()) assert(Math.abs(count - 1000) < 120, `${count}`);
});
