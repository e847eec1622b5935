import type { GraphNode, TensorSpec } from "../graph/graph.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { type Builder, NotLowered } from "./builder.ts";
import { type ConvolutionPass, elements, type Geometry, rowMajorStrides, type Value } from "./operations.ts";
import type { Binary, ElementType, Unary } from "./wasm/loop_kernel.ts";

/** What a rule is given. */
export interface RuleContext {
  readonly b: Builder;
  readonly node: GraphNode;
  readonly inputs: readonly Value[];
  /** Numbers of an input that is a constant; throws where it is none. */
  constant(input: number): number[];
}

/** Makes the outputs of a node; outputs nobody can use may be left out. */
export type Rule = (context: RuleContext) => Value[];

/** Value of an attribute, or what TensorFlow takes where it is left out. */
function attribute<T>(node: GraphNode, name: string, otherwise: T): T {
  return (node.attributes[name]?.value ?? otherwise) as T;
}

const unary = (op: Unary): Rule => ({ b, inputs }) => [b.map(op, inputs[0]!)];
const binary = (op: Binary): Rule => ({ b, inputs }) => [b.map(op, inputs[0]!, inputs[1]!)];
const same: Rule = ({ inputs }) => [inputs[0]!];

/** Rules that compute with channels last, in float32. */
function channelsLast(rule: Rule): Rule {
  return (context) => {
    if (attribute(context.node, "data_format", "NHWC") !== "NHWC") {
      throw new NotLowered("data_format is not NHWC");
    }
    return rule(context);
  };
}

/** The routines know no other numbers. */
function requireFloats(values: readonly Value[]): void {
  if (values.some(({ type }) => type !== "float32")) throw new NotLowered("its numbers are not float32");
}

/** Sum, mean and the like over constant axes. */
function reduction(how: "add" | "maximum" | "minimum", mean = false): Rule {
  return ({ b, node, inputs: [input], constant }) => {
    const rank = input!.shape.length;
    const axes = constant(1).map((axis) => axis < 0 ? axis + rank : axis);
    const sum = b.reduce(how, input!, axes);
    if (mean && input!.type !== "float32") throw new NotLowered("a mean of whole numbers is rounded");
    const count = elements(axes.map((axis) => input!.shape[axis]!));
    const result = mean ? b.map("multiply", sum, b.scalar(1 / count)) : sum;
    return [b.reshape(result, node.outputs[0]!.shape)];
  };
}

/** The gradient of an activation that passes `dy` where a condition on its output holds. */
function gate(condition: (b: Builder, y: Value) => Value): Rule {
  return ({ b, inputs: [dy, y] }) => [b.map("select", condition(b, y!), dy!, b.scalar(0))];
}

function relu6(b: Builder, x: Value): Value {
  return b.map("minimum", b.map("maximum", x, b.scalar(0)), b.scalar(6));
}

/** Position of the first greatest (or least) element along an axis. */
function position(how: "maximum" | "minimum"): Rule {
  return ({ b, node, inputs: [input], constant }) => {
    const { shape } = input!;
    const axis = (constant(1)[0]! + shape.length) % shape.length;
    const numbers = Float32Array.from({ length: shape[axis]! }, (_, index) => index);
    const positions = b.array(numbers, shape.slice(axis).map((length, index) => index === 0 ? length : 1));
    const isBest = b.map("equal", input!, b.reduce(how, input!, [axis]));
    const found = b.reduce("minimum", b.map("select", isBest, positions, b.scalar(shape[axis]!)), [axis]);
    return [b.reshape(b.mapTo("int32", "copy", found), node.outputs[0]!.shape)];
  };
}

function softmax(b: Builder, x: Value, logarithm: boolean): Value {
  const last = [x.shape.length - 1];
  const shifted = b.map("subtract", x, b.reduce("maximum", x, last));
  const exponentials = b.map("exp", shifted);
  const sum = b.reduce("add", exponentials, last);
  return logarithm ? b.map("subtract", shifted, b.map("log", sum)) : b.map("divide", exponentials, sum);
}

// ---- batch normalisation

const batchNorm: Rule = ({ b, node, inputs: [x, scale, offset, givenMean, givenVariance] }) => {
  const channels = x!.shape.at(-1)!, rows = elements(x!.shape) / channels;
  const epsilon = b.scalar(attribute(node, "epsilon", 1e-4));
  const training = attribute(node, "is_training", true);
  if (training && attribute(node, "exponential_avg_factor", 1) !== 1) {
    throw new NotLowered("exponential_avg_factor is not 1");
  }
  const [mean, variance] = training ? b.moments(x!) : [givenMean!, givenVariance!];
  const factor = b.map("multiply", scale!, b.map("rsqrt", b.map("add", variance!, epsilon)));
  const shift = b.map("subtract", offset!, b.map("multiply", mean!, factor));
  const y = b.map("add", b.map("multiply", x!, factor), shift);
  if (!training) return [y, mean!, variance!, mean!, variance!];
  const unbiased = b.map("multiply", variance!, b.scalar(rows / Math.max(rows - 1, 1)));
  return [y, mean!, unbiased, mean!, variance!];
};

const batchNormGradient: Rule = ({ b, node, inputs: [dy, x, scale, mean, variance] }) => {
  const channels = x!.shape.at(-1)!, rows = elements(x!.shape) / channels;
  const inverse = b.map("rsqrt", b.map("add", variance!, b.scalar(attribute(node, "epsilon", 1e-4))));
  const leading = x!.shape.map((_, axis) => axis).slice(0, -1);
  const perChannel = (value: Value) => b.reshape(value, [channels]);
  const centred = b.map("subtract", x!, mean!);
  const offsetGradient = perChannel(b.reduce("add", dy!, leading));
  const sum = perChannel(b.reduce("add", b.map("multiply", dy!, centred), leading));
  const scaleGradient = b.map("multiply", sum, inverse);
  const factor = b.map("multiply", scale!, inverse);
  if (!attribute(node, "is_training", true)) {
    return [b.map("multiply", dy!, factor), scaleGradient, offsetGradient];
  }
  // dx = factor (dy - mean(dy) - (x - mean) inverse^2 mean(dy (x - mean)))
  const share = b.scalar(-1 / rows);
  const slope = b.map(
    "multiply",
    b.map("multiply", factor, b.map("multiply", inverse, scaleGradient)),
    share,
  );
  const level = b.map("multiply", b.map("multiply", factor, offsetGradient), share);
  const dx = b.map(
    "add",
    b.map("multiply", dy!, factor),
    b.map("add", b.map("multiply", centred, slope), level),
  );
  return [dx, scaleGradient, offsetGradient];
};

// ---- fake quantisation

/**
 * The values a fake quantisation rounds to: the range shifted so that 0 is one of them, as TensorFlow's kernels do it. An
 * empty range, from 0 to 0, makes everything 0.
 *
 * @see https://arxiv.org/abs/1712.05877, section 3
 */
function quantizedRange(
  b: Builder,
  node: GraphNode,
  min: Value,
  max: Value,
): { low: Value; high: Value; step: Value; zero: Value; isEmpty: Value } {
  const first = b.scalar(attribute(node, "narrow_range", false) ? 1 : 0);
  const last = b.scalar(2 ** attribute(node, "num_bits", 8) - 1);
  const isEmpty = b.map("equal", min, max);
  const range = b.map("divide", b.map("subtract", max, min), b.map("subtract", last, first));
  const step = b.map("select", isEmpty, b.scalar(1), range);
  const wanted = b.map("subtract", first, b.map("divide", min, step));
  const inside = b.map("minimum", b.map("maximum", wanted, first), last);
  const nearest = b.map("floor", b.map("add", inside, b.scalar(0.5)));
  return {
    low: b.map("multiply", b.map("subtract", first, nearest), range),
    high: b.map("multiply", b.map("subtract", last, nearest), range),
    step,
    zero: b.map("subtract", nearest, first),
    isEmpty,
  };
}

const fakeQuantization: Rule = ({ b, node, inputs: [x, min, max] }) => {
  const { low, high, step, zero } = quantizedRange(b, node, min!, max!);
  const clipped = b.map("maximum", b.map("minimum", x!, high), low);
  const steps = b.map("multiply", b.map("subtract", clipped, low), b.map("reciprocal", step));
  const nearest = b.map("floor", b.map("add", b.map("subtract", steps, zero), b.scalar(0.5)));
  return [b.map("multiply", nearest, step)];
};

/** Gradients go through the rounding, and where values are clipped to the ends. */
const fakeQuantizationGradient: Rule = ({ b, node, inputs: [dy, x, min, max] }) => {
  const { low, high, isEmpty } = quantizedRange(b, node, min!, max!);
  const below = b.map("less", x!, b.map("select", isEmpty, b.scalar(-Infinity), low));
  const above = b.map("greater", x!, b.map("select", isEmpty, b.scalar(Infinity), high));
  const none = b.scalar(0);
  const summed = x!.shape.map((_, axis) => axis).slice(0, x!.shape.length - min!.shape.length);
  const sum = (condition: Value) =>
    b.reshape(b.reduce("add", b.map("select", condition, dy!, none), summed), min!.shape);
  return [b.map("select", b.map("or", below, above), none, dy!), sum(below), sum(above)];
};

// ---- convolutions and matrix products

/** Zeros before and after along one axis. */
function paddingOf(
  node: GraphNode,
  axis: 1 | 2,
  [length, outLength, kernel, stride]: readonly [number, number, number, number],
): [number, number] {
  const padding = attribute<string>(node, "padding", "VALID");
  if (padding === "EXPLICIT") {
    const given = attribute<number[]>(node, "explicit_paddings", []);
    return [given[2 * axis]!, given[2 * axis + 1]!];
  }
  if (padding === "VALID") return [0, Math.max((outLength - 1) * stride + kernel - length, 0)];
  const total = Math.max((outLength - 1) * stride + kernel - length, 0);
  return [total >> 1, total - (total >> 1)];
}

function convolution(pass: ConvolutionPass, depthwise: boolean): Rule {
  return ({ b, node, inputs, constant }) => {
    const shape = node.outputs[0]!.shape;
    const image = pass === "input-gradient" ? constant(0) : inputs[0]!.shape;
    const filter = pass === "filter-gradient" ? constant(1) : inputs[1]!.shape;
    const out = pass === "forward" ? shape : inputs[2]!.shape;
    const [, strideHeight, strideWidth] = attribute(node, "strides", [1, 1, 1, 1]);
    if (attribute(node, "dilations", [1, 1, 1, 1]).some((dilation) => dilation !== 1)) {
      throw new NotLowered("the filter is dilated");
    }
    const [images, height, width, inChannels] = image as [number, number, number, number];
    const [kernelHeight, kernelWidth, filterChannels, multiplier] = filter as [
      number,
      number,
      number,
      number,
    ];
    const [, outHeight, outWidth, outChannels] = out as [number, number, number, number];
    if (depthwise && multiplier !== 1) throw new NotLowered("a depthwise filter has a channel multiplier");
    if (!depthwise && filterChannels !== inChannels) throw new NotLowered("the convolution is grouped");
    const geometry: Geometry = {
      images,
      height,
      width,
      inChannels,
      outHeight,
      outWidth,
      outChannels,
      kernelHeight,
      kernelWidth,
      strideHeight: strideHeight!,
      strideWidth: strideWidth!,
      padding: [
        ...paddingOf(node, 1, [height, outHeight, kernelHeight, strideHeight!]),
        ...paddingOf(node, 2, [width, outWidth, kernelWidth, strideWidth!]),
      ],
      depthwise,
    };
    let operands = { forward: [0, 1], "input-gradient": [2, 1], "filter-gradient": [0, 2] }[pass]
      .map((index) => inputs[index]!);
    requireFloats(operands);
    if (operands.some((value) => elements(value.shape) === 0)) return [b.broadcast(b.scalar(0), shape)];
    if (pass !== "filter-gradient") {
      if (operands[1]!.batch) throw new NotLowered("the filter depends on the batch");
    } else if (operands.some((value) => value.batch)) operands = operands.map((value) => b.rows(value));
    const pointwise = !depthwise && kernelHeight === 1 && kernelWidth === 1 && strideHeight === 1 &&
      strideWidth === 1 && geometry.padding.every((zeros) => zeros === 0);
    const batch = operands.some((value) => value.batch) && pass !== "filter-gradient";
    if (pointwise) return pointwiseConvolution(b, pass, geometry, operands, shape, batch);
    return b.call({ kind: "convolution", pass, geometry }, operands, [{ shape, batch }]);
  };
}

/** A 1 x 1 convolution is a matrix product over all positions. */
function pointwiseConvolution(
  b: Builder,
  pass: ConvolutionPass,
  { images, height, width, inChannels, outChannels }: Geometry,
  operands: readonly Value[],
  shape: readonly number[],
  batch: boolean,
): Value[] {
  const split = operands[0]!.batch;
  const positions = height * width * (split ? 1 : images);
  const product = { kind: "matrix-product" as const, transposeLeft: false, transposeRight: false };
  switch (pass) {
    case "forward":
      return b.call(
        { ...product, rows: positions, inner: inChannels, columns: outChannels, overBatch: false },
        operands,
        [{ shape, batch }],
      );
    case "input-gradient":
      return b.call(
        {
          ...product,
          rows: positions,
          inner: outChannels,
          columns: inChannels,
          transposeRight: true,
          overBatch: false,
        },
        operands,
        [{ shape, batch }],
      );
    case "filter-gradient":
      return b.call(
        {
          ...product,
          rows: inChannels,
          inner: positions,
          columns: outChannels,
          transposeLeft: true,
          overBatch: split,
        },
        operands,
        [{ shape, batch }],
      );
  }
}

function matrixProduct(left: string, right: string): Rule {
  return ({ b, node, inputs: [a, c] }) => {
    if (a!.shape.length !== 2 || c!.shape.length !== 2) throw new NotLowered("matrices are stacked");
    requireFloats([a!, c!]);
    const transposeLeft = attribute(node, left, false), transposeRight = attribute(node, right, false);
    const [rows, columns] = node.outputs[0]!.shape as [number, number];
    const inner = a!.shape[transposeLeft ? 0 : 1]!;
    if (elements([rows, inner, columns]) === 0) return [b.broadcast(b.scalar(0), [rows, columns])];
    if (transposeLeft && !transposeRight && (a!.batch || c!.batch)) [a, c] = [b.rows(a!), b.rows(c!)];
    const overBatch = a!.batch && c!.batch;
    const routine = { kind: "matrix-product" as const, transposeLeft, transposeRight, columns, overBatch };
    if (overBatch && !(transposeLeft && !transposeRight)) throw new NotLowered("two batches are multiplied");
    if (!overBatch && (c!.batch || a!.batch && transposeLeft)) {
      throw new NotLowered("the batch is not the rows of the product");
    }
    return b.call(
      { ...routine, rows: a!.batch && !overBatch ? 1 : rows, inner: overBatch ? 1 : inner },
      [a!, c!],
      [{ shape: [rows, columns], batch: a!.batch && !overBatch }],
    );
  };
}

// ---- shapes

const pad: Rule = ({ b, inputs: [input, , filling], node, constant }) => {
  const paddings = constant(1);
  const { shape } = node.outputs[0]!;
  if (filling !== undefined && filling.source.kind !== "scalar") {
    throw new NotLowered("it is padded with what is no constant");
  }
  if (input!.batch && (paddings[0] !== 0 || paddings[1] !== 0)) throw new NotLowered("the batch is padded");
  return [b.pad(input!, shape, paddings.filter((_, index) => index % 2 === 0), filling ?? b.scalar(0))];
};

const slice: Rule = ({ b, inputs: [input], node, constant }) => {
  const begin = constant(1), { shape } = node.outputs[0]!;
  if (input!.batch && (begin[0] !== 0 || shape[0] !== input!.shape[0])) {
    throw new NotLowered("the batch is cut");
  }
  const strides = rowMajorStrides(input!.shape);
  return [
    b.window(input!, shape, strides, begin.reduce((sum, first, axis) => sum + first * strides[axis]!, 0)),
  ];
};

/** Pieces along an axis, as long as the outputs say. */
function split(b: Builder, node: GraphNode, input: Value, givenAxis: number): Value[] {
  const axis = (givenAxis + input.shape.length) % input.shape.length;
  if (input.batch && axis === 0) throw new NotLowered("the batch is cut");
  const strides = rowMajorStrides(input.shape);
  let begin = 0;
  return node.outputs.map(({ shape }) => {
    const piece = b.window(input, shape, strides, begin * strides[axis]!);
    begin += shape[axis]!;
    return piece;
  });
}

const transpose: Rule = ({ b, inputs: [input], node, constant }) => {
  const order = constant(1);
  if (input!.batch && order[0] !== 0) throw new NotLowered("the batch axis is moved");
  const strides = rowMajorStrides(input!.shape);
  return [b.window(input!, node.outputs[0]!.shape, order.map((axis) => strides[axis]!), 0)];
};

const oneHot: Rule = ({ b, inputs: [labels, , on, off], node, constant }) => {
  const depth = constant(1)[0]!, { shape, dtype } = node.outputs[0]!;
  if (attribute(node, "axis", -1) !== -1) throw new NotLowered("oneHot along another axis than the last");
  const classes = b.array(Float32Array.from({ length: depth }, (_, index) => index), [depth]);
  const hit = b.map("equal", b.reshape(labels!, [...shape.slice(0, -1), 1]), classes);
  return [b.mapTo(elementType(dtype), "select", hit, on!, off!)];
};

const concat: Rule = ({ b, inputs, node, constant }) => {
  const parts = inputs.slice(0, -1), { shape } = node.outputs[0]!;
  const axis = (constant(parts.length)[0]! + shape.length) % shape.length;
  if (parts.some((part) => part.batch) && axis === 0) throw new NotLowered("batches are joined");
  return [b.join(parts, shape, axis)];
};

/** Elements of an image from which a routine of its own pays for the memory it needs. */
const largePicture = 2048;

// ---- the table

/** Element type of a graph's dtype. */
export function elementType(dtype: TensorSpec["dtype"]): ElementType {
  if (dtype === "float32" || dtype === "int32" || dtype === "uint8" || dtype === "bool") return dtype;
  throw new NotLowered(`${dtype} is not supported`);
}

/** A constant tensor of the graph. */
export function constantValue(b: Builder, { dtype, shape, data }: HostTensor): Value {
  const type = dtype === "int64" ? "int32" : elementType(dtype);
  const numbers = Float32Array.from(data as ArrayLike<number | bigint>, Number);
  if (dtype !== "float32" && numbers.some((number, index) => number !== Number(data[index]))) {
    throw new NotLowered("whole numbers are computed in float32, which is exact up to 16777216");
  }
  return b.reshape(
    elements(shape) === 1 ? b.broadcast(b.scalar(numbers[0]!, type), shape) : b.array(numbers, shape, type),
    shape,
  );
}

/** How each operator of TensorFlow is computed here. */
export const rules: Readonly<Record<string, Rule>> = {
  Identity: same,
  StopGradient: same,
  Const: ({ b, node }) => [constantValue(b, attribute(node, "value", undefined as unknown as HostTensor))],
  Cast: ({ b, node, inputs: [input] }) => {
    const type = elementType(node.outputs[0]!.dtype);
    if (type === input!.type) return [input!];
    if (type === "bool") return [b.map("notEqual", input!, b.scalar(0))];
    if (type === "uint8" && input!.type === "int32") {
      // The last eight bits.
      const bytes = b.map("floor", b.mapTo("float32", "multiply", input!, b.scalar(1 / 256)));
      return [b.mapTo(type, "subtract", input!, b.map("multiply", bytes, b.scalar(256)))];
    }
    // From fractions to integers is towards zero.
    const whole = input!.type === "float32"
      ? b.map("multiply", b.map("sign", input!), b.map("floor", b.map("abs", input!)))
      : input!;
    if (type === "uint8") {
      return [b.mapTo(type, "minimum", b.map("maximum", whole, b.scalar(0)), b.scalar(255))];
    }
    return [b.mapTo(type, "copy", type === "float32" ? input! : whole)];
  },

  Add: binary("add"),
  AddV2: binary("add"),
  Sub: binary("subtract"),
  Mul: binary("multiply"),
  RealDiv: binary("divide"),
  Maximum: binary("maximum"),
  Minimum: binary("minimum"),
  SquaredDifference: ({ b, inputs: [x, y] }) => {
    const difference = b.map("subtract", x!, y!);
    return [b.map("multiply", difference, difference)];
  },
  AddN: ({ b, inputs }) => [inputs.reduce((sum, input) => b.map("add", sum, input))],
  Neg: unary("negate"),
  Abs: unary("abs"),
  Sign: unary("sign"),
  Floor: unary("floor"),
  Sqrt: unary("sqrt"),
  Rsqrt: unary("rsqrt"),
  Reciprocal: unary("reciprocal"),
  Square: ({ b, inputs: [x] }) => [b.map("multiply", x!, x!)],
  Exp: unary("exp"),
  Log: unary("log"),
  Tanh: unary("tanh"),
  Sigmoid: ({ b, inputs: [x] }) => {
    const { batch, shape } = x!;
    const size = elements(shape.slice(1));
    if (!batch || size < largePicture) return [b.map("sigmoid", x!)];
    return b.call({ kind: "sigmoid", size }, [x!], [{ shape, batch }]);
  },
  SigmoidGrad: ({ b, inputs: [y, dy] }) => [
    b.map("multiply", dy!, b.map("multiply", y!, b.map("subtract", b.scalar(1), y!))),
  ],
  Relu: ({ b, inputs: [x] }) => [b.map("maximum", x!, b.scalar(0))],
  Relu6: ({ b, inputs: [x] }) => [relu6(b, x!)],
  ReluGrad: gate((b, y) => b.map("greater", y, b.scalar(0))),
  Relu6Grad: gate((b, y) => b.map("and", b.map("greater", y, b.scalar(0)), b.map("less", y, b.scalar(6)))),
  Equal: binary("equal"),
  NotEqual: binary("notEqual"),
  Less: binary("less"),
  LessEqual: binary("lessEqual"),
  Greater: binary("greater"),
  GreaterEqual: binary("greaterEqual"),
  LogicalAnd: binary("and"),
  LogicalOr: binary("or"),
  LogicalNot: unary("not"),
  IsFinite: unary("isFinite"),
  IsNan: ({ b, inputs: [x] }) => [b.map("notEqual", x!, x!)],
  Select: ({ b, inputs: [condition, yes, no] }) => {
    // One condition may choose a whole row.
    const rows = condition!.shape.length === 1
      ? [condition!.shape[0]!, ...yes!.shape.slice(1).map(() => 1)]
      : condition!.shape;
    return [b.map("select", b.reshape(condition!, rows), yes!, no!)];
  },
  SelectV2: ({ b, inputs: [condition, yes, no] }) => [b.map("select", condition!, yes!, no!)],
  ZerosLike: ({ b, inputs: [x] }) => [b.broadcast(b.scalar(0, x!.type), x!.shape)],
  OnesLike: ({ b, inputs: [x] }) => [b.broadcast(b.scalar(1, x!.type), x!.shape)],
  Fill: ({ b, node, inputs: [, value] }) => [b.broadcast(value!, node.outputs[0]!.shape)],

  Sum: reduction("add"),
  Mean: reduction("add", true),
  Max: reduction("maximum"),
  Min: reduction("minimum"),
  ArgMax: position("maximum"),
  ArgMin: position("minimum"),
  Softmax: ({ b, inputs: [x] }) => [softmax(b, x!, false)],
  LogSoftmax: ({ b, inputs: [x] }) => [softmax(b, x!, true)],

  BiasAdd: channelsLast(binary("add")),
  BiasAddGrad: channelsLast(({ b, inputs: [dy] }) => [
    b.reshape(b.reduce("add", dy!, dy!.shape.map((_, axis) => axis).slice(0, -1)), [dy!.shape.at(-1)!]),
  ]),
  FusedBatchNormV3: channelsLast(batchNorm),
  FusedBatchNormGradV3: channelsLast(batchNormGradient),
  FakeQuantWithMinMaxVars: fakeQuantization,
  FakeQuantWithMinMaxVarsGradient: fakeQuantizationGradient,
  FakeQuantWithMinMaxVarsPerChannel: fakeQuantization,
  FakeQuantWithMinMaxVarsPerChannelGradient: fakeQuantizationGradient,
  Conv2D: channelsLast(convolution("forward", false)),
  Conv2DBackpropInput: channelsLast(convolution("input-gradient", false)),
  Conv2DBackpropFilter: channelsLast(convolution("filter-gradient", false)),
  DepthwiseConv2dNative: channelsLast(convolution("forward", true)),
  DepthwiseConv2dNativeBackpropInput: channelsLast(convolution("input-gradient", true)),
  DepthwiseConv2dNativeBackpropFilter: channelsLast(convolution("filter-gradient", true)),
  MatMul: matrixProduct("transpose_a", "transpose_b"),
  BatchMatMulV2: matrixProduct("adj_x", "adj_y"),

  Reshape: ({ b, node, inputs: [input] }) => [b.reshape(input!, node.outputs[0]!.shape)],
  ExpandDims: ({ b, node, inputs: [input] }) => [b.reshape(input!, node.outputs[0]!.shape)],
  Squeeze: ({ b, node, inputs: [input] }) => [b.reshape(input!, node.outputs[0]!.shape)],
  BroadcastTo: ({ b, node, inputs: [input] }) => [b.broadcast(input!, node.outputs[0]!.shape)],
  Pad: pad,
  PadV2: pad,
  Slice: slice,
  Split: ({ b, node, inputs: [, input], constant }) => split(b, node, input!, constant(0)[0]!),
  SplitV: ({ b, node, inputs: [input], constant }) => split(b, node, input!, constant(2)[0]!),
  Transpose: transpose,
  ConcatV2: concat,
  OneHot: oneHot,
};
