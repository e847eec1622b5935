import assert from "node:assert/strict";
import { listUnknown, nearestName } from "../../lib/errors/nearest_name.ts";

const OPTIONS = ["batchSize", "epochs", "learningRate", "labelSmoothing", "seed", "outputDir", "onEvent"];

Deno.test("nearestName() finds misspelt, shortened and differently cased names", () => {
  const meant: [string, string][] = [
    ["learning_rate", "learningRate"],
    ["LearningRate", "learningRate"],
    ["epoch", "epochs"],
    ["epcohs", "epochs"],
    ["batch", "batchSize"],
    ["batchsize", "batchSize"],
    ["lableSmoothing", "labelSmoothing"],
    ["output-dir", "outputDir"],
    ["onEvents", "onEvent"],
  ];
  for (const [written, wanted] of meant) assert.equal(nearestName(written, OPTIONS), wanted, written);
});

Deno.test("nearestName() takes the nearest of several, and of equally near ones the first", () => {
  const models = [
    "mobilenetv3_small_100",
    "mobilenetv3_large_100",
    "mobilenetv3_large_075",
    "efficientnet_b0",
  ];
  assert.equal(nearestName("mobilenet_v3_large_75", models), "mobilenetv3_large_075");
  assert.equal(nearestName("mobilenetv3_large", models), "mobilenetv3_large_100");
  assert.equal(nearestName("bat", ["cat", "rat"]), "cat");
});

Deno.test("nearestName() finds nothing where nothing is near", () => {
  for (const written of ["colour", "x", "", "momentumSchedule"]) {
    assert.equal(nearestName(written, OPTIONS), undefined);
  }
  assert.equal(nearestName("epochs", []), undefined);
});

Deno.test("listUnknown() gives a line a name", () => {
  assert.equal(
    listUnknown(["epoch", 'co"lour'], OPTIONS),
    '  "epoch": did you mean "epochs"?\n  "co\\"lour"',
  );
});
