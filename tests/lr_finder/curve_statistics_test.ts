import assert from "node:assert/strict";
import { createRng } from "../../lib/augment/rng.ts";
import { normal } from "../../lib/augment/distributions.ts";
import { mean, movingMean, redrawSuggestions, scatter } from "../../lib/lr_finder/_curve_statistics.ts";
import { curve, pointsOf } from "./_range_test_oracle.ts";

Deno.test("movingMean() averages neighbours, fewer near the ends, and keeps a slope", () => {
  assert.deepEqual(movingMean([1, 5, 3, 7, 2, 9], 1), [1, 3, 5, 4, 6, 9]);
  assert.deepEqual(movingMean([1, 2, 3, 4, 5, 6, 7], 2), [1, 2, 3, 4, 5, 6, 7]);
  assert.equal(movingMean([0, 0, 10, 0, 0], 5)[2], 2);
});

Deno.test("scatter() is the standard deviation around a slope, whatever a few outliers do", () => {
  const rng = createRng(3, "order");
  const values = Array.from({ length: 2000 }, (_, index) => 5 - 0.01 * index + 0.2 * normal(rng));
  assert.ok(Math.abs(scatter(values) - 0.2) < 0.02, `${scatter(values)}`);
  assert.ok(Math.abs(scatter([...values, 50, -80, 1000]) - 0.2) < 0.02);
  assert.ok(scatter([5, 4, 3, 2, 1]) < 1e-12);
  assert.equal(scatter([2, 2, 2]), 0);
});

Deno.test("redrawSuggestions() are spread as the scatter has it, the same each time", () => {
  const one = curve("wide");
  const points = pointsOf(one);
  const trend = movingMean(one.losses, 5);
  const found = redrawSuggestions(points, trend, one.smoothing);
  assert.deepEqual(redrawSuggestions(points, trend, one.smoothing), found);
  assert.deepEqual(found.toSorted((a, b) => a - b), found);
  assert.ok(new Set(found).size > 5);
  const still = redrawSuggestions(points, one.losses, one.smoothing); // no scatter at all
  assert.deepEqual(new Set(still), new Set([one.suggestion]));
  assert.equal(mean([1, 2, 6]), 3);
});
