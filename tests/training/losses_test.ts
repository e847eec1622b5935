import assert from "node:assert/strict";
import { tf } from "../../lib/tensorflow/mod.ts";
import { crossEntropy } from "../../lib/training/losses.ts";
import { assertStored, generate, gradients, readCases, run, type Stored } from "../operators/_check.ts";

interface Case {
  name: string;
  labels: number[];
  weighted: boolean;
  labelSmoothing: number;
  scale: number;
  shapes: { logits: number[]; weights: number[] };
  loss: number;
  gradient: Stored;
}

for (
  const { name, labels, weighted, labelSmoothing, scale, shapes, ...wanted } of readCases<Case>(
    "cross_entropy",
  )
) {
  Deno.test(`crossEntropy() equals PyTorch's, gradient included: ${name}`, async () => {
    const classWeights = generate(`${name}.weights`, shapes.weights, 0.5, 1).data;
    const loss = ({ logits }: Record<string, tf.Tensor>) =>
      crossEntropy(logits as tf.Tensor2D, tf.tensor1d(labels, "int32"), {
        labelSmoothing,
        ...(weighted ? { classWeights } : {}),
      });
    const found = await run((inputs) => ({
      loss: loss(inputs),
      ...gradients(loss, inputs, ["logits"], tf.scalar(1)),
    }), { logits: generate(`${name}.logits`, shapes.logits, scale) });
    assert.ok(Math.abs(found.loss!.data[0]! - wanted.loss) <= 1e-6 * Math.max(1, wanted.loss));
    assertStored(found.logits, wanted.gradient, 1e-6, "gradient");
  });
}

Deno.test("crossEntropy() of a batch whose classes all weigh 0 is 0, and so is its gradient", async () => {
  const loss = ({ logits }: Record<string, tf.Tensor>) =>
    crossEntropy(logits as tf.Tensor2D, tf.tensor1d([1, 1], "int32"), { classWeights: [2, 0, 1] });
  const found = await run((inputs) => ({
    loss: loss(inputs),
    ...gradients(loss, inputs, ["logits"], tf.scalar(1)),
  }), { logits: generate("zero weights", [2, 3]) });
  assert.equal(Math.abs(found.loss!.data[0]!), 0);
  assert.deepEqual([...found.logits!.data].map(Math.abs), [0, 0, 0, 0, 0, 0]);
});
