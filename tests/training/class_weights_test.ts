import assert from "node:assert/strict";
import type { Dataset } from "../../lib/data/dataset.ts";
import { classWeights, type ClassWeightsOption, imbalanceRatio } from "../../lib/training/class_weights.ts";

function pets(counts: Record<string, number>): Dataset {
  const classNames = Object.keys(counts);
  const samples = classNames.flatMap((name, label) =>
    Array.from(
      { length: counts[name] },
      (_, index) => ({ image: `${name}/${index}.png`, label, name: `${name}/${index}` }),
    )
  );
  return { name: "pets/train", classNames, samples };
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0) / values.length;
}

Deno.test("classWeights() without an option leaves all classes alike", () => {
  assert.equal(classWeights(undefined, pets({ cat: 1, dog: 9 })), undefined);
});

Deno.test('classWeights() "auto" is the inverse frequency with mean 1', () => {
  const counts = { ant: 10, bee: 40, cat: 25, dog: 1 };
  const weights = classWeights("auto", pets(counts))!;
  assert.ok(Math.abs(mean(weights) - 1) < 1e-6);
  // Every class counts the same: weight times number of samples is the same for all.
  for (const [index, count] of Object.values(counts).entries()) {
    assert.ok(Math.abs(weights[index] * count / (weights[0] * counts.ant) - 1) < 1e-6);
  }
  assert.deepEqual(classWeights("auto", pets({ cat: 3, dog: 3 })), Float32Array.of(1, 1));
});

Deno.test('classWeights() "auto" gives a class without samples 0 and keeps it out of the mean', () => {
  assert.deepEqual(classWeights("auto", pets({ cat: 1, dog: 0, eel: 3 })), Float32Array.of(1.5, 0, 0.5));
});

Deno.test("classWeights() takes weights by name, 1 where none is given, and normalises to mean 1", () => {
  const data = pets({ cat: 1, dog: 1, eel: 1, toString: 1 });
  assert.deepEqual(classWeights({ eel: 5 }, data), Float32Array.of(0.5, 0.5, 2.5, 0.5));
  assert.deepEqual(classWeights({}, data), Float32Array.of(1, 1, 1, 1));
  assert.deepEqual(classWeights({ cat: 0, dog: 0, eel: 0 }, data), Float32Array.of(0, 0, 0, 4));
});

Deno.test("classWeights() refuses names that are no classes, with the nearest ones", () => {
  assert.throws(() => classWeights({ Cat: 2, dragon: 1, dog: 1 }, pets({ cat: 1, dog: 1 })), {
    name: "TypeError",
    message: 'Cannot weigh the classes of "pets/train": 2 of 3 names are no classes of it\n' +
      '  "Cat": did you mean "cat"?\n  "dragon"\n  help: the classes are cat, dog',
  });
  const many = pets(Object.fromEntries(Array.from({ length: 22 }, (_, index) => [`class${index}`, 1])));
  assert.throws(() => classWeights({ zebra: 1 }, many), /class19 and 2 more$/);
});

Deno.test("classWeights() refuses weights that cannot be used", () => {
  const data = pets({ cat: 1, dog: 1 });
  assert.throws(() => classWeights({ cat: -1, dog: NaN }, data), {
    name: "RangeError",
    message:
      'Cannot weigh the classes of "pets/train": 2 of 2 weights cannot be used, wanted numbers of at least 0\n' +
      '  "cat": found -1\n  "dog": found NaN\n  help: write for example { "cat": 2 }',
  });
  assert.throws(() => classWeights({ cat: 0, dog: 0 }, data), {
    name: "RangeError",
    message: 'Cannot weigh the classes of "pets/train": all weights are 0\n' +
      "  help: give at least one class a weight above 0",
  });
  assert.throws(() => classWeights("auto", pets({ cat: 0, dog: 0 })), {
    name: "RangeError",
    message: 'Cannot weigh the classes of "pets/train": it has no samples to count\n' +
      '  help: pass weights by class name, { "cat": 2 }',
  });
});

Deno.test("classWeights() refuses anything else", () => {
  const found: [unknown, string][] = [["balanced", '"balanced"'], [3, "number"], [[1, 2], "object"], [
    null,
    "object",
  ]];
  for (const [option, words] of found) {
    assert.throws(() => classWeights(option as ClassWeightsOption, pets({ cat: 1 })), {
      name: "TypeError",
      message: `Cannot weigh the classes of "pets/train": found ${words} for classWeights, ` +
        'wanted "auto" or weights by class name\n  help: write for example { "cat": 2 }',
    });
  }
});

Deno.test("imbalanceRatio() compares the largest class with the smallest that has samples", () => {
  assert.equal(imbalanceRatio(pets({ cat: 10, dog: 4, eel: 0 })), 2.5);
  assert.equal(imbalanceRatio(pets({ cat: 3, dog: 3 })), 1);
  assert.equal(imbalanceRatio(pets({ cat: 0 })), 1);
});
