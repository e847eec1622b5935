import assert from "node:assert/strict";
import { tf } from "../../lib/tensorflow/mod.ts";
import { mutualLoss } from "../../lib/training/mutual_learning.ts";

/** Three networks, two pictures, two classes, with probabilities that can be written down. */
const scores = [
  [[0, 0], [Math.log(3), 0]], // 1/2 1/2 and 3/4 1/4
  [[Math.log(3), 0], [0, 0]], // 3/4 1/4 and 1/2 1/2
  [[0, Math.log(3)], [0, Math.log(3)]], // 1/4 3/4 twice
];
const probabilities = [[[1 / 2, 1 / 2], [3 / 4, 1 / 4]], [[3 / 4, 1 / 4], [1 / 2, 1 / 2]], [
  [1 / 4, 3 / 4],
  [1 / 4, 3 / 4],
]];
/** The mean of the three, each picture's. */
const mean = [[1 / 2, 1 / 2], [1 / 2, 1 / 2]];

Deno.test("mutualLoss() is each network's cross-entropy with the mean of all, averaged", async () => {
  const loss = tf.tidy(() => mutualLoss(scores.map((rows) => tf.tensor2d(rows))));
  const unequal = -(Math.log(3 / 4) + Math.log(1 / 4)) / 2; // of a network that is sure by 3 to 1
  const each = [(Math.LN2 + unequal) / 2, (unequal + Math.LN2) / 2, unequal];
  const wanted = (each[0]! + each[1]! + each[2]!) / 3;
  assert.ok(Math.abs((await loss.data())[0]! - wanted) < 1e-6);
  loss.dispose();
});

Deno.test("mutualLoss() pulls each network to the mean, which no gradient moves", async () => {
  const inputs = scores.map((rows) => tf.tensor2d(rows));
  const gradients = tf.grads((...logits: tf.Tensor[]) => mutualLoss(logits as tf.Tensor2D[]))(inputs);
  for (const [network, gradient] of gradients.entries()) {
    const found = await gradient.array() as number[][];
    found.forEach((row, picture) =>
      row.forEach((value, label) => {
        // of the cross-entropy with soft targets: (probability - target) / pictures, over three networks
        const wanted = (probabilities[network]![picture]![label]! - mean[picture]![label]!) / 2 / 3;
        assert.ok(Math.abs(value - wanted) < 1e-6, `${network} ${picture} ${label}: ${value}, not ${wanted}`);
      })
    );
  }
  tf.dispose([...inputs, ...gradients]);
});
