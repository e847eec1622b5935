import assert from "node:assert/strict";
import { modelIds, modelRecord } from "../../lib/models/registry.ts";
import { gridRates } from "../../lib/lr_finder/grid_search.ts";
import { searchContradictions, searchProblems, settleSearch } from "../../lib/lr_finder/settings.ts";

Deno.test("settleSearch() takes the bounds the reference recommends, at its batch sizes", () => {
  const common = { mode: "tpe", epochs: 6, trials: 15, pruning: "median", warmUpEpochs: 1, smoothing: 0.05 };
  for (const id of modelIds) {
    const isMobileNet = id.includes("mobilenet");
    assert.deepEqual(
      settleSearch(modelRecord(id), isMobileNet ? 128 : 64, {}),
      isMobileNet
        ? { ...common, minLearningRate: 0.005, maxLearningRate: 0.03, step: 0.001 }
        : { ...common, minLearningRate: 0.001, maxLearningRate: 0.01, step: 0.001 },
    );
  }
});

Deno.test("settleSearch() scales bounds and step to the batch size, so that the rates stay as many", () => {
  for (const [id, count] of [["mobilenetv3_large_100", 26], ["efficientnet_b0", 10]] as const) {
    for (const batchSize of [1, 8, 32, 84, 100, 256]) {
      const search = settleSearch(modelRecord(id), batchSize, {});
      assert.deepEqual(searchContradictions(search), []);
      assert.equal(gridRates(search).length, count, `${id} at ${batchSize}`);
    }
  }
  const { minLearningRate, maxLearningRate, step } = settleSearch(
    modelRecord("mobilenetv3_small_100"),
    32,
    {},
  );
  assert.deepEqual([minLearningRate, maxLearningRate, step], [0.00125, 0.0075, 0.00025]);
});

Deno.test("settleSearch() divides bounds of one's own by twenty", () => {
  const search = settleSearch(modelRecord("efficientnet_b0"), 32, {
    minLearningRate: 0.1,
    maxLearningRate: 0.3,
  });
  assert.equal(search.step, 0.01);
  assert.equal(gridRates(search).length, 21);
});

Deno.test("searchProblems() takes everything that fits, and finds each thing that does not", () => {
  assert.deepEqual(
    searchProblems({
      mode: "fast_ai",
      minLearningRate: 1e-7,
      maxLearningRate: 10,
      smoothing: 0,
      warmUpEpochs: 0,
      savefig: "a/b.PNG",
    }).filter((problem) => problem !== undefined),
    [],
  );
  const found = searchProblems({ mode: "fastai", step: "0.1", savefig: "curve" } as never, "findLR.");
  assert.deepEqual(
    found.filter((problem) => problem !== undefined).map(({ option, wanted }) => [option, wanted]),
    [
      ["findLR.mode", '"tpe", "grid_search" or "fast_ai"'],
      ["findLR.step", "a number above 0"],
      ["findLR.savefig", "a path that ends in .svg, .png, .html or .json"],
    ],
  );
});

Deno.test("searchContradictions() finds reversed bounds and a step that does not fit, but not with a range test", () => {
  const settle = (given: Parameters<typeof settleSearch>[2]) =>
    searchContradictions(settleSearch(modelRecord("efficientnet_b0"), 64, given), "x.");
  assert.deepEqual(settle({ minLearningRate: 0.02 }), [
    { option: "x.minLearningRate", found: 0.02, wanted: "less than maxLearningRate, 0.01", wrongType: false },
  ]);
  assert.equal(settle({ minLearningRate: 0.02, mode: "fast_ai" }).length, 1);
  assert.deepEqual(settle({ step: 0.01 }).map(({ option }) => option), ["x.step"]);
  assert.deepEqual(settle({ step: 0.01, mode: "fast_ai" }), []);
  assert.deepEqual(settle({ minLearningRate: NaN, step: -1 }), [], "they are found one by one");
});
