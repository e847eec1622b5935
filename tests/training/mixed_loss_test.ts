import assert from "node:assert/strict";
import type { Batch } from "../../lib/data/loader.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { withMargin } from "../../lib/training/am_softmax.ts";
import { crossEntropy } from "../../lib/training/losses.ts";
import { labelInputs, mixedLoss } from "../../lib/training/mixed_loss.ts";
import { assertStored, gradients, run, type Stored, values } from "../operators/_check.ts";

interface Oracle {
  rows: number;
  classes: number;
  labels: number[];
  losses: { share: number; labelSmoothing: number; logits: number[]; loss: number; gradient: Stored }[];
}
const { rows, classes, labels, losses }: Oracle = JSON.parse(
  Deno.readTextFileSync(new URL("../oracles/augment/mixing.json", import.meta.url)),
);
const otherLabels = labels.toReversed();

/** The loss of mixed labels by cross-entropy, perhaps with a margin. */
function lossOf(logits: tf.Tensor, share: number, labelSmoothing: number, margin = 0): tf.Scalar {
  return mixedLoss(
    (labels) =>
      crossEntropy(withMargin(logits as tf.Tensor2D, labels, tf.scalar(1), margin), labels, {
        labelSmoothing,
      }),
    tf.tensor1d(labels, "int32"),
    { otherLabels: tf.tensor1d(otherLabels, "int32"), labelWeight: tf.scalar(share) },
  );
}

for (const { share, labelSmoothing, logits, ...wanted } of losses) {
  const name = `${share} of a label, smoothing ${labelSmoothing}`;
  Deno.test(`mixedLoss() equals timm's SoftTargetCrossEntropy, gradient included: ${name}`, async () => {
    const loss = ({ logits }: Record<string, tf.Tensor>) => lossOf(logits!, share, labelSmoothing);
    const found = await run((inputs) => ({
      loss: loss(inputs),
      ...gradients(loss, inputs, ["logits"], tf.scalar(1)),
    }), { logits: values(logits, [rows, classes]) });
    assert.ok(Math.abs(found.loss!.data[0]! - wanted.loss) <= 1e-6 * wanted.loss);
    assertStored(found.logits, wanted.gradient, 1e-6, "gradient");
  });
}

Deno.test("mixedLoss() takes a margin off each label in its own loss", async () => {
  const { logits, share } = losses[1]!, margin = 0.35;
  const found = await run(({ logits }) => ({ loss: lossOf(logits!, share, 0, margin) }), {
    logits: values(logits, [rows, classes]),
  });
  const loss = (labels: readonly number[]) =>
    labels.reduce((sum, label, row) => {
      const scores = logits.slice(row * classes, (row + 1) * classes)
        .map((score, index) => index === label ? score - margin : score);
      return sum + Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0)) - scores[label]!;
    }, 0) / rows;
  const wanted = share * loss(labels) + (1 - share) * loss(otherLabels);
  assert.ok(Math.abs(found.loss!.data[0]! - wanted) < 1e-6 * wanted);
});

Deno.test("mixedLoss() of pictures that are not mixed is the loss itself", () => {
  const labels = tf.tensor1d([1], "int32"), loss = tf.scalar(2);
  assert.equal(mixedLoss((given) => given === labels ? loss : assert.fail(), labels, undefined), loss);
});

Deno.test("labelInputs() gives what a step takes", () => {
  const batch: Batch = {
    images: new Uint8Array(6),
    labels: Int32Array.of(3, 1),
    indices: Int32Array.of(0, 1),
    count: 2,
  };
  const plain = { labels: { dtype: "int32", shape: [2], data: batch.labels } };
  assert.deepEqual(labelInputs(batch), plain);
  assert.deepEqual(labelInputs({ ...batch, otherLabels: Int32Array.of(1, 3), labelWeight: 0.75 }), {
    ...plain,
    otherLabels: { dtype: "int32", shape: [2], data: Int32Array.of(1, 3) },
    labelWeight: { dtype: "float32", shape: [], data: Float32Array.of(0.75) },
  });
});
