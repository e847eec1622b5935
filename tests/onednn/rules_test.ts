/** Every rule of the executor against TensorFlow's own operator, on sizes that are odd for threads, slices and vectors. */
import assert from "node:assert/strict";
import type { Attribute } from "../../lib/graph/graph.ts";
import type { DType, HostTensor } from "../../lib/graph/host_tensor.ts";
import { sizeOf } from "../../lib/graph/host_tensor.ts";
import { rules } from "../../lib/onednn/rules.ts";
import { rawOperator } from "../../lib/tensorflow/backend.ts";
import { record } from "../../lib/tensorflow/record.ts";
import { tf } from "../../lib/tensorflow/tf.ts";
import { assertSame, numbers, tensor } from "./_compare.ts";

/** A graph, what it is given, and how far the executors may be apart. */
interface Case {
  readonly name: string;
  readonly inputs: Readonly<Record<string, HostTensor>>;
  readonly fn: (inputs: Record<string, tf.Tensor>) => Record<string, tf.Tensor>;
  readonly tolerance?: number;
  /** Which of the inputs are state, and so no batch. */
  readonly variables?: readonly string[];
  readonly threads?: readonly number[];
}

/** For each operator of the table; each case must contain its operator. */
const cases: Record<string, Case[]> = {};

function add(op: string, ...more: Case[]): void {
  (cases[op] ??= []).push(...more);
}

const dtype = (value: DType): Attribute => ({ kind: "dtype", value });
const string = (value: string): Attribute => ({ kind: "string", value });
const ints = (value: readonly number[]): Attribute => ({ kind: "ints", value });

/** One operator; T is the dtype of the first tensor. */
function raw(
  op: string,
  inputs: readonly (tf.Tensor | undefined)[],
  attributes: Readonly<Record<string, Attribute>> = {},
): tf.Tensor {
  const tensors = inputs as tf.Tensor[];
  return rawOperator(op, tensors, { T: dtype(tensors[0]!.dtype as DType), ...attributes })[0]!;
}

function int32(shape: readonly number[], seed = 1, range = 9): HostTensor {
  return { dtype: "int32", shape, data: Int32Array.from(numbers(sizeOf(shape), seed), (x) => x * range) };
}

function bool(shape: readonly number[], seed = 1): HostTensor {
  return { dtype: "bool", shape, data: Uint8Array.from(numbers(sizeOf(shape), seed), (x) => x > 0 ? 1 : 0) };
}

function floats(...values: number[]): HostTensor {
  return { dtype: "float32", shape: [values.length], data: Float32Array.from(values) };
}

const special = floats(
  ...[
    NaN,
    Infinity,
    -Infinity,
    0,
    -0,
    1,
    -1,
    0.5,
    -0.5,
    1.5,
    -1.5,
    2,
    -2.5,
    3,
    6,
    7.25,
    -7.25,
    1e-20,
    -1e-20,
  ],
);

// ---- one operator at a time

const unaryOperators = [
  ..."Neg Abs Sign Floor Sqrt Rsqrt Reciprocal Square Exp Log Tanh Sigmoid Relu Relu6 IsFinite IsNan".split(
    " ",
  ),
  ..."Identity StopGradient ZerosLike OnesLike".split(" "),
];
for (const op of unaryOperators) {
  for (const shape of [[], [1], [7], [5, 3], [32, 20], [3, 5, 7, 10], [0, 4], [2, 0]]) {
    add(op, { name: `${shape}`, inputs: { x: tensor(shape, 3, 4) }, fn: ({ x }) => ({ y: raw(op, [x]) }) });
  }
  // TensorFlow's ReLU may make 0 of NaN or keep it, as its vectors fall; here NaN stays NaN, so that it is seen.
  const keepsNaN = !op.startsWith("Relu");
  const values = [...special.data as Float32Array].filter((x) => keepsNaN || !Number.isNaN(x));
  add(op, { name: "special values", inputs: { x: floats(...values) }, fn: ({ x }) => ({ y: raw(op, [x]) }) });
}
for (const op of ["Neg", "Abs", "Sign", "Square", "Identity", "ZerosLike", "OnesLike"]) {
  add(op, { name: "int32", inputs: { x: int32([5, 3]) }, fn: ({ x }) => ({ y: raw(op, [x]) }) });
}
add("LogicalNot", {
  name: "bools",
  inputs: { x: bool([7, 3]) },
  fn: ({ x }) => ({ y: rawOperator("LogicalNot", [x!], {})[0]! }),
});

/** Every way to broadcast, batches among them that are as long as another axis. */
const pairs = [
  [[5, 4, 3], [5, 4, 3]],
  [[5, 4, 3], [3]],
  [[3], [5, 4, 3]],
  [[5, 4, 3], []],
  [[5, 4, 3], [1]],
  [[5, 1, 3], [1, 4, 1]],
  [[5, 4, 3], [4, 1]],
  [[7, 1, 1, 8], [7, 3, 3, 8]],
  [[2, 3, 3, 6], [2, 1, 1, 6]],
  [[3], [3, 3]],
  [[3, 1], [3]],
  [[3, 1], [1, 3]],
  [[4, 4, 4], [4, 4]],
  [[32, 10], [32, 1]],
  [[1, 6], [1, 6]],
  [[], []],
  [[0, 3], [3]],
] as const;
const arithmeticOperators =
  "Add AddV2 Sub Mul RealDiv Maximum Minimum SquaredDifference Equal NotEqual Less LessEqual Greater GreaterEqual"
    .split(" ");
for (const op of arithmeticOperators) {
  for (const [a, b] of pairs) {
    add(op, {
      name: `${a} with ${b}`,
      inputs: { a: tensor(a, 3, 4), b: tensor(b, 5, 4) },
      fn: ({ a, b }) => ({ y: raw(op, [a, b]) }),
    });
  }
  const count = special.data.length;
  add(op, {
    name: "special values",
    inputs: { a: { ...special, shape: [count, 1] }, b: { ...special, shape: [1, count] } },
    fn: ({ a, b }) => ({ y: raw(op, [a, b]) }),
  });
  if (op === "RealDiv") continue;
  add(op, {
    name: "int32",
    inputs: { a: int32([5, 3], 3), b: int32([5, 1], 4) },
    fn: ({ a, b }) => ({ y: raw(op, [a, b]) }),
  });
}
for (const op of ["LogicalAnd", "LogicalOr"]) {
  add(op, {
    name: "bools",
    inputs: { a: bool([5, 3], 3), b: bool([5, 1], 4) },
    fn: ({ a, b }) => ({ y: rawOperator(op, [a!, b!], {})[0]! }),
  });
}
add("AddN", {
  name: "three",
  inputs: { a: tensor([5, 3], 1), b: tensor([5, 3], 2), c: tensor([5, 3], 3) },
  fn: ({ a, b, c }) => ({ y: raw("AddN", [a, b, c], { N: { kind: "int", value: 3 } }) }),
}, {
  name: "one",
  inputs: { a: tensor([5, 3], 1) },
  fn: ({ a }) => ({ y: raw("AddN", [a], { N: { kind: "int", value: 1 } }) }),
});
for (const op of ["SigmoidGrad", "ReluGrad", "Relu6Grad"]) {
  for (const shape of [[7], [5, 3, 3, 6], [1, 20]]) {
    add(op, {
      name: `${shape}`,
      inputs: { a: tensor(shape, 3, 8), b: tensor(shape, 5, 8) },
      fn: ({ a, b }) => ({ y: raw(op, [a, b]) }),
    });
  }
  add(op, {
    name: "at the kinks",
    inputs: { a: floats(1, 2, 3, 4, 5, 6, 7), b: floats(0, -0, 6, 5.999, 1e-20, -1, 7) },
    fn: ({ a, b }) => ({ y: raw(op, [a, b]) }),
  });
}
for (const op of ["Select", "SelectV2"]) {
  const select = (condition?: tf.Tensor, yes?: tf.Tensor, no?: tf.Tensor) =>
    rawOperator(op, [condition!, yes!, no!], { T: dtype(yes!.dtype as DType) })[0]!;
  add(op, {
    name: "the same shapes",
    inputs: { c: bool([5, 3]), a: tensor([5, 3], 2), b: tensor([5, 3], 3) },
    fn: ({ c, a, b }) => ({ y: select(c, a, b) }),
  }, {
    name: "int32, and what was not chosen is NaN",
    inputs: { c: bool([5, 3]), a: int32([5, 3], 2), b: tensor([5, 3], 3, 0) },
    fn: ({ c, a, b }) => ({ y: select(c, a, a!.neg()), z: select(c, a!.toFloat(), tf.div(b!, b!)) }),
  }, {
    name: "one condition",
    inputs: { c: bool([]), a: tensor([5, 3], 2), b: tensor([5, 3], 3) },
    fn: ({ c, a, b }) => ({ y: select(c, a, b) }),
  });
}
for (const rows of [3, 5]) {
  add("Select", {
    name: `a condition for each of ${rows} rows`,
    inputs: { c: bool([rows]), a: tensor([rows, 3], 2), b: tensor([rows, 3], 3) },
    fn: ({ c, a, b }) => ({ y: raw("Select", [c, a, b], { T: dtype("float32") }) }),
  });
}
add("SelectV2", {
  name: "all broadcast",
  inputs: { c: bool([5, 1]), a: tensor([3], 2), b: tensor([], 3) },
  fn: ({ c, a, b }) => ({ y: raw("SelectV2", [c, a, b], { T: dtype("float32") }) }),
});

const numbersToCast = floats(-2.7, -1, -0.9, -0.5, -0, 0, 0.5, 0.9, 1, 1.5, 2.7, 100.99, -100.99, 16777217);
const castFrom: HostTensor[] = [
  numbersToCast,
  { dtype: "int32", shape: [7], data: Int32Array.of(-300, -1, 0, 1, 255, 256, 300) },
  { dtype: "uint8", shape: [5], data: Uint8Array.of(0, 1, 127, 128, 255) },
  { dtype: "bool", shape: [2], data: Uint8Array.of(0, 1) },
];
for (const x of castFrom) {
  for (const to of ["float32", "int32", "uint8", "bool"] as const) {
    if (x === numbersToCast && to === "uint8") continue; // what C++ makes of a negative one is open
    const cast = (x: tf.Tensor, from: DType) =>
      rawOperator("Cast", [x], { SrcT: dtype(from), DstT: dtype(to) })[0]!;
    const toFloat = (x: tf.Tensor) =>
      rawOperator("Cast", [x], { SrcT: dtype(to), DstT: dtype("float32") })[0]!;
    add("Cast", {
      name: `${x.dtype} to ${to}`,
      inputs: { x },
      // Once as it is stored, once used on.
      fn: ({ x: value }) => {
        const y = cast(value!, x.dtype as DType);
        return { y, used: tf.mul(toFloat(y), 0.5) };
      },
    });
  }
}

// ---- reductions

const axisSets = [[], [0], [1], [2], [3], [0, 1], [1, 2], [2, 3], [0, 3], [-1], [0, 1, 2], [1, 2, 3]];
for (const op of ["Sum", "Mean", "Max", "Min"]) {
  for (const keepDims of [true, false]) {
    for (const shape of [[5, 3, 7, 6], [2, 1, 4, 20], [1, 2, 3, 4]]) {
      for (const axes of [...axisSets, [0, 1, 2, 3]]) {
        add(op, {
          name: `${shape} over ${axes}${keepDims ? ", kept" : ""}`,
          inputs: { x: tensor(shape, 3, 4) },
          fn: ({ x }) => ({
            y: raw(op, [x, tf.tensor1d(axes, "int32")], {
              Tidx: dtype("int32"),
              keep_dims: { kind: "bool", value: keepDims },
            }),
          }),
        });
      }
    }
  }
  for (const [shape, axis] of [[[32, 24], 0], [[32, 24], 1], [[7], 0], [[3, 0], 1], [[0, 3], 0]] as const) {
    add(op, {
      name: `${shape} over ${axis}`,
      inputs: { x: tensor(shape, 3, 4) },
      fn: ({ x }) => ({ y: raw(op, [x, tf.scalar(axis, "int32")], { Tidx: dtype("int32") }) }),
    });
  }
  add(op, {
    name: "infinity",
    inputs: {
      x: { dtype: "float32", shape: [2, 3], data: Float32Array.of(Infinity, 1, 2, -Infinity, 3, 4) },
    },
    fn: ({ x }) => ({ y: raw(op, [x, tf.scalar(1, "int32")], { Tidx: dtype("int32") }) }),
  });
  if (op === "Mean") continue;
  add(op, {
    name: "int32",
    inputs: { x: int32([5, 3], 3, 100) },
    fn: ({ x }) => ({
      row: raw(op, [x, tf.scalar(1, "int32")], { Tidx: dtype("int32") }),
      all: raw(op, [x, tf.tensor1d([0, 1], "int32")], { Tidx: dtype("int32") }),
    }),
  });
}
for (const op of ["ArgMax", "ArgMin"]) {
  const position = (x: tf.Tensor, axis: number) =>
    rawOperator(op, [x, tf.scalar(axis, "int32")], {
      T: dtype(x.dtype as DType),
      Tidx: dtype("int32"),
      output_type: dtype("int32"),
    })[0]!;
  for (
    const [shape, axis] of [[[5, 4], 1], [[5, 4], -1], [[5, 4], 0], [[7], 0], [[3, 4, 6], 1], [
      [1, 1],
      1,
    ]] as const
  ) {
    add(op, {
      name: `${shape} along ${axis}`,
      inputs: { x: tensor(shape, 3, 4), tied: int32(shape, 4, 2) },
      fn: ({ x, tied }) => ({ y: position(x!, axis), ties: position(tied!.toFloat(), axis) }),
    });
  }
  add(op, {
    name: "all the same, and infinity",
    inputs: {
      x: {
        dtype: "float32",
        shape: [3, 3],
        data: Float32Array.of(2, 2, 2, Infinity, 1, -Infinity, 0, -0, 0),
      },
    },
    fn: ({ x }) => ({ y: position(x!, 1) }),
  });
}
for (const op of ["Softmax", "LogSoftmax"]) {
  for (const shape of [[5, 4], [1, 3], [32, 10], [3, 20], [2, 1], [7, 1000]]) {
    add(op, { name: `${shape}`, inputs: { x: tensor(shape, 3, 9) }, fn: ({ x }) => ({ y: raw(op, [x]) }) });
  }
  add(op, {
    name: "large numbers",
    inputs: {
      x: { dtype: "float32", shape: [2, 3], data: Float32Array.of(1000, 999, -1000, 1e30, 0, -1e30) },
    },
    fn: ({ x }) => ({ y: raw(op, [x]) }),
  });
}

// ---- convolutions, matrices, batch norms

for (const shape of [[5, 4], [3, 5, 2, 6], [2, 2, 2, 1]]) {
  const channels = shape.at(-1)!;
  add("BiasAdd", {
    name: `${shape}`,
    inputs: { x: tensor(shape, 3), bias: tensor([channels], 4) },
    variables: ["bias"],
    fn: ({ x, bias }) => ({ y: raw("BiasAdd", [x, bias], { data_format: string("NHWC") }) }),
  });
  add("BiasAddGrad", {
    name: `${shape}`,
    inputs: { dy: tensor(shape, 3) },
    fn: ({ dy }) => ({ y: raw("BiasAddGrad", [dy], { data_format: string("NHWC") }) }),
  });
}

for (const training of [true, false]) {
  for (
    const [n, h, w, c] of [[2, 3, 3, 4], [5, 7, 6, 3], [7, 1, 1, 10], [32, 2, 2, 24], [1, 4, 4, 8], [
      3,
      5,
      1,
      1,
    ]]
  ) {
    const attributes: Record<string, Attribute> = {
      T: dtype("float32"),
      U: dtype("float32"),
      epsilon: { kind: "float", value: 1e-3 },
      data_format: string("NHWC"),
      is_training: { kind: "bool", value: training },
    };
    const given = ["scale", "offset", "mean", "variance"];
    const positive = (seed: number) => ({
      ...tensor([c!], seed),
      data: numbers(c!, seed).map((x) => x + 1.5),
    });
    const inputs = {
      x: { ...tensor([n!, h!, w!, c!], 3), data: numbers(n! * h! * w! * c!, 3).map((x) => 3 * x + 5) },
      dy: tensor([n!, h!, w!, c!], 4),
      scale: positive(5),
      offset: tensor([c!], 6),
      mean: tensor([c!], 7),
      variance: positive(8),
    };
    const forward = (t: Record<string, tf.Tensor>) => {
      const statistics = training ? [tf.tensor1d([]), tf.tensor1d([])] : [t.mean!, t.variance!];
      return rawOperator("FusedBatchNormV3", [t.x!, t.scale!, t.offset!, ...statistics], attributes, 6);
    };
    const name = `${training ? "training" : "inference"} on ${n},${h},${w},${c}`;
    const threads = [2, 3];
    add("FusedBatchNormV3", {
      name,
      inputs,
      variables: given,
      threads,
      tolerance: 3e-6,
      fn: (t) => {
        const [y, mean, variance] = forward(t);
        return { y: y!, mean: mean!, variance: variance! };
      },
    });
    add("FusedBatchNormGradV3", {
      name,
      inputs,
      variables: given,
      threads,
      tolerance: 1e-5,
      fn: (t) => {
        const [, , , mean, variance, reserved] = forward(t);
        const [dx, dscale, doffset] = rawOperator(
          "FusedBatchNormGradV3",
          [t.dy!, t.x!, t.scale!, mean!, variance!, reserved!],
          attributes,
          5,
        );
        return { dx: dx!, dscale: dscale!, doffset: doffset! };
      },
    });
  }
}

const quantizations = [
  { shape: [5, 3, 7, 6], bits: 8, narrow: false },
  { shape: [32, 10], bits: 7, narrow: true },
  { shape: [3, 3, 5, 24], bits: 2, narrow: false },
  { shape: [7], bits: 8, narrow: true },
];
for (const { shape, bits, narrow } of quantizations) {
  const channels = shape.at(-1)!;
  const attributes: Record<string, Attribute> = {
    num_bits: { kind: "int", value: bits },
    narrow_range: { kind: "bool", value: narrow },
  };
  // All signs a range can have, and one that is empty.
  const lows = Float32Array.from({ length: channels }, (_, index) => [-2.3, -0.01, 0, -7, 0][index % 5]!);
  const highs = Float32Array.from({ length: channels }, (_, index) => [1.9, 3, 2.5, 0, 0][index % 5]!);
  const ofAll = (index: number) => ({
    min: { dtype: "float32" as const, shape: [], data: lows.slice(index, index + 1) },
    max: { dtype: "float32" as const, shape: [], data: highs.slice(index, index + 1) },
  });
  const ranges: Record<string, [string, Record<string, HostTensor>][]> = {
    FakeQuantWithMinMaxVars: [0, 1, 2, 3, 4].map((index) => [`range ${index}`, ofAll(index)]),
    FakeQuantWithMinMaxVarsPerChannel: [["a range a channel", {
      min: { dtype: "float32", shape: [channels], data: lows },
      max: { dtype: "float32", shape: [channels], data: highs },
    }]],
  };
  for (const [op, given] of Object.entries(ranges)) {
    for (const [name, range] of given) {
      const common = {
        name: `${shape} to ${bits} bits${narrow ? ", narrow" : ""}, ${name}`,
        inputs: { x: tensor(shape, 3, 4), dy: tensor(shape, 4), ...range },
        threads: [1, 3],
      };
      const fn: Case["fn"] = ({ x, min, max }) => ({ y: rawOperator(op, [x!, min!, max!], attributes)[0]! });
      add(op, { ...common, fn, variables: ["min", "max"] });
      add(op, { ...common, fn, variables: ["x", "min", "max"], name: `${common.name}, of state` });
      add(`${op}Gradient`, {
        ...common,
        tolerance: 1e-5, // of sums
        variables: ["min", "max"],
        fn: ({ x, dy, min, max }) => {
          const gradients = rawOperator(`${op}Gradient`, [dy!, x!, min!, max!], attributes, 3);
          return { dx: gradients[0]!, dmin: gradients[1]!, dmax: gradients[2]! };
        },
      });
    }
  }
}

type PaddingName = "SAME" | "VALID" | "EXPLICIT";
/** Images, height, width, channels in, channels out, kernel, stride, padding. */
type ConvolutionSizes = readonly [number, number, number, number, number, number, number, PaddingName];
const convolutions: ConvolutionSizes[] = [
  [1, 5, 5, 1, 1, 3, 1, "SAME"],
  [2, 8, 8, 3, 4, 3, 2, "SAME"],
  [2, 8, 7, 3, 8, 3, 2, "EXPLICIT"],
  [3, 7, 6, 4, 6, 3, 1, "VALID"],
  [3, 6, 6, 3, 3, 3, 1, "SAME"],
  [5, 6, 9, 6, 10, 5, 2, "SAME"],
  [5, 9, 9, 8, 3, 5, 1, "EXPLICIT"],
  [7, 11, 8, 3, 4, 7, 2, "EXPLICIT"],
  [7, 8, 8, 10, 20, 1, 1, "SAME"],
  [5, 7, 7, 8, 10, 1, 2, "VALID"],
  [5, 8, 6, 8, 10, 1, 2, "SAME"],
  [32, 4, 5, 20, 24, 3, 1, "SAME"],
  [32, 6, 6, 3, 24, 3, 2, "VALID"],
  [1, 1, 1, 6, 24, 1, 1, "VALID"],
  [2, 1, 1, 24, 6, 3, 1, "SAME"],
  [3, 4, 4, 2, 2, 1, 1, "EXPLICIT"],
];
const depthwiseConvolutions: ConvolutionSizes[] = [
  [1, 5, 5, 1, 1, 3, 1, "SAME"],
  [2, 8, 8, 3, 3, 3, 2, "SAME"],
  [2, 7, 8, 4, 4, 3, 2, "EXPLICIT"],
  [3, 6, 7, 6, 6, 3, 1, "VALID"],
  [3, 6, 6, 3, 3, 3, 1, "SAME"],
  [5, 9, 6, 8, 8, 5, 2, "EXPLICIT"],
  [5, 9, 6, 10, 10, 5, 1, "SAME"],
  [7, 7, 7, 20, 20, 7, 1, "SAME"],
  [7, 14, 8, 24, 24, 7, 2, "EXPLICIT"],
  [32, 4, 4, 20, 20, 3, 1, "SAME"],
  [32, 5, 5, 24, 24, 5, 2, "VALID"],
  [2, 3, 3, 6, 6, 1, 1, "SAME"],
  [2, 5, 4, 6, 6, 1, 2, "VALID"],
  [3, 1, 1, 8, 8, 5, 1, "SAME"],
  [3, 2, 2, 8, 8, 5, 2, "EXPLICIT"],
];
for (const depthwise of [false, true]) {
  const prefix = depthwise ? "DepthwiseConv2dNative" : "Conv2D";
  for (const sizes of depthwise ? depthwiseConvolutions : convolutions) {
    const [n, h, w, c, m, k, s, padding] = sizes;
    const half = padding === "EXPLICIT" ? (k === 1 ? 1 : k >> 1) : 0;
    const out = (length: number) =>
      padding === "SAME" ? Math.ceil(length / s) : Math.floor((length + 2 * half - k) / s) + 1;
    const filterShape = [k, k, c, depthwise ? 1 : m];
    const attributes: Record<string, Attribute> = {
      strides: ints([1, s, s, 1]),
      padding: string(padding),
      data_format: string("NHWC"),
      dilations: ints([1, 1, 1, 1]),
      ...(padding === "EXPLICIT" ? { explicit_paddings: ints([0, 0, half, half, half, half, 0, 0]) } : {}),
    };
    const inputs = {
      x: tensor([n, h, w, c], 3),
      filter: tensor(filterShape, 4),
      dy: tensor([n, out(h), out(w), m], 5),
    };
    const common = { name: `${sizes}`, inputs, tolerance: 1e-6 };
    const xShape = inputs.x.shape;
    const passes: Record<string, Case["fn"]> = {
      [prefix]: ({ x, filter }) => ({ y: raw(prefix, [x, filter], attributes) }),
      [`${prefix}BackpropInput`]: ({ filter, dy }) => ({
        dx: raw(`${prefix}BackpropInput`, [tf.tensor1d([...xShape], "int32"), filter, dy], {
          ...attributes,
          T: dtype("float32"),
        }),
      }),
      [`${prefix}BackpropFilter`]: ({ x, dy }) => ({
        df: raw(`${prefix}BackpropFilter`, [x, tf.tensor1d(filterShape, "int32"), dy], attributes),
      }),
    };
    for (const [op, fn] of Object.entries(passes)) {
      add(op, { ...common, fn, variables: ["filter"] });
      // The filter is no state: it may be as long as the batch.
      if (n === k || n === 1) add(op, { ...common, name: `${sizes}, a filter as long as the batch`, fn });
      // One operand is no batch.
      if (n === 5) {
        add(op, { ...common, name: `${sizes}, dy is state`, fn, variables: ["filter", "dy"] });
        add(op, { ...common, name: `${sizes}, x is state`, fn, variables: ["filter", "x"] });
        add(op, { ...common, name: `${sizes}, all is state`, fn, variables: ["filter", "x", "dy"] });
      }
    }
  }
}

for (const op of ["MatMul", "BatchMatMulV2"]) {
  const [left, right] = op === "MatMul" ? ["transpose_a", "transpose_b"] : ["adj_x", "adj_y"];
  for (const transposeLeft of [false, true]) {
    for (const transposeRight of [false, true]) {
      for (
        const [m, k, n] of [[5, 3, 4], [1, 1, 1], [7, 20, 10], [32, 24, 8], [3, 3, 3], [4, 0, 3], [0, 2, 3]]
      ) {
        const inputs = {
          a: tensor(transposeLeft ? [k!, m!] : [m!, k!], 3),
          b: tensor(transposeRight ? [n!, k!] : [k!, n!], 4),
        };
        const fn: Case["fn"] = ({ a, b }) => ({
          y: raw(op, [a, b], {
            [left!]: { kind: "bool", value: transposeLeft },
            [right!]: { kind: "bool", value: transposeRight },
          }),
        });
        const name = `${m} x ${k} x ${n}${transposeLeft ? ", left^T" : ""}${
          transposeRight ? ", right^T" : ""
        }`;
        add(op, { name, inputs, fn }, { name: `${name}, right is state`, inputs, fn, variables: ["b"] });
        add(op, { name: `${name}, left is state`, inputs, fn, variables: ["a"] });
      }
    }
  }
}

// ---- shapes

const shapeOf = (...lengths: number[]) => tf.tensor1d(lengths, "int32");
for (
  const [from, to] of [
    [[5, 6], [5, 2, 3]],
    [[5, 2, 3], [5, 6]],
    [[5, 6], [6, 5]],
    [[5], [1, 5]],
    [[4, 4], [16]],
    [[3, 1], [3]],
    [[1], []],
  ] as const
) {
  add("Reshape", {
    name: `${from} to ${to}`,
    inputs: { x: tensor(from, 3) },
    fn: ({ x }) => ({ y: raw("Reshape", [x, shapeOf(...to)], { Tshape: dtype("int32") }) }),
  });
}
for (const axis of [0, 1, 2, -1]) {
  add("ExpandDims", {
    name: `${axis}`,
    inputs: { x: tensor([5, 3], 3) },
    fn: ({ x }) => ({ y: raw("ExpandDims", [x, tf.scalar(axis, "int32")], { Tdim: dtype("int32") }) }),
  });
}
for (const [shape, axes] of [[[5, 1, 1, 3], [1, 2]], [[1, 5], [0]], [[5, 1], []]] as const) {
  add("Squeeze", {
    name: `${shape} without ${axes}`,
    inputs: { x: tensor(shape, 3) },
    fn: ({ x }) => ({ y: raw("Squeeze", [x], { squeeze_dims: ints(axes) }) }),
  });
}
for (
  const [from, to] of [[[5, 1, 3], [5, 4, 3]], [[3], [5, 3]], [[], [2, 2]], [[5, 1], [5, 1]], [[1], [7]], [[
    3,
  ], [3, 3]]] as const
) {
  add("BroadcastTo", {
    name: `${from} to ${to}`,
    inputs: { x: tensor(from, 3) },
    fn: ({ x }) => ({ y: raw("BroadcastTo", [x, shapeOf(...to)], { Tidx: dtype("int32") }) }),
  });
}
for (const shape of [[5, 3], [], [0, 2]]) {
  add("Fill", {
    name: `${shape}`,
    inputs: { x: tensor([], 3) },
    fn: ({ x }) => ({
      y: rawOperator("Fill", [shapeOf(...shape), x!], {
        T: dtype("float32"),
        index_type: dtype("int32"),
      })[0]!,
    }),
  });
}
for (
  const [shape, paddings] of [
    [[5, 3], [[0, 0], [1, 2]]],
    [[5, 3], [[1, 0], [0, 0]]],
    [[2, 3, 4, 6], [[0, 0], [1, 1], [0, 2], [0, 0]]],
    [[5, 2], [[0, 0], [0, 0]]],
    [[3, 2], [[0, 0], [0, 1]]],
    [[0, 2], [[2, 0], [1, 0]]],
    [[5, 0], [[0, 0], [1, 1]]],
  ] as const
) {
  const before = (op: string, rest: (x: tf.Tensor) => tf.Tensor[]): Case => ({
    name: `${shape} by ${JSON.stringify(paddings)}`,
    inputs: { x: tensor(shape, 3) },
    fn: ({ x }) => {
      const y = raw(op, [x!, tf.tensor2d(paddings.map((p) => [...p]), undefined, "int32"), ...rest(x!)], {
        Tpaddings: dtype("int32"),
      });
      return { y, used: tf.add(y, 1) };
    },
  });
  add("Pad", before("Pad", () => []));
  add("PadV2", before("PadV2", () => [tf.scalar(2.5)]));
}
add("PadV2", {
  name: "int32",
  inputs: { x: int32([5, 3], 3) },
  fn: ({ x }) => ({
    y: raw("PadV2", [x, tf.tensor2d([[0, 0], [1, 2]], undefined, "int32"), tf.scalar(7, "int32")], {
      Tpaddings: dtype("int32"),
    }),
  }),
});
for (
  const [shape, begin, size] of [
    [[5, 6], [0, 2], [5, 3]],
    [[5, 6], [1, 0], [3, 6]],
    [[3, 5, 4, 2], [0, 1, 1, 0], [3, 3, 2, 2]],
    [[5, 6], [0, 0], [-1, 2]],
    [[7], [3], [1]],
    [[5, 6], [0, 6], [5, 0]],
  ] as const
) {
  add("Slice", {
    name: `${shape} from ${begin}, ${size}`,
    inputs: { x: tensor(shape, 3) },
    fn: ({ x }) => {
      const y = raw("Slice", [x, shapeOf(...begin), shapeOf(...size)], { Index: dtype("int32") });
      return { y, used: tf.neg(y) };
    },
  });
}
for (
  const [shape, order] of [
    [[5, 3], [1, 0]],
    [[4, 4], [1, 0]],
    [[5, 2, 3, 4], [0, 2, 3, 1]],
    [[2, 3, 4], [2, 0, 1]],
    [[3, 4, 4], [0, 2, 1]],
    [[7], [0]],
  ] as const
) {
  add("Transpose", {
    name: `${shape} to ${order}`,
    inputs: { x: tensor(shape, 3) },
    fn: ({ x }) => {
      const y = raw("Transpose", [x, shapeOf(...order)], { Tperm: dtype("int32") });
      return { y, twice: raw("Transpose", [tf.exp(y), shapeOf(...order)], { Tperm: dtype("int32") }) };
    },
  });
}
for (
  const [shapes, axis] of [
    [[[5, 3], [5, 4]], 1],
    [[[5, 3], [5, 4]], -1],
    [[[5, 3], [5, 3]], 0],
    [[[3, 2, 2, 4], [3, 2, 1, 4], [3, 2, 3, 4]], 2],
    [[[3], [2], [0]], 0],
    [[[0, 3], [0, 3]], 0],
    [[[2, 0], [2, 0]], 1],
  ] as const
) {
  add("ConcatV2", {
    name: `${shapes.join(" | ")} along ${axis}`,
    inputs: Object.fromEntries(shapes.map((shape, index) => [`part${index}`, tensor(shape, index + 1)])),
    fn: (parts) => {
      const y = raw("ConcatV2", [...Object.values(parts), tf.scalar(axis, "int32")], {
        N: { kind: "int", value: shapes.length },
        Tidx: dtype("int32"),
      });
      return { y, used: tf.add(y, 1) };
    },
  });
}
add("ConcatV2", {
  name: "of one tensor twice, of a constant and of what is computed",
  inputs: { x: tensor([5, 3], 3) },
  fn: ({ x }) => {
    const y = tf.mul(x!, 2);
    return {
      y: raw("ConcatV2", [
        x,
        x,
        tf.ones([5, 2]),
        tf.tensor2d([...numbers(5)], [5, 1]),
        y,
        y,
        tf.scalar(1, "int32"),
      ], {
        N: { kind: "int", value: 6 },
        Tidx: dtype("int32"),
      }),
      z: tf.neg(y),
    };
  },
});
for (const shape of [[5], [1], [3, 2], []]) {
  add("OneHot", {
    name: `${shape}`,
    inputs: {
      labels: { dtype: "int32", shape, data: Int32Array.from(numbers(sizeOf(shape), 3), (x) => (x + 1) * 2) },
    },
    fn: ({ labels }) => ({
      y: rawOperator("OneHot", [labels!, tf.scalar(4, "int32"), tf.scalar(1), tf.scalar(0)], {
        T: dtype("float32"),
        TI: dtype("int32"),
        axis: { kind: "int", value: -1 },
      })[0]!,
    }),
  });
}
add("OneHot", {
  name: "labels that are none, other values",
  inputs: { labels: { dtype: "int32", shape: [4], data: Int32Array.of(-1, 0, 3, 7) } },
  fn: ({ labels }) => ({
    y: rawOperator("OneHot", [labels!, tf.scalar(4, "int32"), tf.scalar(0.9), tf.scalar(-2)], {
      T: dtype("float32"),
      TI: dtype("int32"),
      axis: { kind: "int", value: -1 },
    })[0]!,
  }),
});
for (
  const [shape, sizes, axis] of [[[5, 6], [3, 3], 1], [[5, 6], [1, 2, 3], -1], [[5, 6], [2, 3], 0], [[
    3,
    4,
    2,
  ], [
    0,
    4,
  ], 1]] as const
) {
  const name = `${shape} to ${sizes} along ${axis}`, inputs = { x: tensor(shape, 3) };
  const use = (pieces: tf.Tensor[]) =>
    Object.fromEntries(pieces.flatMap((y, index) => [[`${index}`, y], [`used ${index}`, tf.neg(y)]]));
  add("SplitV", {
    name,
    inputs,
    fn: ({ x }) =>
      use(rawOperator("SplitV", [x!, shapeOf(...sizes), tf.scalar(axis, "int32")], {
        T: dtype("float32"),
        Tlen: dtype("int32"),
        num_split: { kind: "int", value: sizes.length },
      }, sizes.length)),
  });
  if (new Set<number>(sizes).size > 1) continue;
  add("Split", {
    name,
    inputs,
    fn: ({ x }) =>
      use(rawOperator("Split", [tf.scalar(axis, "int32"), x!], {
        T: dtype("float32"),
        num_split: { kind: "int", value: sizes.length },
      }, sizes.length)),
  });
}
add("Const", {
  name: "of every dtype",
  inputs: { x: tensor([3], 1) },
  fn: ({ x }) => ({
    float: tf.tensor2d([1, -2, 3, NaN, Infinity, -0], [2, 3]),
    same: tf.ones([3]),
    scalar: tf.scalar(2.5),
    int: tf.tensor1d([1, -2, 3], "int32"),
    large: tf.tensor1d([2 ** 24, -(2 ** 24), 2 ** 30], "int32"),
    bool: tf.tensor1d([true, false], "bool"),
    none: tf.tensor2d([], [0, 3]),
    used: tf.mul(x!, tf.tensor1d([0, -0, 2])),
    again: tf.div(x!, tf.tensor1d([-0, 0, 2])),
  }),
});

for (const op of Object.keys(rules)) {
  Deno.test(`${op} is what TensorFlow's is`, async () => {
    const found = cases[op] ?? [];
    assert.ok(found.length > 0, `rules has ${op}, but no case here tries it`);
    const problems: string[] = [];
    for (const [index, { name, inputs, fn, tolerance, variables = [], threads }] of found.entries()) {
      try {
        const graph = record(fn, inputs, { name: "compared" });
        assert.ok(graph.nodes.some((node) => node.op === op), `it has no ${op}`);
        const isVariable = ([name]: [string, unknown]) => variables.includes(name);
        await assertSame(
          graph,
          Object.fromEntries(Object.entries(inputs).filter((entry) => !isVariable(entry))),
          tolerance,
          {
            variables: Object.fromEntries(Object.entries(inputs).filter(isVariable)),
            threads: threads ?? [index % 3 + 1],
          },
        );
      } catch (thrown) {
        problems.push(`${name}: ${(thrown as Error).message}`);
      }
    }
    assert.ok(
      problems.length === 0,
      `${problems.length} of ${found.length} differ:\n  ${problems.join("\n  ")}`,
    );
  });
}
