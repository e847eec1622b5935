import assert from "node:assert/strict";
import { currentBackend, startBackend } from "../../lib/tensorflow/backend.ts";
import { currentEngine } from "../../lib/tensorflow/engine.ts";
import { tf } from "../../lib/tensorflow/mod.ts";
import { handleCount } from "../../lib/tensorflow/native_tensor.ts";

Deno.test("startBackend() makes TensorFlow tfjs's only backend, once", async () => {
  const { backend } = currentBackend();
  assert.equal(await startBackend(), currentEngine());
  assert.equal(currentBackend().backend, backend);
  assert.equal(tf.getBackend(), "tensorflow");
  assert.equal(tf.backend(), backend);
  // Without these an operation could silently run in JavaScript.
  for (const name of ["cpu", "webgl"]) assert.equal(tf.findBackendFactory(name), null);
});

Deno.test("currentBackend().binding counts native tensors as tfjs makes and disposes of them", () => {
  const { binding } = currentBackend();
  const before = binding.getNumOfTensors();
  const a = tf.tensor1d([1, 2]); // stays in JavaScript until it is used
  assert.equal(binding.getNumOfTensors(), before);
  const b = tf.neg(a);
  assert.equal(binding.getNumOfTensors(), before + 2);
  const c = b.clone(); // shares the native tensor
  assert.equal(binding.getNumOfTensors(), before + 2);
  b.dispose();
  assert.deepEqual([...c.dataSync()], [-1, -2]);
  tf.dispose([a, c]);
  assert.equal(binding.getNumOfTensors(), before);
});

Deno.test("tf.tidy() and tf.grads() leave no native tensor behind", () => {
  const before = [handleCount(), tf.memory().numTensors];
  for (let i = 0; i < 50; i++) {
    tf.tidy(() => {
      const x = tf.randomNormal<tf.Rank.R4>([2, 6, 6, 3]), w = tf.randomNormal<tf.Rank.R4>([3, 3, 3, 4]);
      const loss = (x: tf.Tensor, w: tf.Tensor) =>
        tf.mean(tf.relu6(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same"))) as tf.Scalar;
      tf.grads(loss)([x, w]);
    });
  }
  assert.deepEqual([handleCount(), tf.memory().numTensors], before);
});

Deno.test("tf.data() of asynchronous reads works", async () => {
  const x = tf.mul([1, 2], 3);
  assert.deepEqual([...await x.data()], [3, 6]);
  x.dispose();
});

Deno.test("tf.mean() of int32 and bool, and tf.round() of int32, are right", () => {
  tf.tidy(() => {
    assert.deepEqual(tf.mean(tf.tensor1d([1, 2, 4], "int32")).arraySync(), Math.fround(7 / 3));
    assert.equal(tf.mean(tf.tensor1d([true, false, true, true])).arraySync(), 0.75);
    assert.deepEqual(tf.round(tf.tensor1d([-12345678, 0, 7], "int32")).arraySync(), [-12345678, 0, 7]);
    assert.deepEqual(tf.round(tf.tensor1d([-1.5, 0.5, 2.5, 2.6])).arraySync(), [-2, 0, 2, 3]);
  });
});

Deno.test("tf.gather() op by op names an index that is out of range", () => {
  tf.tidy(() => {
    assert.throws(
      () => tf.gather(tf.tensor1d([1, 2, 3]), [5]),
      /^Error: GatherV2: the index value 5 is not in \[0, 2\]$/,
    );
  });
});
