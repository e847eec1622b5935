import assert from "node:assert/strict";
import { meanTopKAccuracy, topKAccuracy } from "../../lib/metrics/top_k.ts";
import { assertClose, cases, rows } from "./_oracle.ts";

Deno.test("topKAccuracy() equals scikit-learn's top_k_accuracy_score, ties and k above the number of classes included", () => {
  for (const { name, logits, labels, topK } of cases) {
    for (const [k, wanted] of Object.entries(topK)) {
      assertClose(
        topKAccuracy(rows(logits), Int32Array.from(labels), Number(k)),
        wanted,
        1e-12,
        `${name}, k ${k}`,
      );
    }
  }
});

Deno.test("meanTopKAccuracy() equals the mean of scikit-learn's accuracy over the classes that have samples", () => {
  for (const { name, logits, labels, meanTopK, balancedAccuracy } of cases) {
    for (const [k, wanted] of Object.entries(meanTopK)) {
      assertClose(meanTopKAccuracy(rows(logits), labels, Number(k)), wanted, 1e-12, `${name}, k ${k}`);
    }
    assertClose(meanTopKAccuracy(rows(logits), labels, 1), balancedAccuracy, 1e-12, `${name}, balanced`);
  }
});

Deno.test("topKAccuracy() counts exactly k classes of equal scores: a constant model is not always right", () => {
  const constant = [0, 1, 2, 3].map(() => new Float32Array(4));
  assert.equal(topKAccuracy(constant, [0, 1, 2, 3], 1), 0.25);
  assert.equal(topKAccuracy(constant, [0, 1, 2, 3], 3), 0.75);
});

Deno.test("topKAccuracy() does not depend on the order of the samples", () => {
  const { logits, labels } = cases[0];
  const order = labels.map((_, index) => index).reverse();
  assert.equal(
    topKAccuracy(order.map((index) => logits[index]), order.map((index) => labels[index]), 3),
    topKAccuracy(logits, labels, 3),
  );
});

Deno.test("topKAccuracy() refuses a k that is no positive whole number", () => {
  for (const k of [0, -1, 1.5, NaN]) {
    assert.throws(() => topKAccuracy([[1, 2]], [0], k), {
      name: "RangeError",
      message: `Cannot compute the top-k accuracy: found k = ${k}, wanted a whole number of at least 1`,
    });
  }
});
