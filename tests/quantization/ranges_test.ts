import assert from "node:assert/strict";
import {
  chooseRange,
  type Histogram,
  type ObservedValue,
  squaredError,
} from "../../lib/quantization/ranges.ts";
import { uniform } from "../models/hash_weights.ts";

/** A histogram of numbers between two ends. */
function histogramOf(numbers: Iterable<number>, low: number, high: number, bins = 2048): Histogram {
  const counts = new Float64Array(bins);
  for (const value of numbers) {
    counts[Math.min(Math.floor((value - low) / (high - low) * bins), bins - 1)]!++;
  }
  return { low, high, counts };
}

function observed(histogram: Histogram, meanMin = histogram.low, meanMax = histogram.high): ObservedValue {
  return { meanMin, meanMax, histogram };
}

/** Bell-shaped numbers, and a few far away. */
const bell = Array.from(
  uniform("bell", 30_000).reduce((sums, value, index) => {
    sums[Math.floor(index / 6)] += value;
    return sums;
  }, new Float64Array(5000)),
);

Deno.test("chooseRange() by meanMinMax takes the means, with 0 in between", () => {
  const histogram = histogramOf([-5, 9], -5, 9);
  assert.deepEqual(chooseRange(observed(histogram, -2, 7), "meanMinMax"), { min: -2, max: 7 });
  assert.deepEqual(chooseRange(observed(histogram, 1, 7), "meanMinMax"), { min: 0, max: 7 });
  assert.deepEqual(chooseRange(observed(histogram, -2, -1), "meanMinMax"), { min: -2, max: 1e-6 });
});

Deno.test("chooseRange() by percentile leaves out 1 number in 10,000 at each end", () => {
  // 100,000 numbers in bins of one each, at both ends 10 of them far away.
  const counts = new Float64Array(1000).fill(0);
  counts.fill(100, 100, 900);
  counts[450] += 100_000 - 80_000 - 20;
  counts[0] = counts[999] = 10;
  const histogram = { low: -10, high: 10, counts }; // bins are 0.02 wide
  const { min, max } = chooseRange(observed(histogram), "percentile");
  // The 10th smallest is the last of the first bin; as many must be above the largest.
  assert.ok(Math.abs(min - -9.98) < 1e-9, `${min}`);
  assert.ok(Math.abs(max - 8) < 1e-9, `${max}`);
  counts[0] = 9;
  counts[450]!++;
  assert.ok(Math.abs(chooseRange(observed(histogram), "percentile").min - -7.98) < 1e-9);
});

Deno.test("chooseRange() by percentile and mse keep 0 in the range", () => {
  for (const method of ["percentile", "mse"] as const) {
    assert.equal(chooseRange(observed(histogramOf([2, 3, 4], 2, 4)), method).min, 0);
    assert.equal(chooseRange(observed(histogramOf([-4, -3, -2], -4, -2)), method).max, 1e-6);
    const { min, max } = chooseRange(observed(histogramOf([0, 0], 0, 1e-6)), method);
    assert.ok(min <= 0 && max >= 1e-6, "a value that is always 0 has a range");
  }
});

Deno.test("chooseRange() by mse cuts off what is far away, and is never worse than the whole range", () => {
  const far = histogramOf(bell, -6, 60); // 5 million numbers, and one more
  far.counts.forEach((count, bin) => far.counts[bin] = 1000 * count);
  far.counts[2047]!++;
  const { min, max } = chooseRange(observed(far), "mse");
  assert.ok(max < 60 && max > 3, `${max}`);
  assert.ok(min <= -3, `${min}`);
  for (
    const histogram of [
      far,
      histogramOf(bell, -6, 6),
      histogramOf([...bell, -30, 30], -30, 30),
      histogramOf(bell.map(Math.abs), 0, 6),
      histogramOf(bell.map((value) => value > 0 ? value ** 4 : -0.3), -0.3, 1300),
      histogramOf([0, 1], 0, 1),
      histogramOf(uniform("flat", 5000), -1, 1),
    ]
  ) {
    const whole = { min: Math.min(histogram.low, 0), max: histogram.high };
    const chosen = chooseRange(observed(histogram), "mse");
    assert.ok(squaredError(histogram, chosen, 256) <= squaredError(histogram, whole, 256));
    assert.ok(chosen.min >= whole.min && chosen.max <= whole.max);
  }
});

Deno.test("squaredError() is that of the numbers themselves", () => {
  const histogram = histogramOf(bell, -6, 6, 2048);
  for (
    const [min, max, levels] of [[-6, 6, 256], [-2, 3, 256], [-6, 6, 16], [0, 4, 256], [-1, 1, 4]] as const
  ) {
    const step = (max - min) / (levels - 1), zero = Math.round(-min / step);
    const exact = bell.reduce((sum, value) => {
      const level = Math.min(Math.max(Math.round(value / step) + zero, 0), levels - 1);
      return sum + (value - (level - zero) * step) ** 2;
    }, 0);
    const found = squaredError(histogram, { min, max }, levels);
    assert.ok(Math.abs(found - exact) < 0.03 * exact, `${min}..${max}: ${found}, wanted ${exact}`);
  }
  assert.equal(squaredError(histogram, { min: 0, max: 0 }, 256), Infinity);
});
