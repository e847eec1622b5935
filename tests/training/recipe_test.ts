import assert from "node:assert/strict";
import { modelIds, modelRecord } from "../../lib/models/registry.ts";
import { baselineRecipe } from "../../lib/training/recipe.ts";

Deno.test("baselineRecipe() is the reference's, at the reference's batch sizes", () => {
  for (const id of modelIds) {
    const record = modelRecord(id);
    const isMobile = record.architecture.startsWith("mobilenet");
    const recipe = baselineRecipe(record, { batchSize: isMobile ? 128 : 64 });
    assert.deepEqual(recipe, {
      name: "baseline",
      loss: "softmax",
      batchSize: isMobile ? 128 : 64,
      epochs: 30,
      learningRate: isMobile ? 0.013 : 0.003,
      schedule: "cosine",
      warmUpEpochs: 0,
      momentum: 0.9,
      weightDecay: 5e-4,
      labelSmoothing: 0,
      augmentation: "baseline",
    }, id);
  }
});

Deno.test("baselineRecipe() scales the learning rate with the batch, unless it is given", () => {
  const record = modelRecord("mobilenetv3_large_100");
  assert.equal(baselineRecipe(record).batchSize, 32);
  assert.equal(baselineRecipe(record).learningRate, 0.013 / 4);
  assert.equal(baselineRecipe(record, { batchSize: 256 }).learningRate, 0.026);
  assert.equal(baselineRecipe(record, { batchSize: 256, learningRate: 0.1 }).learningRate, 0.1);
});

Deno.test("baselineRecipe() is plain data: JSON keeps it", () => {
  const recipe = baselineRecipe(modelRecord("efficientnet_b0"), { classWeights: { cat: 2 }, epochs: 3 });
  assert.deepEqual(JSON.parse(JSON.stringify(recipe)), recipe);
});
