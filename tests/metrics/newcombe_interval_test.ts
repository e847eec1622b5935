import assert from "node:assert/strict";
import { newcombeInterval } from "../../lib/metrics/newcombe_interval.ts";

Deno.test("newcombeInterval() gives the values of Newcombe's paper", () => {
  // Table II, method 10
  const table: [[number, number], [number, number], string, string][] = [
    [[56, 48], [70, 80], "0.0524", "0.3339"],
    [[9, 3], [10, 10], "0.1705", "0.8090"],
    [[6, 2], [7, 7], "0.0582", "0.8062"],
    [[5, 0], [56, 29], "-0.0381", "0.1926"],
    [[0, 0], [10, 20], "-0.1611", "0.2775"],
    [[0, 0], [10, 10], "-0.2775", "0.2775"],
    [[10, 0], [10, 20], "0.6791", "1.0000"],
    [[10, 0], [10, 10], "0.6075", "1.0000"],
  ];
  for (const [successes, trials, ...wanted] of table) {
    assert.deepEqual(newcombeInterval(successes, trials).map((end) => end.toFixed(4)), wanted);
  }
});

Deno.test("newcombeInterval() widens with z and refuses what is no count", () => {
  const [lower] = newcombeInterval([90, 80], [100, 100]);
  assert.ok(newcombeInterval([90, 80], [100, 100], 3)[0] < lower);
  assert.throws(() => newcombeInterval([90, 101], [100, 100]), {
    name: "RangeError",
    message: "Cannot compute the Wilson interval: found 101 successes, wanted a whole number from 0 to 100",
  });
});
