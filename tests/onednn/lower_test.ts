import assert from "node:assert/strict";
import type { Attribute, Graph, TensorSpec } from "../../lib/graph/graph.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { CannotLower, lower } from "../../lib/onednn/lower.ts";
import { rawOperator } from "../../lib/tensorflow/backend.ts";
import { compile } from "../../lib/tensorflow/compile.ts";
import { openExecutor } from "../../lib/tensorflow/executor.ts";
import { record } from "../../lib/tensorflow/record.ts";
import { tf } from "../../lib/tensorflow/tf.ts";
import { assertSame, compileFor, tensor } from "./_compare.ts";

const f32 = (...shape: number[]) => ({ dtype: "float32" as const, shape });
const dtype = (value: TensorSpec["dtype"]): Attribute => ({ kind: "dtype", value });
const string = (value: string): Attribute => ({ kind: "string", value });

/** One node with inputs and constants. */
function graphOf(
  op: string,
  inputs: readonly (TensorSpec | HostTensor)[],
  output: TensorSpec,
  attributes: Record<string, Attribute> = {},
): Graph {
  const isConstant = (input: TensorSpec | HostTensor): input is HostTensor => "data" in input;
  const values = inputs.map((input, id) => ({ id, input }));
  return {
    name: "one",
    inputs: values.filter(({ input }) => !isConstant(input)).map(({ id, input }) => ({
      id,
      name: `x${id}`,
      dtype: input.dtype,
      shape: input.shape,
    })),
    nodes: [
      ...values.flatMap(({ id, input }) =>
        isConstant(input)
          ? [{
            op: "Const",
            inputs: [],
            attributes: { dtype: dtype(input.dtype), value: { kind: "tensor", value: input } as const },
            outputs: [{ id, dtype: input.dtype, shape: input.shape }],
          }]
          : []
      ),
      { op, inputs: values.map(({ id }) => id), attributes, outputs: [{ id: inputs.length, ...output }] },
    ],
    outputs: [{ name: "y", value: inputs.length }],
  };
}

const int32 = (...numbers: number[]): HostTensor => ({
  dtype: "int32",
  shape: [numbers.length],
  data: Int32Array.from(numbers),
});

Deno.test("lower() refuses what would be computed wrong, and says what", () => {
  const int = { dtype: "int32" as const, shape: [4, 4] };
  const nchw = { data_format: string("NCHW") };
  const convolution = { strides: { kind: "ints", value: [1, 1, 1, 1] } as const, padding: string("VALID") };
  const picture = f32(2, 3, 3, 4);
  const cases: [Graph, string][] = [
    [
      graphOf("NoSuchOperator", [f32(2)], f32(2)),
      "NoSuchOperator(float32[2]): float32[2]: there is no rule for it",
    ],
    [
      graphOf("Sum", [f32(2), { dtype: "int32", shape: [1] }], f32()),
      "Sum(float32[2], int32[1]): float32[]: its input 1 is no constant",
    ],
    [
      graphOf("Mean", [int, int32(0)], { dtype: "int32", shape: [4] }),
      "Mean(int32[4,4], int32[1]): int32[4]: a mean of whole numbers is rounded",
    ],
    [
      graphOf("MatMul", [int, int], int),
      "MatMul(int32[4,4], int32[4,4]): int32[4,4]: its numbers are not float32",
    ],
    [
      graphOf("BatchMatMulV2", [f32(2, 3), f32(5, 3, 4)], f32(5, 2, 4)),
      "BatchMatMulV2(float32[2,3], float32[5,3,4]): float32[5,2,4]: matrices are stacked",
    ],
    [
      graphOf("BiasAdd", [f32(2, 3, 4, 4), f32(3)], f32(2, 3, 4, 4), nchw),
      "BiasAdd(float32[2,3,4,4], float32[3]): float32[2,3,4,4]: data_format is not NHWC",
    ],
    [
      graphOf("Conv2D", [picture, f32(3, 3, 2, 4)], f32(2, 1, 1, 4), convolution),
      "Conv2D(float32[2,3,3,4], float32[3,3,2,4]): float32[2,1,1,4]: the convolution is grouped",
    ],
    [
      graphOf("Conv2D", [f32(2, 7, 7, 4), f32(3, 3, 4, 4)], f32(2, 3, 3, 4), {
        ...convolution,
        dilations: { kind: "ints", value: [1, 2, 2, 1] },
      }),
      "Conv2D(float32[2,7,7,4], float32[3,3,4,4]): float32[2,3,3,4]: the filter is dilated",
    ],
    [
      graphOf("DepthwiseConv2dNative", [picture, f32(3, 3, 4, 2)], f32(2, 1, 1, 8), convolution),
      "DepthwiseConv2dNative(float32[2,3,3,4], float32[3,3,4,2]): float32[2,1,1,8]: a depthwise filter has a channel multiplier",
    ],
    [
      graphOf("PadV2", [f32(2), { ...int32(0, 1), shape: [1, 2] }, f32()], f32(3)),
      "PadV2(float32[2], int32[1,2], float32[]): float32[3]: it is padded with what is no constant",
    ],
    [
      graphOf("Add", [{ dtype: "int32", shape: [1] }, int32(2 ** 24 + 1)], { dtype: "int32", shape: [1] }),
      "Const(): int32[1]: whole numbers are computed in float32, which is exact up to 16777216",
    ],
    [
      graphOf("Neg", [{ dtype: "int64", shape: [2] }], { dtype: "int64", shape: [2] }),
      "input x0: int64 is not supported",
    ],
    [
      graphOf("Identity", [{ dtype: "int64", shape: [1], data: BigInt64Array.of(3n) }], {
        dtype: "int64",
        shape: [1],
      }),
      "Identity(int64[1]): int64[1]: int64 is not supported",
    ],
  ];
  for (const [graph, problem] of cases) {
    assert.throws(() => lower(graph, new Set()), (thrown: Error) => {
      assert.ok(thrown instanceof CannotLower);
      assert.equal(
        thrown.message,
        `Cannot compile one for oneDNN: it has what this executor does not know\n  ${problem}\n` +
          `  help: pass { executor: "tensorflow" } or { executor: "auto" }`,
      );
      return true;
    });
  }
});

Deno.test("what runs over more axes than loops can be nested goes to TensorFlow", async () => {
  const axes = [6, 5, 4, 3, 2, 1, 0], shape = [2, 3, 2, 3, 2, 3, 2];
  const graph = record(({ x }) => ({ y: tf.transpose(x, axes) }), { x: f32(...shape) });
  await assert.rejects(
    compileFor(1, graph),
    (error) =>
      error instanceof CannotLower &&
      error.message.includes("Transpose runs over 7 axes that cannot be joined, and 6 are the most"),
  );
  await openExecutor(); // or compile() takes TensorFlow anyway
  await using compiled = compile(graph);
  assert.equal(compiled.executor.name, "tensorflow");
  const { y } = await compiled.run({ x: tensor(shape) });
  assert.deepEqual(y!.shape, [...shape].reverse());
});

Deno.test("lower() names five problems of more", () => {
  const nodes = Array.from({ length: 7 }, (_, index) => ({
    op: `None${index}`,
    inputs: [0],
    attributes: {},
    outputs: [{ id: index + 1, ...f32(2) }],
  }));
  const graph: Graph = {
    name: "many",
    inputs: [{ id: 0, name: "x", ...f32(2) }],
    nodes,
    outputs: nodes.map(({ outputs }, index) => ({ name: `y${index}`, value: outputs[0]!.id })),
  };
  assert.throws(() => lower(graph, new Set()), /None4\(float32\[2\]\).*\n {2}\(and 2 more\)\n {2}help: /);
});

Deno.test("lower() takes axes of int64", async () => {
  const axes: HostTensor = { dtype: "int64", shape: [1], data: BigInt64Array.of(1n) };
  await assertSame(graphOf("Sum", [f32(5, 3), axes], f32(5), { T: dtype("float32"), Tidx: dtype("int64") }), {
    x0: tensor([5, 3]),
  });
});

const batch = (fn: (inputs: Record<string, tf.Tensor>) => tf.Tensor, ...shapes: number[][]) =>
  record(
    (inputs) => ({ y: fn(inputs) }),
    Object.fromEntries(shapes.map((shape, index) => ["abc"[index]!, f32(...shape)])),
  );

Deno.test("lower() splits a batch only where every row is computed from the same rows", () => {
  const split: [Graph, number][] = [
    [batch(({ a }) => tf.softmax(a!), [5, 3]), 5],
    [batch(({ a, b }) => tf.add(a!, b!), [5, 3], [5, 1]), 5],
    [batch(({ a }) => tf.sum(a!, 0), [5, 3]), 5],
    [batch(({ a, b }) => tf.matMul(a! as tf.Tensor2D, b! as tf.Tensor2D, true), [5, 3], [5, 4]), 5],
    [batch(({ a }) => tf.reshape(a!, [5, 6]), [5, 2, 3]), 5],
    // These mix rows.
    [batch(({ a }) => tf.transpose(a!), [5, 3]), 1],
    [batch(({ a }) => tf.matMul(a! as tf.Tensor2D, a! as tf.Tensor2D, false, true), [5, 3]), 1],
    [batch(({ a }) => tf.reshape(a!, [3, 5]), [5, 3]), 1],
    [batch(({ a }) => tf.concat([a!, a!], 0), [5, 3]), 1],
    [batch(({ a }) => tf.slice(a!, [1, 0], [3, 3]), [5, 3]), 1],
    [batch(({ a }) => tf.pad2d(a! as tf.Tensor2D, [[1, 0], [0, 0]]), [5, 3]), 1],
    [batch(({ a, b }) => tf.add(a!, b!), [3, 3], [3]), 1],
    [
      batch(({ a, b }) => tf.conv2d(a! as tf.Tensor4D, b! as tf.Tensor4D, 1, "same"), [3, 4, 4, 2], [
        3,
        3,
        2,
        2,
      ]),
      1,
    ],
    // No common batch, or one that cannot be split.
    [batch(({ a, b }) => tf.add(a!, b!), [5, 3], [1, 3]), 1],
    [batch(({ a }) => tf.neg(a!), [1, 3]), 1],
    [batch(({ a }) => tf.neg(a!), [0, 3]), 1],
    [batch(({ a }) => tf.neg(a!), []), 1],
  ];
  for (const [index, [graph, batchSize]] of split.entries()) {
    assert.equal(lower(graph, new Set()).batchSize, batchSize, `case ${index}`);
  }
});

Deno.test("what mixes the rows of a batch is computed whole, and right", async () => {
  const shape = [5, 4];
  const graph = record(({ x }) => {
    const y = tf.mul(x, 2) as tf.Tensor2D;
    return {
      product: tf.matMul(y, y, false, true),
      turned: tf.transpose(tf.add(tf.transpose(y), 1)),
      overRows: tf.transpose(tf.softmax(tf.transpose(y))),
      reversedPair: tf.concat([tf.slice(y, [3, 0], [2, 4]), tf.slice(y, [0, 0], [3, 4])], 0),
      flat: tf.reshape(y, [-1]),
      gram: tf.matMul(y, y, true),
      mean: tf.sub(y, tf.mean(y, 0, true)),
    };
  }, { x: f32(...shape) });
  await assertSame(graph, { x: tensor(shape, 3) }, 1e-6, { threads: [1, 2, 3] });
});

Deno.test("lower() takes a square that is its own transposed", async () => {
  // The transposed is read in loops of the same lengths as those that write what it is a view of.
  const graph = record(({ x }) => {
    const y = tf.exp(x);
    return { y, sum: tf.add(y, tf.transpose(y)), back: tf.mul(tf.transpose(tf.neg(tf.transpose(y))), y) };
  }, { x: f32(4, 4) });
  const x = tensor([4, 4], 3);
  await assertSame(graph, { x }, 1e-6, { threads: [1, 3] });
  await assertSame(graph, {}, 1e-6, { variables: { x }, threads: [1, 3] });
});

Deno.test("NaN stays NaN through ReLU, sums and products, so that a lost network is seen", async () => {
  const graph = record(({ x }) => {
    const relu = (op: string, x: tf.Tensor) => rawOperator(op, [x], { T: dtype("float32") })[0]!;
    return { relu: relu("Relu", x), relu6: relu("Relu6", x), sum: tf.sum(x, 1), max: tf.max(x, 1) };
  }, { x: f32(3, 9) });
  const data = new Float32Array(27).fill(1);
  data[13] = NaN;
  await using compiled = await compileFor(2, graph);
  const { relu, relu6, sum, max } = await compiled.run({ x: { dtype: "float32", shape: [3, 9], data } });
  for (const found of [relu!, relu6!]) assert.deepEqual([...found.data], [...data]);
  assert.deepEqual([...sum!.data], [9, NaN, 9]);
  assert.deepEqual([...max!.data], [1, NaN, 1]);
});
