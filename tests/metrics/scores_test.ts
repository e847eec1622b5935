import assert from "node:assert/strict";
import { calibrationError } from "../../lib/metrics/calibration_error.ts";
import { logLoss, sampleLosses } from "../../lib/metrics/log_loss.ts";
import { averagePrecisionPerClass, meanAveragePrecision } from "../../lib/metrics/mean_average_precision.ts";
import { checkScores, type Labels, type Scores } from "../../lib/metrics/scores.ts";
import { meanTopKAccuracy, topKAccuracy } from "../../lib/metrics/top_k.ts";

Deno.test("checkScores() gives the lengths of the axes", () => {
  assert.deepEqual(checkScores("count", [[1, 2, 3], [4, 5, 6]], [0, 2]), { samples: 2, classes: 3 });
  assert.deepEqual(checkScores("count", [Float32Array.of(-1e30)], Int32Array.of(0)), {
    samples: 1,
    classes: 1,
  });
});

Deno.test("checkScores() refuses rows and labels that differ in number", () => {
  assert.throws(() => checkScores("compute the loss", [[1, 2]], [0, 1]), {
    name: "TypeError",
    message: "Cannot compute the loss: found 1 rows of scores and 2 labels, wanted one label a row",
  });
});

Deno.test("checkScores() refuses no samples and no classes", () => {
  assert.throws(() => checkScores("compute the loss", [], []), {
    name: "RangeError",
    message: "Cannot compute the loss: there are no samples\n  help: pass at least one labelled sample",
  });
  assert.throws(() => checkScores("compute the loss", [[]], [0]), {
    name: "RangeError",
    message: "Cannot compute the loss: row 0 of the scores is empty, wanted a score per class",
  });
});

Deno.test("checkScores() refuses rows of different lengths", () => {
  assert.throws(() => checkScores("compute the loss", [[1, 2], [1], [1, 2, 3]], [0, 0, 0]), {
    name: "TypeError",
    message: "Cannot compute the loss: 2 of 3 rows of scores have another length than row 0, wanted 2\n" +
      "  row 1: found 1 scores\n  row 2: found 3 scores",
  });
});

Deno.test("checkScores() refuses labels that are no class, naming the first three", () => {
  assert.throws(() => checkScores("compute the loss", Array(5).fill([1, 2]), [2, -1, 0.5, 7, 0]), {
    name: "RangeError",
    message:
      "Cannot compute the loss: 4 of 5 rows have a label that is no class, wanted a whole number from 0 to 1\n" +
      "  row 0: found label 2\n  row 1: found label -1\n  row 2: found label 0.5\n  (and 1 more)\n" +
      "  help: check that the data set and the model have the same classes",
  });
});

Deno.test("checkScores() refuses scores that are NaN or infinite", () => {
  assert.throws(() => checkScores("compute the loss", [[1, NaN], [1, 2], [-Infinity, NaN]], [0, 0, 0]), {
    name: "RangeError",
    message: "Cannot compute the loss: 2 of 3 rows hold scores that are not finite numbers\n" +
      "  row 0: the score of class 1 is NaN\n  row 2: the score of class 0 is -Infinity\n" +
      "  help: a model whose training diverged gives such scores; train again with a lower learning rate",
  });
});

Deno.test("every metric of scores refuses NaN", () => {
  const metrics: Record<string, (scores: Scores, labels: Labels) => unknown> = {
    averagePrecisionPerClass,
    calibrationError,
    logLoss,
    meanAveragePrecision,
    meanTopKAccuracy: (scores, labels) => meanTopKAccuracy(scores, labels, 1),
    sampleLosses,
    topKAccuracy: (scores, labels) => topKAccuracy(scores, labels, 1),
  };
  for (const [name, metric] of Object.entries(metrics)) {
    assert.throws(() => metric([[0, NaN]], [0]), /1 of 1 rows hold scores that are not finite numbers/, name);
  }
});
