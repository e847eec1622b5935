import assert from "node:assert/strict";
import { averagePrecision } from "../../lib/metrics/average_precision.ts";
import { averagePrecisionPerClass, meanAveragePrecision } from "../../lib/metrics/mean_average_precision.ts";
import { assertAllClose, assertClose, cases, rows } from "./_oracle.ts";

Deno.test("averagePrecision() by steps equals scikit-learn's average_precision_score", () => {
  for (const { name, logits, labels, averagePrecisionStep } of cases) {
    const found = averagePrecisionStep.map((_, index) =>
      averagePrecision(rows(logits).map((row) => row[index]), labels.map((label) => label === index), "step")
    );
    assertAllClose(found, averagePrecisionStep, 1e-12, name);
  }
});

Deno.test("averagePrecisionPerClass() equals the definition of the interpolated curve, ties included", () => {
  for (const { name, logits, labels, averagePrecision } of cases) {
    assertAllClose(averagePrecisionPerClass(rows(logits), labels), averagePrecision, 1e-12, name);
  }
});

Deno.test("meanAveragePrecision() equals the reference's float32 curves, classes without samples as 0", () => {
  for (const { name, logits, labels, mAP } of cases) {
    assertClose(meanAveragePrecision(rows(logits), labels), mAP, 2e-6, name);
  }
  assert.equal(meanAveragePrecision([[3, 0, 0, 0], [0, 3, 0, 0]], [0, 1]), 0.5);
});

Deno.test("averagePrecision() does not depend on the order of samples with equal scores", () => {
  for (const rule of ["interpolated", "step"] as const) {
    const first = averagePrecision([1, 1, 1, 0], [1, 0, 0, 1], rule);
    assert.equal(averagePrecision([1, 1, 1, 0], [0, 0, 1, 1], rule), first);
  }
});

Deno.test("averagePrecision() is 0 without positives and 1 when all positives come first", () => {
  assert.equal(averagePrecision([3, 2, 1], [0, 0, 0]), 0);
  assert.equal(averagePrecision([], []), 0);
  assert.equal(averagePrecision([3, 2, 1], [true, true, false]), 1);
});

Deno.test("averagePrecision() refuses other lengths and scores that are not finite", () => {
  assert.throws(() => averagePrecision([1, 2], [1]), {
    name: "TypeError",
    message: "Cannot compute the average precision: found 2 scores and 1 flags, wanted one flag a score",
  });
  assert.throws(() => averagePrecision([1, NaN], [1, 0]), {
    name: "RangeError",
    message: "Cannot compute the average precision: the score of sample 1 is NaN, wanted a finite number",
  });
});
