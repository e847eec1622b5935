import assert from "node:assert/strict";
import { cosineScale } from "../../lib/models/classifier.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { headOfLoss, marginOf, scaleOf, withMargin } from "../../lib/training/am_softmax.ts";

Deno.test("cosineScale() follows the number of classes, as OpenVINO Training Extensions' compute_s", () => {
  const wanted = {
    10: 3.107,
    37: 5.07,
    47: 5.41,
    100: 6.5,
    101: 6.51,
    102: 6.53,
    196: 7.46,
    397: 8.46,
    500: 8.79,
  };
  for (const [classes, scale] of Object.entries(wanted)) {
    const digits = String(scale).split(".")[1]!.length;
    assert.ok(Math.abs(cosineScale(Number(classes)) - scale) <= 0.51 * 10 ** -digits, classes);
  }
  for (const classes of [1, 2, 5, 9]) assert.equal(cosineScale(classes), 3);
});

Deno.test("withMargin() takes scale times margin off the true class's score, and off no other", async () => {
  const scale = 4, margin = 0.35;
  const cosines = [[0.9, -0.2, 0.1], [0.3, 0.5, -1]];
  const found = tf.tidy(() =>
    withMargin(
      tf.tensor2d(cosines.map((row) => row.map((value) => scale * value))),
      tf.tensor1d([0, 2], "int32"),
      tf.scalar(scale),
      margin,
    )
  );
  const wanted = [[4 * 0.55, -0.8, 0.4], [1.2, 2, 4 * -1.35]];
  const rows = await found.array();
  rows.forEach((row, i) => row.forEach((value, j) => assert.ok(Math.abs(value - wanted[i]![j]!) < 1e-6)));
  found.dispose();
});

Deno.test("losses have the classifier, margin and scale that belong to them", () => {
  assert.deepEqual(["softmax", "amSoftmax", "cosineSoftmax"].map((loss) => headOfLoss(loss as "softmax")), [
    "linear",
    "cosine",
    "cosine",
  ]);
  assert.equal(marginOf({ loss: "amSoftmax" }), 0.35);
  assert.equal(marginOf({ loss: "amSoftmax", margin: 0.2 }), 0.2);
  assert.equal(marginOf({ loss: "cosineSoftmax" }), 0);
  assert.equal(scaleOf({ loss: "amSoftmax" }, 37), cosineScale(37));
  assert.equal(scaleOf({ loss: "cosineSoftmax" }, 37), 1); // what the reference's code trained auxiliary models with
  assert.equal(scaleOf({ loss: "amSoftmax", scale: 30 }, 37), 30);
});
