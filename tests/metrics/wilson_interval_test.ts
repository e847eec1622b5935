import assert from "node:assert/strict";
import { wilsonInterval } from "../../lib/metrics/wilson_interval.ts";
import { assertAllClose, wilson } from "./_oracle.ts";

Deno.test("wilsonInterval() equals SciPy's binomtest(...).proportion_ci(method='wilson')", () => {
  for (const [successes, trials, lower, upper] of wilson) {
    assertAllClose(wilsonInterval(successes, trials), [lower, upper], 1e-12, `${successes} of ${trials}`);
  }
});

Deno.test("wilsonInterval() stays within 0..1 and around the share", () => {
  for (let trials = 1; trials < 40; trials++) {
    for (let successes = 0; successes <= trials; successes++) {
      const [lower, upper] = wilsonInterval(successes, trials);
      assert.ok(0 <= lower && lower <= successes / trials && successes / trials <= upper && upper <= 1);
    }
  }
});

Deno.test("wilsonInterval() refuses numbers that are no counts", () => {
  assert.throws(() => wilsonInterval(0, 0), {
    name: "RangeError",
    message: "Cannot compute the Wilson interval: found 0 trials, wanted a whole number of at least 1",
  });
  assert.throws(() => wilsonInterval(11, 10), {
    name: "RangeError",
    message: "Cannot compute the Wilson interval: found 11 successes, wanted a whole number from 0 to 10",
  });
  assert.throws(() => wilsonInterval(1, 10, NaN), {
    name: "RangeError",
    message: "Cannot compute the Wilson interval: found z = NaN, wanted at least 0",
  });
});
