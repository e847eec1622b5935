import assert from "node:assert/strict";
import { dataset } from "../../lib/data/dataset.ts";
import { DatasetError } from "../../lib/data/dataset_error.ts";
import { split } from "../../lib/data/split.ts";

const letters = "abcdefgh".split("");
const of = (...perClass: number[]) =>
  dataset(
    perClass.flatMap((count, label) =>
      Array.from({ length: count }, (_, i) => ({ image: `${letters[label]}${i}`, label }))
    ),
    letters.slice(0, perClass.length),
    { name: "letters" },
  );

Deno.test("split() takes the same share of every class and every sample once", () => {
  const whole = of(100, 50, 10);
  const { train, validation, test, classNames } = split(whole, { validation: 0.2, test: 0.1, seed: 3 });
  assert.deepEqual(classNames, ["a", "b", "c"]);
  const count = (samples: readonly { label: number }[]) =>
    [0, 1, 2].map((label) => samples.filter((sample) => sample.label === label).length);
  assert.deepEqual(count(train.samples), [70, 35, 7]);
  assert.deepEqual(count(validation.samples), [20, 10, 2]);
  assert.deepEqual(count(test!.samples), [10, 5, 1]);
  const names = [train, validation, test!].flatMap(({ samples }) => samples.map(({ name }) => name));
  assert.deepEqual(names.sort(), whole.samples.map(({ name }) => name).sort());
  assert.deepEqual([train.name, validation.name, test!.name], [
    "letters/train",
    "letters/validation",
    "letters/test",
  ]);
  assert(
    train.samples.every(({ name }, i) => i === 0 || whole.samples.findIndex((s) => s.name === name) > 0),
  );
});

Deno.test("split() gives a small class at least one picture in each set it can", () => {
  const { train, validation, test } = split(of(1, 2, 3, 4), { validation: 0.01, test: 0.01 });
  const labels = (samples: readonly { label: number }[]) => samples.map(({ label }) => label).join("");
  assert.equal(labels(train.samples), "01233");
  assert.equal(labels(validation.samples), "123");
  assert.equal(labels(test!.samples), "23");
  const large = split(of(2, 3), { validation: 0.95 });
  assert.equal(labels(large.train.samples), "01");
});

Deno.test("split() depends on the seed, and on each class alone", () => {
  const names = (...args: Parameters<typeof split>) =>
    split(...args).validation.samples.map(({ name }) => name);
  assert.deepEqual(names(of(20, 20), { seed: 1 }), names(of(20, 20), { seed: 1 }));
  assert.notDeepEqual(names(of(20, 20), { seed: 1 }), names(of(20, 20), { seed: 2 }));
  const ofFirst = (found: string[]) => found.filter((name) => name.startsWith("a"));
  assert.deepEqual(ofFirst(names(of(20, 20), { seed: 1 })), ofFirst(names(of(20, 90, 5), { seed: 1 })));
  assert(!("test" in split(of(20, 20))));
});

Deno.test("split() refuses shares that leave nothing and sets that cannot be split", () => {
  for (const [validation, test] of [[0, 0], [1, 0], [-0.1, 0], [0.5, 0.5], [NaN, 0], [0.2, 1]]) {
    assert.throws(() => split(of(4, 4), { validation, test }), {
      name: "RangeError",
      message:
        `Cannot split data set "letters": 'validation' must be in (0, 1), 'test' in [0, 1), and both together ` +
        `less than 1: got validation ${validation}, test ${test}`,
    });
  }
  assert.throws(
    () => split(of(1, 1)),
    new DatasetError('Cannot split data set "letters": no class has two pictures', {
      help: "a class needs one picture to train on and one to validate with",
    }),
  );
});
