import assert from "node:assert/strict";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { weightRanges } from "../../lib/quantization/weight_ranges.ts";
import { uniform } from "../models/hash_weights.ts";

const tensor = (shape: number[], data: ArrayLike<number>): HostTensor => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(data),
});

/** Sum of the squares of what rounding to `-range..range` does. */
function errorOf(weights: readonly number[], range: number, bits: number): number {
  const largest = 2 ** (bits - 1) - 1, step = range / largest;
  return weights.reduce((sum, weight) => {
    const level = Math.min(Math.max(Math.round(weight / step), -largest), largest);
    return sum + (weight - level * step) ** 2;
  }, 0);
}

Deno.test("weightRanges() has one range an output, wherever the outputs are", () => {
  // Whole numbers of steps: no other range is as good as the largest weight.
  const close = (found: Float32Array, wanted: number[]) =>
    assert.deepEqual([...found].map((x) => +x.toFixed(5)), wanted);
  close(weightRanges(tensor([2, 3], [127, 1, 254, 64, -127, 2]), "linear", 8), [127, 127, 254]);
  close(weightRanges(tensor([1, 2, 1, 2], [63, 0, 31, -63]), "convolution", 7), [63, 63]);
  close(weightRanges(tensor([1, 2, 3, 1], [63, 126, -63, 1, 2, 3]), "depthwise", 7), [63, 126, 63]);
});

Deno.test("weightRanges() gives outputs without weights a range above 0", () => {
  const ranges = weightRanges(tensor([2, 2], [0, 1, 0, -1]), "linear", 8);
  assert.ok(ranges[0]! > 0 && ranges[0]! < 1e-6, `${ranges[0]}`);
  assert.equal(ranges[1], 1);
});

Deno.test("weightRanges() clips where that is better, and is never worse than the largest weight", () => {
  const inputs = 200, outputs = 8;
  const data = uniform("weights", inputs * outputs).map((value) => value ** 3);
  data[0] = 1.6; // one weight far away, in a row of 200
  for (const bits of [7, 8, 4]) {
    const ranges = weightRanges(tensor([inputs, outputs], data), "linear", bits);
    for (let output = 0; output < outputs; output++) {
      const row = Array.from({ length: inputs }, (_, input) => data[input * outputs + output]!);
      const largest = Math.max(...row.map(Math.abs));
      assert.ok(ranges[output]! <= Math.fround(largest) && ranges[output]! >= 0.59 * largest);
      const found = errorOf(row, ranges[output]!, bits), whole = errorOf(row, largest, bits);
      assert.ok(found <= whole * (1 + 1e-6), `${output}: ${found} and ${whole}`);
    }
  }
  // With few levels clipping one weight is worth it.
  const row = [1, ...Array(5000).fill(0).map((_, index) => 0.6 * Math.sin(index))];
  const [range] = weightRanges(tensor([row.length, 1], row), "linear", 4);
  assert.ok(range! < 0.95, `${range}`);
  assert.ok(errorOf(row, range!, 4) < errorOf(row, 1, 4));
});
