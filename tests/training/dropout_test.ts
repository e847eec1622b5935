import assert from "node:assert/strict";
import { dropoutMask } from "../../lib/training/dropout.ts";

const key = { seed: 1, epoch: 2, step: 3, index: 0, learners: 2 };

Deno.test("dropoutMask() leaves out the share it is told, and keeps the mean", () => {
  const { data: values, shape } = dropoutMask([100, 1000], 0.2, key), data = values as Float32Array;
  assert.deepEqual(shape, [100, 1000]);
  assert.deepEqual([...new Set(data)].sort(), [0, Math.fround(1.25)]);
  const zeros = data.filter((value) => value === 0).length;
  assert.ok(Math.abs(zeros - 20_000) < 4 * Math.sqrt(100_000 * 0.2 * 0.8), `${zeros} zeros`);
});

Deno.test("dropoutMask() depends on seed, epoch, step and network, and on nothing else", () => {
  const of = (other: Partial<typeof key>) => dropoutMask([4, 64], 0.5, { ...key, ...other }).data.join();
  assert.equal(of({}), of({}));
  const all = [of({}), of({ seed: 2 }), of({ epoch: 3 }), of({ step: 4 }), of({ index: 1 })];
  assert.equal(new Set(all).size, all.length);
});
