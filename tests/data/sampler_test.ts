import assert from "node:assert/strict";
import { createRng, permutation } from "../../lib/augment/rng.ts";
import type { Dataset } from "../../lib/data/dataset.ts";
import { createSampler, repeatsOf, samplerNames } from "../../lib/data/sampler.ts";

/** Pictures of classes of some sizes, one class after the other. */
function classesOf(sizes: readonly number[]): Dataset {
  const samples = sizes.flatMap((size, label) =>
    Array.from({ length: size }, (_, index) => ({ image: "", label, name: `${label}/${index}` }))
  );
  return { name: "classes", classNames: sizes.map((_, label) => `${label}`), samples };
}

/** How often each number from 0 on occurs. */
function counts(numbers: Iterable<number>, length: number): number[] {
  const result = new Array(length).fill(0);
  for (const number of numbers) result[number]++;
  return result;
}

const spread = (numbers: readonly number[]) => Math.max(...numbers) - Math.min(...numbers);

/** Sizes of classes: large and small, alike, one of none, more classes than pictures of an epoch. */
const cases = [[100, 3, 10], [5, 5, 5], [40, 0, 1, 7], [1, 1, 1, 1, 1], [2, 300]];

Deno.test("createSampler() shuffled gives the order of the permutation, each sample once", () => {
  const dataset = classesOf([5, 8]);
  const sampler = createSampler(dataset, { sampler: "shuffled", length: 12, seed: 4 });
  for (const epoch of [0, 1, 7]) {
    assert.deepEqual(sampler(epoch), permutation(13, createRng(4, "order", epoch)).subarray(0, 12));
  }
});

for (const sizes of cases) {
  const dataset = classesOf(sizes), total = dataset.samples.length;
  const present = sizes.filter((size) => size > 0).length;
  for (const length of [total, total - 2]) {
    const name = `classes of ${sizes.join(", ")} and ${length} an epoch`;
    const sampler = createSampler(dataset, { sampler: "balanced", length, seed: 3 });
    const epochs = Array.from({ length: 12 }, (_, epoch) => sampler(epoch));
    const labelsOf = (order: Int32Array) => [...order].map((index) => dataset.samples[index]!.label);

    Deno.test(`createSampler() balanced takes as many of each class: ${name}`, () => {
      for (const order of [...epochs, Int32Array.from(epochs.flatMap((order) => [...order]))]) {
        const drawn = counts(labelsOf(order), sizes.length).filter((_, label) => sizes[label]! > 0);
        assert.ok(spread(drawn) <= 1, `${drawn}`);
        assert.equal(drawn.length, present);
      }
      assert.ok(epochs.every((order) => order.length === length));
      assert.equal(counts(labelsOf(epochs[0]!), sizes.length)[sizes.indexOf(0)] ?? 0, 0);
    });

    Deno.test(`createSampler() balanced uses all pictures of a class before one again: ${name}`, () => {
      // After any number of whole epochs no picture of a class was used twice more than another of it.
      const used = new Array(total).fill(0);
      for (const order of epochs) {
        for (const index of order) used[index]++;
        let start = 0;
        for (const size of sizes) {
          if (size > 0) assert.ok(spread(used.slice(start, start + size)) <= 1);
          start += size;
        }
      }
    });
  }
}

Deno.test("createSampler() is a function of the seed and the epoch", () => {
  const dataset = classesOf([30, 4, 9]);
  for (const name of samplerNames) {
    const make = (seed: number) => createSampler(dataset, { sampler: name, length: 40, seed });
    const first = make(1);
    const forwards = [0, 1, 2, 3].map(first), backwards = [3, 2, 1, 0].map(make(1)).reverse();
    assert.deepEqual(forwards, backwards);
    assert.equal(new Set([...forwards, make(2)(0)].map(String)).size, 5);
  }
});

Deno.test("createSampler() balanced shuffles classes and cycles", () => {
  const dataset = classesOf([300, 300, 300]);
  const sampler = createSampler(dataset, { sampler: "balanced", length: 900, seed: 0 });
  const labels = [...sampler(0)].map((index) => dataset.samples[index]!.label);
  // Neighbours are of the same class about a third of the time, and of each other class as often.
  const same = labels.filter((label, at) => label === labels[at + 1]).length / 900;
  assert.ok(Math.abs(same - 1 / 3) < 0.06, `${same}`);
  const small = createSampler(classesOf([6, 900]), { sampler: "balanced", length: 906, seed: 0 });
  const ofSmall = [...small(0)].filter((index) => index < 6).join("");
  assert.equal(ofSmall.length, 453);
  assert.ok(!ofSmall.includes(ofSmall.slice(0, 6).repeat(2)), "cycles are in other orders");
});

Deno.test("repeatsOf() counts how often an index came before", () => {
  assert.deepEqual(repeatsOf(Int32Array.of(4, 0, 4, 4, 1, 0)), Int32Array.of(0, 0, 1, 2, 0, 1));
  assert.deepEqual(repeatsOf(new Int32Array()), new Int32Array());
});
