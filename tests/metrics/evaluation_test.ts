import assert from "node:assert/strict";
import { createEvaluation } from "../../lib/metrics/evaluation.ts";
import { assertAllClose, assertClose, cases, rows } from "./_oracle.ts";

function names(classes: number): string[] {
  return Array.from({ length: classes }, (_, index) => `class ${index}`);
}

Deno.test("createEvaluation() holds the numbers of scikit-learn", () => {
  for (const wanted of cases) {
    const evaluation = createEvaluation({
      logits: rows(wanted.logits),
      labels: Int32Array.from(wanted.labels),
      classNames: names(wanted.logits[0].length),
    });
    assertClose(evaluation.top1, wanted.topK["1"], 1e-12, wanted.name);
    assertClose(evaluation.top5, wanted.topK["5"], 1e-12, wanted.name);
    assertClose(evaluation.meanTop1, wanted.meanTopK["1"], 1e-12, wanted.name);
    assertClose(evaluation.meanTop5, wanted.meanTopK["5"], 1e-12, wanted.name);
    assertClose(evaluation.mAP, wanted.mAP, 2e-6, wanted.name);
    assertAllClose(evaluation.top1Interval, wanted.accuracyInterval, 1e-12, wanted.name);
    assertClose(evaluation.calibrationError, wanted.calibrationError, 1e-12, wanted.name);
    assert.deepEqual(evaluation.confusionMatrix, wanted.confusionMatrix, wanted.name);
    assert.equal(evaluation.sampleCount, wanted.labels.length);
  }
});

Deno.test("createEvaluation() agrees with itself: top-1, matrix, mistakes and mean of the average precisions", () => {
  for (const { name, logits, labels } of cases) {
    const evaluation = createEvaluation({
      logits: rows(logits),
      labels,
      classNames: names(logits[0].length),
      keepMistakes: 1000,
    });
    const right = evaluation.confusionMatrix.reduce((sum, row, index) => sum + row[index], 0);
    assertClose(evaluation.top1, right / labels.length, 1e-15, name);
    assert.equal(evaluation.mistakeCount, labels.length - right, name);
    assert.equal(evaluation.mistakes.length, evaluation.mistakeCount, name);
    const precisions = evaluation.perClass.map((quality) => quality.averagePrecision);
    assertClose(evaluation.mAP, precisions.reduce((a, b) => a + b) / precisions.length, 1e-15, name);
    assert.ok(
      evaluation.top1Interval[0] <= evaluation.top1 && evaluation.top1 <= evaluation.top1Interval[1],
      name,
    );
  }
});

Deno.test("createEvaluation() lists mistakes worst first, with name and picture, and no more than asked for", () => {
  const samples = ["a", "b", "c", "d"].map((name, label) => ({
    name,
    image: `/pictures/${name}.png`,
    label: label % 2,
  }));
  const input = {
    logits: [[0, 1], [5, 0], [3, 0], [0, 2]],
    labels: [0, 1, 0, 1],
    classNames: ["cat", "dog"],
    samples,
  };
  const evaluation = createEvaluation(input);
  assert.deepEqual(
    evaluation.mistakes.map(({ name, image, label, predicted }) => ({ name, image, label, predicted })),
    [
      { name: "b", image: "/pictures/b.png", label: "dog", predicted: "cat" },
      { name: "a", image: "/pictures/a.png", label: "cat", predicted: "dog" },
    ],
  );
  assertClose(evaluation.mistakes[0].loss, Math.log(1 + Math.exp(5)), 1e-12, "loss");
  assertClose(evaluation.mistakes[0].probability, 1 / (1 + Math.exp(-5)), 1e-12, "probability");
  assert.deepEqual(createEvaluation({ ...input, keepMistakes: 1 }).mistakes.map((mistake) => mistake.name), [
    "b",
  ]);
  assert.equal(createEvaluation({ ...input, samples: undefined }).mistakes[0].name, "sample 1");
});

Deno.test("createEvaluation() is plain data: JSON keeps all of it", () => {
  const evaluation = createEvaluation({
    logits: [[1, 0], [2, 0]],
    labels: [0, 1],
    classNames: ["cat", "dog"],
    complexity: { gflops: 0.769, megaParams: 4.14 },
  });
  assert.deepEqual(JSON.parse(JSON.stringify(evaluation)), evaluation);
  assert.deepEqual(Object.keys(evaluation).sort(), [
    "calibrationError",
    "classNames",
    "complexity",
    "confusionMatrix",
    "loss",
    "mAP",
    "meanTop1",
    "meanTop5",
    "mistakeCount",
    "mistakes",
    "perClass",
    "reliability",
    "sampleCount",
    "top1",
    "top1Interval",
    "top5",
  ]);
});

Deno.test("createEvaluation() refuses names, samples and logits that do not fit together", () => {
  assert.throws(() => createEvaluation({ logits: [[1, 0]], labels: [0], classNames: ["cat"] }), {
    name: "TypeError",
    message: "Cannot evaluate: found 2 logits a row and 1 class names, wanted one name a logit",
  });
  assert.throws(
    () => createEvaluation({ logits: [[1, 0]], labels: [0], classNames: ["cat", "dog"], samples: [] }),
    {
      name: "TypeError",
      message: "Cannot evaluate: found 1 rows of logits and 0 samples, wanted one a row",
    },
  );
  assert.throws(
    () => createEvaluation({ logits: [[1, 0]], labels: [0], classNames: ["cat", "dog"], keepMistakes: -1 }),
    {
      name: "RangeError",
      message: "Cannot evaluate: found keepMistakes -1, wanted a whole number of at least 0",
    },
  );
  assert.throws(
    () => createEvaluation({ logits: [[1, NaN]], labels: [0], classNames: ["cat", "dog"] }),
    /^RangeError: Cannot evaluate: 1 of 1 rows hold scores that are not finite numbers/,
  );
});
