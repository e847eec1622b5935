import assert from "node:assert/strict";
import {
  isDiverged,
  rangeTestRates,
  smoothLosses,
  steepestFall,
  suggestSteepest,
} from "../../lib/lr_finder/range_test.ts";
import { curve, oracle, pointsOf } from "./_range_test_oracle.ts";

function assertNear(
  found: readonly number[],
  wanted: readonly number[],
  tolerance: number,
  what: string,
): void {
  assert.equal(found.length, wanted.length, what);
  found.forEach((value, index) =>
    assert.ok(
      Math.abs(value - wanted[index]) <= tolerance * Math.abs(wanted[index]),
      `${what}[${index}]: ${value}, wanted ${wanted[index]}`,
    )
  );
}

function points(losses: readonly number[]) {
  return losses.map((loss, index) => ({ learningRate: 0.001 * (index + 1), loss, smoothedLoss: loss }));
}

Deno.test("rangeTestRates() gives torch-lr-finder's learning rates", () => {
  for (const { name, minLearningRate, maxLearningRate, batches, rates } of oracle.curves) {
    const found = rangeTestRates(minLearningRate, maxLearningRate, batches);
    assertNear(found.slice(0, rates.length), rates, 1e-13, name);
    assert.equal(found.length, batches);
    assert.equal(found[0], minLearningRate);
  }
});

Deno.test("smoothLosses() smooths as torch-lr-finder, also not at all", () => {
  for (const { name, losses, smoothing, smoothed } of oracle.curves) {
    assertNear(smoothLosses(losses, smoothing), smoothed, 1e-14, name);
  }
  assert.ok(oracle.curves.some(({ smoothing }) => smoothing === 0));
  assert.deepEqual(smoothLosses([], 0.5), []);
});

Deno.test("isDiverged() stops after the batch after which torch-lr-finder stops", () => {
  for (const { name, batches, smoothed } of oracle.curves) {
    const stop = smoothed.findIndex((_, index) => isDiverged(smoothed.slice(0, index + 1)));
    assert.equal(stop, smoothed.length < batches ? smoothed.length - 1 : -1, name);
  }
  assert.ok(oracle.curves.some(({ batches, smoothed }) => smoothed.length < batches), "some stopped");
});

Deno.test("isDiverged() is so at more than 5 times the lowest loss, and where a loss is no number", () => {
  assert.equal(isDiverged([]), false);
  assert.equal(isDiverged([1, 5]), false);
  assert.equal(isDiverged([1, 5.0001]), true);
  assert.equal(isDiverged([NaN]), true);
  assert.equal(isDiverged([1, Infinity]), true);
  assert.equal(isDiverged(Array.from({ length: 300_000 }, () => 1)), false);
});

Deno.test("suggestSteepest() suggests what torch-lr-finder suggests", () => {
  for (const one of oracle.curves) assert.equal(suggestSteepest(pointsOf(one)), one.suggestion, one.name);
  assert.ok(new Set(oracle.curves.map(({ rates, suggestion }) => rates.indexOf(suggestion))).size > 5);
});

Deno.test("steepestFall() is the least of numpy.gradient, without the first 10 and the last 5", () => {
  for (const { losses, gradient } of oracle.gradient) {
    // The losses left out fall more steeply than any other.
    const start = Array.from({ length: 10 }, (_, index) => 100 - 10 * index);
    const end = Array.from({ length: 5 }, (_, index) => -10 * index);
    const found = steepestFall([...start, ...losses, ...end]);
    assert.equal(found - 10, gradient.indexOf(Math.min(...gradient)), `${losses.length} losses`);
  }
});

Deno.test("suggestSteepest() takes the first of equally steep points", () => {
  const losses = [...new Array(10).fill(5), 4, 4, 3, 3, 2, 2, ...new Array(5).fill(1)];
  assert.equal(suggestSteepest(points(losses)), 0.012);
  assert.equal(
    suggestSteepest(points(new Array(20).fill(1))),
    0.011,
    "a constant loss: the first point left",
  );
});

Deno.test("suggestSteepest() needs 17 points", () => {
  assert.equal(suggestSteepest(points(new Array(17).fill(1))), 0.011);
  for (const count of [16, 0]) {
    assert.throws(() => suggestSteepest(points(new Array(count).fill(1))), {
      name: "RangeError",
      message:
        `Cannot suggest a learning rate from a range test: found ${count} points, wanted at least 17 ` +
        "(the first 10 and the last 5 are left out)\n" +
        "  help: a point is a batch: make batches smaller, or the training set larger, or write " +
        '{ mode: "tpe" }; if the loss diverged early, lower maxLearningRate',
    });
  }
});

Deno.test("suggestSteepest() refuses losses that are no numbers", () => {
  const losses = [...pointsOf(curve("wide")).map(({ loss }) => loss), NaN, Infinity];
  assert.throws(() => suggestSteepest(points(losses)), {
    name: "RangeError",
    message:
      "Cannot suggest a learning rate from a range test: found 2 of 102 losses that are no finite number, " +
      "wanted none\n  help: lower maxLearningRate",
  });
});

Deno.test("rangeTestRates() and smoothLosses() refuse numbers that do not fit", () => {
  assert.throws(() => rangeTestRates(0.03, 0.005, 20), {
    name: "RangeError",
    message: "Cannot search a learning rate: 1 bound cannot be used\n" +
      "  minLearningRate: found 0.03, wanted less than maxLearningRate, 0.005\n" +
      "  help: write for example { minLearningRate: 0.005, maxLearningRate: 0.03, step: 0.001 }",
  });
  assert.throws(
    () => rangeTestRates(0, NaN, 20),
    /2 bounds cannot be used\n {2}minLearningRate: found 0, .*\n {2}maxLearningRate: found NaN, /,
  );
  for (const steps of [1, 2.5, NaN]) {
    assert.throws(() => rangeTestRates(0.005, 0.03, steps), {
      name: "RangeError",
      message:
        `Cannot make the rates of a range test: found ${steps} steps, wanted a whole number of at least 2`,
    });
  }
  for (const smoothing of [-0.1, 1, NaN]) {
    assert.throws(() => smoothLosses([1], smoothing), {
      name: "RangeError",
      message:
        `Cannot smooth losses: found smoothing ${smoothing}, wanted a number from 0 up to, not including, 1`,
    });
  }
});
