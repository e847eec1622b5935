import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "npm:csv-parse@7.0.3/sync";
import { predictionsPathProblem, writePredictions } from "../../lib/metrics/predictions_file.ts";

const predictions = {
  logits: [new Float32Array([0, Math.log(3)]), new Float32Array([1, 1])],
  samples: [
    { image: "", name: 'a "strange",\nname.png', label: 0 },
    { image: "", name: "b.png", label: 1 },
  ],
  classNames: ["cat, wild", "dog"],
};

Deno.test("writePredictions() writes a table that other readers of CSV understand", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "new", "p.csv");
    await writePredictions(path, predictions);
    assert.deepEqual(parse(await Deno.readTextFile(path)), [
      ["name", "label", "predicted", "probability", "label_probability"],
      ['a "strange",\nname.png', "cat, wild", "dog", "0.750000", "0.250000"],
      ["b.png", "dog", "cat, wild", "0.500000", "0.500000"], // the first of equals
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("writePredictions() writes the likeliest classes as JSON, at most five", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "p.json");
    await writePredictions(path, predictions);
    assert.deepEqual(JSON.parse(await Deno.readTextFile(path))[0], {
      name: 'a "strange",\nname.png',
      label: "cat, wild",
      predictions: [{ label: "dog", probability: 0.75 }, { label: "cat, wild", probability: 0.25 }],
    });
    const classNames = ["a", "b", "c", "d", "e", "f"];
    await writePredictions(path, {
      logits: [Float32Array.of(0, 5, 1, 2, 4, 3)],
      samples: [{ image: "", name: "x", label: 0 }],
      classNames,
    });
    const [{ predictions: rows }] = JSON.parse(await Deno.readTextFile(path));
    assert.deepEqual(rows.map(({ label }: { label: string }) => label), ["b", "e", "f", "d", "c"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("predictionsPathProblem() wants a .csv or .json path", () => {
  assert.equal(predictionsPathProblem("x", undefined), undefined);
  assert.equal(predictionsPathProblem("x", "a/b.CSV"), undefined);
  assert.equal(predictionsPathProblem("x", "a/b.json"), undefined);
  assert.equal(predictionsPathProblem("x", "a/b.txt")?.wanted, "a path that ends in .csv or .json");
  assert.equal(predictionsPathProblem("x", 3)?.wanted, "a string");
});
