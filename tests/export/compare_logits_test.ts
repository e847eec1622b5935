import assert from "node:assert/strict";
import { createLogitsComparer } from "../../lib/export/_compare_logits.ts";

const picture = (value: number) => Uint8Array.of(value);

Deno.test("createLogitsComparer() finds the largest difference, its picture, and its share of the range", () => {
  const comparer = createLogitsComparer();
  comparer.add(picture(1), Float32Array.of(0, 10), Float32Array.of(0, 10.5));
  comparer.add(picture(2), Float32Array.of(-10, 3), Float32Array.of(-9, 3));
  comparer.add(picture(3), Float32Array.of(1, 2), Float32Array.of(1.25, 2));
  const { count, maxAbsDifference, relativeDifference, same, ties, worst } = comparer.result(0.01);
  assert.deepEqual([count, maxAbsDifference, relativeDifference, same, ties], [3, 1, 1 / 20, 3, 0]);
  assert.deepEqual(worst, picture(2));
});

Deno.test("createLogitsComparer() tells near ties by the range of all pictures", () => {
  const comparer = createLogitsComparer();
  comparer.add(picture(1), Float32Array.of(1, 1.5), Float32Array.of(1.5, 1)); // 0.5 of 100
  comparer.add(picture(2), Float32Array.of(1, 3), Float32Array.of(3, 1)); // 2 of 100
  comparer.add(picture(3), Float32Array.of(0, 100), Float32Array.of(0, 100));
  const { count, same, ties } = comparer.result(0.01);
  assert.deepEqual([count, same, ties], [3, 1, 1]);
});

Deno.test("createLogitsComparer() finds values that are not finite, and other classes, infinitely far", () => {
  for (const found of [Float32Array.of(NaN, 1), Float32Array.of(Infinity, 1), Float32Array.of(0)]) {
    const comparer = createLogitsComparer();
    comparer.add(picture(1), Float32Array.of(0, 1), found);
    assert.equal(comparer.result(0).maxAbsDifference, Infinity);
  }
});

Deno.test("createLogitsComparer() has a range where all logits are equal", () => {
  const comparer = createLogitsComparer();
  comparer.add(picture(1), Float32Array.of(4, 4), Float32Array.of(4, 5));
  assert.equal(comparer.result(0).relativeDifference, 1 / 4);
});
