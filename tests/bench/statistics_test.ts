import assert from "node:assert/strict";
import { orderOf } from "../../bench/training/rounds.ts";
import { figureOf, ratio, spread, summarise } from "../../bench/training/statistics.ts";

const round = (training: number[], more: { firstStepSeconds?: number; peakMemoryBytes?: number } = {}) => ({
  trainingSeconds: training,
  evaluationSeconds: [0.25],
  ...more,
});

Deno.test("spread() is the median with the least and the greatest value", () => {
  assert.deepEqual(spread([3]), { median: 3, min: 3, max: 3 });
  assert.deepEqual(spread([10, 1, 9]), { median: 9, min: 1, max: 10 });
  assert.deepEqual(spread([4, 1, 10, 2]), { median: 3, min: 1, max: 10 });
  assert.throws(() => spread([]), { name: "RangeError", message: "Cannot take the median of no values" });
});

Deno.test("figureOf() is pictures a second of the median step", () => {
  const measured = round([4, 1, 2], { firstStepSeconds: 7, peakMemoryBytes: 5 });
  assert.equal(figureOf(measured, "training", 32), 16);
  assert.equal(figureOf(measured, "evaluation", 32), 128);
  assert.equal(figureOf(measured, "firstStep", 32), 7);
  assert.equal(figureOf(measured, "peakMemory", 32), 5);
  assert.equal(figureOf(round([1]), "firstStep", 32), undefined);
});

Deno.test("summarise() takes the rounds that have the figure", () => {
  const rounds = [round([1], { firstStepSeconds: 5 }), round([2], { firstStepSeconds: 3 }), round([4])];
  assert.deepEqual(summarise(rounds, "training", 8), { median: 4, min: 2, max: 8 });
  assert.deepEqual(summarise(rounds, "firstStep", 8), { median: 4, min: 3, max: 5 });
  assert.equal(summarise([], "training", 8), undefined);
});

Deno.test("ratio() compares round by round: a slow minute of the machine changes nothing", () => {
  const own = [round([1]), round([10]), round([1])], other = [round([2]), round([20]), round([2])];
  assert.deepEqual(ratio(own, other, "training"), { median: 2, min: 2, max: 2 });
  assert.deepEqual(ratio(own, other.slice(0, 1), "training"), { median: 2, min: 2, max: 2 });
  assert.equal(ratio(own, [], "training"), undefined);
  assert.equal(ratio(own, other, "peakMemory"), undefined);
});

Deno.test("orderOf() begins each round with another one", () => {
  assert.deepEqual([0, 1, 2, 3].map((index) => orderOf(["a", "b", "c"], index).join("")), [
    "abc",
    "bca",
    "cab",
    "abc",
  ]);
});
