import assert from "node:assert/strict";
import { currentBackend } from "../../lib/tensorflow/backend.ts";
import { toTensorId, toValueId } from "../../lib/tensorflow/binding.ts";
import { dtypeName } from "../../lib/tensorflow/dtypes.ts";
import { rawOperator, tf } from "../../lib/tensorflow/mod.ts";
import { handleCount } from "../../lib/tensorflow/native_tensor.ts";

const { binding } = currentBackend();
const float = { T: { kind: "dtype", value: "float32" } } as const;

/** Checks the whole text of an error, and that no native tensor stays behind. */
function refuses(run: () => unknown, message: string): void {
  const before = handleCount();
  assert.throws(run, (error: Error) => {
    assert.equal(error.message, message);
    return true;
  });
  assert.equal(handleCount(), before);
}

Deno.test("createTensor() carries every dtype to TensorFlow and back", () => {
  for (
    const [type, values, found] of [
      [binding.TF_FLOAT, [1.5, -2], new Float32Array([1.5, -2])],
      [binding.TF_INT32, [-3, 2 ** 31 - 1], new Int32Array([-3, 2 ** 31 - 1])],
      [binding.TF_INT64, [-3, 2 ** 40], new BigInt64Array([-3n, 2n ** 40n])],
      [binding.TF_UINT8, [0, 255], new Uint8Array([0, 255])],
      [binding.TF_BOOL, [0, 1], new Uint8Array([0, 1])],
    ] as const
  ) {
    const before = handleCount();
    const id = binding.createTensor([2], type, values);
    assert.equal(handleCount(), before + 1);
    assert.deepEqual(binding.tensorDataSync(id), found, dtypeName(type));
    binding.deleteTensor(id);
    assert.equal(handleCount(), before);
  }
});

Deno.test("createTensor() carries scalars, tensors without elements, and views of larger buffers", () => {
  const roundTrip = (shape: number[], values: Float32Array) => {
    const id = binding.createTensor(shape, binding.TF_FLOAT, values);
    const found = binding.tensorDataSync(id);
    binding.deleteTensor(id);
    return found;
  };
  assert.deepEqual(roundTrip([], new Float32Array([3])), new Float32Array([3]));
  assert.deepEqual(roundTrip([2, 0, 3], new Float32Array()), new Float32Array());
  assert.deepEqual(roundTrip([2], new Float32Array([1, 2, 3, 4]).subarray(1, 3)), new Float32Array([2, 3]));
});

Deno.test("createTensor() copies: neither side sees what the other writes", () => {
  const values = new Float32Array([1, 2]);
  const id = binding.createTensor([2], binding.TF_FLOAT, values);
  values.fill(0);
  (binding.tensorDataSync(id) as Float32Array).fill(0);
  assert.deepEqual(binding.tensorDataSync(id), new Float32Array([1, 2]));
  binding.deleteTensor(id);
});

Deno.test("createTensor() refuses a wrong number of values, and strings", () => {
  refuses(
    () => binding.createTensor([2, 3], binding.TF_FLOAT, new Float32Array(5)),
    "Cannot make a tensor of shape [2,3]: it needs 6 values, and 5 were given",
  );
  const text = tf.tensor1d(["a", "b"]);
  assert.deepEqual(text.arraySync(), ["a", "b"]); // strings stay in JavaScript until an operator wants them
  refuses(
    () => tf.tile(text, [2]),
    "Cannot compute with a string tensor: numbers and booleans only cross to TensorFlow\n" +
      "  help: keep strings in JavaScript, and compute with their indices",
  );
  text.dispose();
});

Deno.test("executeOp() names status code, operator and input shapes when TensorFlow refuses", () => {
  const [a, b, scalar] = [tf.fill([2, 3], 1), tf.fill([4, 5], 1), tf.fill([], 1)];
  refuses(
    () => rawOperator("MatMul", [a!, b!], float),
    "Cannot run MatMul(float32[2,3], float32[4,5]): INVALID_ARGUMENT (3): Matrix size-incompatible: In[0]: [2,3], " +
      "In[1]: [4,5]",
  );
  refuses(
    () => rawOperator("Softmax", [scalar!], float),
    "Cannot run Softmax(float32[]): INVALID_ARGUMENT (3): logits must have >= 1 dimension, got []",
  );
  tf.dispose([a, b, scalar]);
});

Deno.test("executeOp() refuses unknown operators and a wrong number of outputs", () => {
  const x = tf.ones([2]);
  tf.neg(x).dispose(); // now it is on the native side
  assert.throws(
    () => rawOperator("NoSuchOperator", [x], {}),
    /^Error: Cannot run NoSuchOperator\(float32\[2\]\): NOT_FOUND \(5\): /,
  );
  refuses(() => rawOperator("Relu", [x], float, 2), "Cannot run Relu: it has 1 outputs, wanted 2");
  x.dispose();
});

Deno.test("executeOp() goes on after an error", () => {
  for (let i = 0; i < 100; i++) {
    tf.tidy(() => {
      assert.throws(() => tf.matMul(tf.ones([2, 3]), tf.ones([2, 3])));
      assert.throws(() => rawOperator("MatMul", [tf.ones([2, 3]), tf.ones([2, 3])], float));
      assert.deepEqual([...tf.matMul(tf.ones([1, 2]), tf.ones([2, 1])).dataSync()], [2]);
    });
  }
});

Deno.test("rawOperator() passes attributes of every kind", () => {
  tf.tidy(() => {
    const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
    const [pooled] = rawOperator("MaxPool", [x], {
      ...float,
      ksize: { kind: "ints", value: [1, 2, 2, 1] },
      strides: { kind: "ints", value: [1, 2, 2, 1] },
      padding: { kind: "string", value: "VALID" },
      explicit_paddings: { kind: "ints", value: [] },
    });
    assert.deepEqual(pooled!.arraySync(), [[[[4]]]]);
    const [leaky] = rawOperator("LeakyRelu", [tf.tensor1d([-2])], {
      ...float,
      alpha: { kind: "float", value: 0.25 },
    });
    assert.deepEqual(leaky!.arraySync(), [-0.5]);
    const [sum] = rawOperator("Sum", [x, tf.tensor1d([1, 2], "int32")], {
      ...float,
      keep_dims: { kind: "bool", value: true },
      Tidx: { kind: "dtype", value: "int32" },
    });
    assert.deepEqual(sum!.shape, [1, 1, 1, 1]);
    const copies = rawOperator("IdentityN", [x, tf.scalar(1, "int32")], {
      T: { kind: "dtypes", value: ["float32", "int32"] },
    }, 2);
    assert.deepEqual(copies.map(({ dtype }) => dtype), ["float32", "int32"]);
    const [hint] = rawOperator("PlaceholderWithDefault", [tf.ones([2])], {
      dtype: { kind: "dtype", value: "float32" },
      shape: { kind: "shape", value: [2] },
    });
    assert.deepEqual(hint!.arraySync(), [1, 1]);
    assert.throws(
      () =>
        rawOperator("Const", [], {
          value: { kind: "tensor", value: { dtype: "float32", shape: [], data: new Float32Array(1) } },
        }),
      /^TypeError: Cannot pass attribute value: give tensors as inputs$/,
    );
  });
});

Deno.test("handle() says that a tensor was disposed", () => {
  const id = binding.createTensor([1], binding.TF_FLOAT, [1]);
  binding.deleteTensor(id);
  binding.deleteTensor(id); // does nothing
  refuses(() => binding.tensorDataSync(id), `Cannot use native tensor ${id}: it was disposed`);
});

Deno.test("toTensorId() and toValueId() are inverse, and never give -1, which tfjs uses itself", () => {
  for (const value of [0, 1, 2, 1000]) {
    assert.equal(toValueId(toTensorId(value)), value);
    assert.ok(toTensorId(value) < -1);
  }
});

Deno.test("loadSavedModel() is refused", () => {
  refuses(
    () => binding.loadSavedModel(),
    "Cannot load a SavedModel: Whittle's binding does not implement it",
  );
});
