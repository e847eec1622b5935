import assert from "node:assert/strict";
import { calibrationError } from "../../lib/metrics/calibration_error.ts";
import { softmax } from "../../lib/metrics/softmax.ts";
import { assertAllClose, assertClose, cases, rows } from "./_oracle.ts";

Deno.test("calibrationError() has the bins of scikit-learn's calibration_curve and their weighted distance", () => {
  for (const { name, logits, labels, calibrationError: wanted, reliability } of cases) {
    const { error, bins } = calibrationError(rows(logits).map(softmax), labels);
    assertClose(error, wanted, 1e-12, name);
    assert.deepEqual(bins.map((bin) => bin.count), reliability.count, name);
    assertAllClose(bins.map((bin) => bin.accuracy), reliability.accuracy, 1e-12, `${name}, accuracy`);
    assertAllClose(bins.map((bin) => bin.confidence), reliability.confidence, 1e-12, `${name}, confidence`);
  }
});

Deno.test("calibrationError() is 0 for a model that is as right as it is sure", () => {
  const { error, bins } = calibrationError([[1, 0], [0, 1], [1, 0]], [0, 1, 0]);
  assert.equal(error, 0);
  assert.equal(bins.length, 15);
  assert.deepEqual(bins[14], { lower: 14 / 15, upper: 1, count: 3, confidence: 1, accuracy: 1 });
});

Deno.test("calibrationError() puts a confidence on an edge into the bin below it", () => {
  const { bins } = calibrationError([[0.5, 0.5]], [0], 2);
  assert.deepEqual(bins.map((bin) => bin.count), [1, 0]);
});

Deno.test("calibrationError() refuses logits and a number of bins that is none", () => {
  assert.throws(() => calibrationError([[2, -1]], [0]), {
    name: "RangeError",
    message:
      "Cannot compute the calibration error: the best score of row 0 is 2, wanted a probability from 0 to 1\n" +
      "  help: pass the logits through softmax() first",
  });
  assert.throws(() => calibrationError([[1, 0]], [0], 0), {
    name: "RangeError",
    message: "Cannot compute the calibration error: found 0 bins, wanted a whole number of at least 1",
  });
});
