import assert from "node:assert/strict";
import { fakeQuantizationRange } from "../../lib/export/fake_quantization.ts";
import { rawOperator, tf } from "../../lib/tensorflow/mod.ts";
import { uniform } from "../models/hash_weights.ts";

/** What TensorFlow makes of numbers. */
function quantized(x: number[], min: number, max: number, bits: number, narrow: boolean): number[] {
  return tf.tidy(() => {
    const inputs = [tf.tensor1d(x), tf.scalar(min), tf.scalar(max)];
    const attributes = {
      num_bits: { kind: "int", value: bits },
      narrow_range: { kind: "bool", value: narrow },
    } as const;
    return [...rawOperator("FakeQuantWithMinMaxVars", inputs, attributes)[0]!.dataSync()];
  });
}

const random = uniform("ranges", 400);
const ranges: [min: number, max: number][] = [
  [0, 6],
  [-1, 1],
  [-0.375, 2.61],
  [-3, 0],
  [0, 1e-6],
  [-1e-6, 1e-6],
  [-1e4, 3e4],
  [-1, 254], // 0 is a whole number of steps above the lowest
  [-0.5, 254.5], // 0 is half-way between two steps
  [-1e-9, 1],
  [-1, 1e-9],
  ...Array.from({ length: 200 }, (_, i): [number, number] => {
    const scale = 10 ** (4 * random[2 * i]!);
    return [-scale * Math.abs(random[(2 * i + 77) % 400]!), scale * Math.abs(random[2 * i + 1]!)];
  }),
];

for (const [bits, narrow] of [[8, false], [8, true], [7, true], [4, false], [2, true]] as const) {
  Deno.test(`fakeQuantizationRange() is TensorFlow's with ${bits} bits${narrow ? ", narrow" : ""}`, () => {
    for (const [min, max] of ranges) {
      const { low, high, levels, step } = fakeQuantizationRange(Math.fround(min), Math.fround(max), {
        bits,
        narrow,
      });
      assert.equal(levels, 2 ** bits - (narrow ? 1 : 0));
      const far = 10 * (max - min);
      const [lowest, zero, highest, second] = quantized(
        [-far, 0, far, low + 1.2 * step],
        min,
        max,
        bits,
        narrow,
      );
      const where = `${min}..${max}`;
      // Equal but for the last bit, which depends on how a kernel adds and multiplies.
      const near = (found: number, wanted: number) =>
        assert.ok(Math.abs(found - wanted) <= 3e-7 * (high - low), `${where}: ${found}, wanted ${wanted}`);
      near(low, lowest!);
      near(high, highest!);
      near(low + step, second!);
      assert.ok(Math.abs(zero!) <= 3e-7 * (high - low), `${where}: 0 stays 0`);
      assert.ok(low <= 0 && high >= 0, where);
      const below = -low / step;
      assert.ok(Math.abs(below - Math.round(below)) < 1e-3, `${where}: 0 is ${below} steps above the lowest`);
      assert.ok(Math.abs((high - low) / step - (levels - 1)) < 1e-3, where);
    }
  });
}

Deno.test("fakeQuantizationRange() by hand", () => {
  const byte = { bits: 8, narrow: false }, narrow = { bits: 8, narrow: true };
  assert.deepEqual(fakeQuantizationRange(0, 255, byte), { low: 0, high: 255, levels: 256, step: 1 });
  assert.deepEqual(fakeQuantizationRange(-127, 127, narrow), { low: -127, high: 127, levels: 255, step: 1 });
  assert.deepEqual(fakeQuantizationRange(-63, 63, { bits: 7, narrow: true }), {
    low: -63,
    high: 63,
    levels: 127,
    step: 1,
  });
  // 100.4 steps below 0 become 100.
  assert.deepEqual(fakeQuantizationRange(-100.4 as number, Math.fround(154.6), byte).low, -100);
  assert.deepEqual(fakeQuantizationRange(-255, 0, byte), { low: -255, high: 0, levels: 256, step: 1 });
});
