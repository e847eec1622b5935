import { equal, type NodeView, type Shape, type ShapeRule, show, unchanged } from "./node_view.ts";

/** Lengths of 1 are repeated, axes are counted from the last one. */
export function broadcast(node: NodeView, shapes: readonly Shape[], what?: string): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let length = 1;
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1;
      if (own === 1 || own === length) continue;
      if (length !== 1) {
        node.refuse(`${what ?? ""}${shapes.map(show).join(" and ")} cannot be broadcast to one shape`);
      }
      length = own;
    }
    return length;
  });
}

/** Checks that an input has a certain shape. */
export function wantShape(node: NodeView, input: number, wanted: Shape): void {
  if (!equal(node.shape(input), wanted)) {
    node.refuse(`${node.name(input)} must have shape ${show(wanted)}, found ${show(node.shape(input))}`);
  }
}

const broadcasting: ShapeRule = (node) => [broadcast(node, node.inputs.map(({ shape }) => shape))];

/** All inputs have the same shape. */
export const same: ShapeRule = (node) => {
  for (let input = 1; input < node.inputs.length; input++) wantShape(node, input, node.shape(0));
  return [node.shape(0)];
};

/** `Select` takes a condition of its own shape, one for each row, or a single one. */
const select: ShapeRule = (node) => {
  wantShape(node, 2, node.shape(1));
  const condition = node.shape(0), shape = node.shape(1);
  const forRows = condition.length === 1 && shape.length > 0 && condition[0] === shape[0];
  if (condition.length > 0 && !forRows && !equal(condition, shape)) {
    node.refuse(`condition must be a scalar, or have shape ${show(shape)} or [${shape[0] ?? ""}]`);
  }
  return [shape];
};

const clip: ShapeRule = (node) => {
  for (const bound of [1, 2]) if (node.shape(bound).length > 0) wantShape(node, bound, node.shape(0));
  return [node.shape(0)];
};

/** Inputs (the first `given`), then the bounds min and max: scalars, or one for each channel. */
const fakeQuantise = (given: number, perChannel: boolean): ShapeRule => (node) => {
  const shape = node.withRank(0, perChannel ? 1 : 0, true);
  if (given === 2) wantShape(node, 1, shape);
  const bounds = perChannel ? [shape[shape.length - 1]] : [];
  for (const bound of [given, given + 1]) wantShape(node, bound, bounds);
  return given === 1 ? [shape] : [shape, bounds, bounds];
};

/** Operators that keep the shape of their input. */
const unary = [
  ..."Abs Acos Acosh Angle Asin Asinh Atan Atanh Cast Ceil CheckNumerics ComplexAbs Conj Cos Cosh".split(" "),
  ..."Digamma Elu Erf Erfc Erfinv Exp Expm1 FakeQuantWithMinMaxArgs Floor Identity Imag Inv Invert".split(
    " ",
  ),
  ..."IsFinite IsInf IsNan LeakyRelu Lgamma Log Log1p LogicalNot Neg OnesLike PreventGradient Real".split(
    " ",
  ),
  ..."Reciprocal Relu Relu6 Rint Round Rsqrt Selu Sigmoid Sign Sin Sinh Snapshot Softplus Softsign".split(
    " ",
  ),
  ..."Sqrt Square StopGradient Tan Tanh ZerosLike".split(" "),
];

/** Operators that broadcast their inputs. */
const binary = [
  ..."Add AddV2 ApproximateEqual Atan2 BitwiseAnd BitwiseOr BitwiseXor Complex Div DivNoNan".split(" "),
  ..."Equal FloorDiv FloorMod Greater GreaterEqual LeftShift Less LessEqual LogicalAnd LogicalOr".split(" "),
  ..."Maximum Minimum Mod Mul MulNoNan NextAfter NotEqual Pow RealDiv RightShift SelectV2".split(" "),
  ..."SquaredDifference Sub TruncateDiv TruncateMod Xdivy Xlog1py Xlogy".split(" "),
];

/** Operators whose inputs have one shape. */
const equalShapes = [
  ..."AddN EluGrad FakeQuantWithMinMaxArgsGradient LeakyReluGrad ReciprocalGrad Relu6Grad ReluGrad".split(
    " ",
  ),
  ..."RsqrtGrad SeluGrad SigmoidGrad SoftplusGrad SoftsignGrad SqrtGrad TanhGrad".split(" "),
];

const all = (ops: string[], rule: ShapeRule) => Object.fromEntries(ops.map((op) => [op, rule]));

/** Element by element. */
export const elementwiseRules: Readonly<Record<string, ShapeRule>> = {
  ...all(unary, unchanged),
  ...all(binary, broadcasting),
  ...all(equalShapes, same),
  ClipByValue: clip,
  FakeQuantWithMinMaxVars: fakeQuantise(1, false),
  FakeQuantWithMinMaxVarsGradient: fakeQuantise(2, false),
  FakeQuantWithMinMaxVarsPerChannel: fakeQuantise(1, true),
  FakeQuantWithMinMaxVarsPerChannelGradient: fakeQuantise(2, true),
  IdentityN: (node) => node.inputs.map(({ shape }) => shape),
  Select: select,
};
