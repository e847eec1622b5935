import assert from "node:assert/strict";
import { confusionMatrix } from "../../lib/metrics/confusion_matrix.ts";
import { precisionRecallF1 } from "../../lib/metrics/precision_recall_f1.ts";
import { predictedClass } from "../../lib/metrics/predicted_class.ts";
import { assertAllClose, cases, rows } from "./_oracle.ts";

Deno.test("predictedClass() names the best score, the last of equal ones, as scikit-learn's top-k does", () => {
  for (const { name, logits, predicted } of cases) {
    assert.deepEqual(rows(logits).map(predictedClass), predicted, name);
  }
  assert.equal(predictedClass([2, 2, 1]), 1);
});

Deno.test("predictedClass() refuses an empty row", () => {
  assert.throws(() => predictedClass([]), {
    name: "RangeError",
    message: "Cannot name the predicted class: the row of scores is empty",
  });
});

Deno.test("confusionMatrix() equals scikit-learn's", () => {
  for (const { name, labels, predicted, confusionMatrix: wanted } of cases) {
    assert.deepEqual(confusionMatrix(labels, predicted, wanted.length), wanted, name);
  }
});

Deno.test("confusionMatrix() refuses classes out of range and other lengths", () => {
  assert.throws(() => confusionMatrix([0, 1], [0, 2], 2), {
    name: "RangeError",
    message: "Cannot count the confusion matrix: sample 1 has label 1 and prediction 2, " +
      "wanted whole numbers from 0 to 1",
  });
  assert.throws(() => confusionMatrix([0, -1], [0, 0], 2), /sample 1 has label -1 and prediction 0/);
  assert.throws(() => confusionMatrix([0], [], 2), {
    name: "TypeError",
    message: "Cannot count the confusion matrix: found 1 labels and 0 predictions, wanted as many of each",
  });
});

Deno.test("precisionRecallF1() equals scikit-learn's precision_recall_fscore_support with zero_division=0", () => {
  for (const { name, confusionMatrix, precision, recall, f1, support } of cases) {
    const found = precisionRecallF1(confusionMatrix);
    assertAllClose(found.map((quality) => quality.precision), precision, 1e-12, `${name}, precision`);
    assertAllClose(found.map((quality) => quality.recall), recall, 1e-12, `${name}, recall`);
    assertAllClose(found.map((quality) => quality.f1), f1, 1e-12, `${name}, f1`);
    assert.deepEqual(found.map((quality) => quality.support), support, name);
  }
});

Deno.test("precisionRecallF1() refuses a matrix that is not square", () => {
  assert.throws(() => precisionRecallF1([[1, 0], [1]]), {
    name: "TypeError",
    message:
      "Cannot compute precision and recall: row 1 of the confusion matrix has 1 columns, wanted 2, one a class",
  });
});
