import { broadcast, wantShape } from "./elementwise.ts";
import { equal, type NodeView, type Shape, type ShapeRule, show } from "./node_view.ts";

/** Rows and columns of the last two axes, `[rows, columns]` of the product. */
function multiply(node: NodeView, transposeLeft: boolean, transposeRight: boolean): [number, number] {
  const [rows, inner] = lastTwo(node.shape(0), transposeLeft);
  const [wanted, columns] = lastTwo(node.shape(1), transposeRight);
  if (inner !== wanted) node.refuse(`the inner lengths must be equal, found ${inner} and ${wanted}`);
  return [rows, columns];
}

function lastTwo(shape: Shape, transposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2);
  return transposed ? [columns, rows] : [rows, columns];
}

const matMul: ShapeRule = (node) => {
  node.withRank(0, 2);
  node.withRank(1, 2);
  return [multiply(node, node.bool("transpose_a"), node.bool("transpose_b"))];
};

const batchMatMul = (broadcasts: boolean): ShapeRule => (node) => {
  const left = node.withRank(0, 2, true).slice(0, -2), right = node.withRank(1, 2, true).slice(0, -2);
  if (!broadcasts && !equal(left, right)) {
    node.refuse(`the axes before the last two must be equal, found ${show(left)} and ${show(right)}`);
  }
  const batch = broadcast(node, [left, right], "the axes before the last two, ");
  return [[...batch, ...multiply(node, node.bool("adj_x"), node.bool("adj_y"))]];
};

/** `ab,bc->ac`; `...` stands for any number of axes, which are broadcast. */
const einsum: ShapeRule = (node: NodeView) => {
  const equation = node.string("equation");
  const subscripts = /^([^>]*)->([^>]*)$/.exec(equation);
  if (subscripts === null) node.refuse(`equation must have one "->", found "${equation}"`);
  const terms = subscripts[1].split(",");
  if (terms.length !== node.inputs.length) {
    node.refuse(`equation "${equation}" has ${terms.length} inputs, and ${node.inputs.length} were given`);
  }
  const lengths = new Map<string, number>();
  const rests: Shape[] = [];
  terms.forEach((term, input) => {
    const shape = node.shape(input);
    const [before, after, ...more] = term.split("...");
    const labels = [...before, ...(after ?? "")];
    if (more.length > 0 || !labels.every((label) => /[A-Za-z]/.test(label))) {
      node.refuse(`equation must have letters and at most one "..." for each input, found "${term}"`);
    }
    const rest = shape.length - labels.length;
    if (rest < 0 || (rest > 0 && after === undefined)) {
      node.refuse(`"${term}" of the equation is for rank ${labels.length}, found rank ${shape.length}`);
    }
    if (after !== undefined) rests.push(shape.slice(before.length, before.length + rest));
    labels.forEach((label, index) => {
      const length = shape[index < before.length ? index : index + rest];
      const known = lengths.get(label);
      if (known !== undefined && known !== length) {
        node.refuse(`axis ${label} of the equation has the lengths ${known} and ${length}`);
      }
      lengths.set(label, length);
    });
  });
  const rest = rests.length === 0 ? [] : broadcast(node, rests);
  const [before, after, ...more] = subscripts[2].split("...");
  const labels = [...before, ...(after ?? "")];
  const wrong = labels.find((label, index) => !lengths.has(label) || labels.indexOf(label) !== index);
  if (wrong !== undefined || more.length > 0) {
    node.refuse(`the output "${subscripts[2]}" must have axes of the inputs, each once`);
  }
  if (after === undefined && rest.length > 0) node.refuse(`the output "${subscripts[2]}" must have "..."`);
  const of = (labels: string) => [...labels].map((label) => lengths.get(label)!);
  return [[...of(before), ...(after === undefined ? [] : rest), ...of(after ?? "")]];
};

const diagPart: ShapeRule = (node) => {
  const shape = node.shape(0), half = shape.length / 2;
  if (half === 0 || !Number.isInteger(half) || !equal(shape.slice(0, half), shape.slice(half))) {
    node.refuse(`${node.name(0)} must have the same axes twice, found ${show(shape)}`);
  }
  return [shape.slice(0, half)];
};

const matrixDiagPart = (shape: Shape): Shape => [...shape.slice(0, -2), Math.min(...shape.slice(-2))];

/** Matrices. */
export const linearAlgebraRules: Readonly<Record<string, ShapeRule>> = {
  BatchMatMul: batchMatMul(false),
  BatchMatMulV2: batchMatMul(true),
  Diag: (node) => [[...node.withRank(0, 1, true), ...node.shape(0)]],
  DiagPart: diagPart,
  Einsum: einsum,
  MatMul: matMul,
  MatrixBandPart: (node) => {
    wantShape(node, 1, []);
    wantShape(node, 2, []);
    return [node.withRank(0, 2, true)];
  },
  MatrixDiag: (node) => [[...node.withRank(0, 1, true), node.shape(0).at(-1)!]],
  MatrixDiagPart: (node) => [matrixDiagPart(node.withRank(0, 2, true))],
  MatrixSetDiag: (node) => {
    wantShape(node, 1, matrixDiagPart(node.withRank(0, 2, true)));
    return [node.shape(0)];
  },
};
