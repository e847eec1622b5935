import assert from "node:assert/strict";
import { dataset } from "../../lib/data/dataset.ts";
import { DatasetError } from "../../lib/data/dataset_error.ts";

const message = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    assert(error instanceof DatasetError);
    return error.message;
  }
  assert.fail("did not fail");
};

Deno.test("dataset() takes class names or indices as labels and names samples by their path", () => {
  const bytes = new Uint8Array(1);
  const made = dataset(
    [{ image: "a.jpg", label: "cat" }, { image: bytes, label: 1 }, {
      image: new URL("file:///b.jpg"),
      label: 0,
      name: "b",
    }],
    ["cat", "dog"],
  );
  assert.deepEqual(made, {
    name: "data set",
    classNames: ["cat", "dog"],
    samples: [
      { image: "a.jpg", label: 0, name: "a.jpg" },
      { image: bytes, label: 1, name: "sample 1" },
      { image: new URL("file:///b.jpg"), label: 0, name: "b" },
    ],
  });
});

Deno.test("dataset() names every label that is no class", () => {
  const labels = ["cat", "fox", 2, -1, 0.5, NaN, "owl", "rat"];
  assert.equal(
    message(() =>
      dataset(labels.map((label, i) => ({ image: `${i}.jpg`, label })), ["cat", "dog"], { name: "pets" })
    ),
    `Cannot make data set "pets": 7 of 8 labels are not classes\n` +
      `  1.jpg: unknown class name "fox"\n` +
      `  2.jpg: label 2 is not an index 0 to 1\n` +
      `  3.jpg: label -1 is not an index 0 to 1\n` +
      `  4.jpg: label 0.5 is not an index 0 to 1\n` +
      `  5.jpg: label NaN is not an index 0 to 1\n` +
      `  (and 2 more)\n` +
      `  help: the classes are "cat", "dog"`,
  );
});

Deno.test("dataset() refuses too few or repeated classes, and no samples", () => {
  const samples = [{ image: "a.jpg", label: 0 }];
  assert.equal(
    message(() => dataset(samples, ["cat"])),
    `Cannot make data set "data set": at least two classes are needed, there is one, "cat"\n` +
      `  help: a classifier tells classes apart: add pictures of another class`,
  );
  assert.equal(
    message(() => dataset(samples, [])),
    `Cannot make data set "data set": at least two classes are needed, there are none\n` +
      `  help: a classifier tells classes apart: add pictures of another class`,
  );
  assert.equal(
    message(() => dataset(samples, ["cat", "dog", "cat"])),
    `Cannot make data set "data set": class names repeat: "cat"\n  help: give each class one name`,
  );
  assert.equal(
    message(() => dataset([], ["cat", "dog"])),
    `Cannot make data set "data set": it has no samples\n  help: give at least one { image, label }`,
  );
});

Deno.test("DatasetError keeps odd names on one line and all problems in reach", () => {
  const problems = Array.from(
    { length: 6 },
    (_, i) => ({ name: `a\n${i}\t"b".jpg`, reason: "file is empty" }),
  );
  const error = new DatasetError("Cannot read", { problems, help: "remove them" });
  assert.deepEqual(error.problems, problems);
  assert.equal(error.message.split("\n").length, 8);
  assert(error.message.includes('  a\\n0\\t"b".jpg: file is empty'));
});
