import { broadcast, wantShape } from "./elementwise.ts";
import { type NodeView, scalar, type Shape, type ShapeRule, show, unchanged } from "./node_view.ts";

const reduce: ShapeRule = (node) => {
  const shape = node.shape(0);
  if (node.shape(1).length > 1) node.refuse(`${node.name(1)} must be a list of axes`);
  const axes = new Set<number>();
  for (const given of node.values(1)) {
    const axis = node.axis(given, shape.length);
    if (axes.has(axis)) node.refuse(`axis ${given} is named twice`);
    axes.add(axis);
  }
  return [
    node.bool("keep_dims")
      ? shape.map((length, axis) => axes.has(axis) ? 1 : length)
      : shape.filter((_, axis) => !axes.has(axis)),
  ];
};

const argument: ShapeRule = (node) => {
  const shape = node.withRank(0, 1, true);
  const axis = node.axis(node.scalar(1), shape.length);
  return [shape.toSpliced(axis, 1)];
};

const accumulate: ShapeRule = (node) => {
  const [axis] = node.knownValues(1) ?? [];
  if (node.shape(1).length > 0) node.refuse(`${node.name(1)} must be a scalar`);
  if (axis !== undefined) node.axis(axis, node.shape(0).length);
  return [node.shape(0)];
};

function largest(node: NodeView, k: number): Shape[] {
  const shape = node.withRank(0, 1, true);
  const length = shape[shape.length - 1];
  if (k < 0 || k > length) node.refuse(`k must be 0 to ${length}, found ${k}`);
  const found = [...shape.slice(0, -1), k];
  return [found, found];
}

/** Rank 1 or more. */
export const unchangedVector: ShapeRule = (node) => [node.withRank(0, 1, true)];

const crossEntropy: ShapeRule = (node) => {
  const shape = broadcast(node, [node.shape(0), node.shape(1)]);
  if (shape.length !== 2) node.refuse(`logits and labels must have rank 2, found ${show(shape)}`);
  return [[shape[0]], shape];
};

const sparseCrossEntropy: ShapeRule = (node) => {
  const shape = node.withRank(0, 2);
  wantShape(node, 1, [shape[0]]);
  return [[shape[0]], shape];
};

const segments: ShapeRule = (node) => {
  const data = node.shape(0), ids = node.shape(1);
  if (data.length < ids.length) node.refuse(`${node.name(1)} has a higher rank than ${node.name(0)}`);
  ids.forEach((length, axis) => {
    if (data[axis] !== length) {
      node.refuse(`${node.name(0)} must begin with the axes ${show(ids)} of ${node.name(1)}`);
    }
  });
  const count = node.scalar(2);
  if (count < 0) node.refuse(`${node.name(2)} must not be negative, found ${count}`);
  return [[count, ...data.slice(ids.length)]];
};

function size(node: NodeView, input: number): number {
  const size = node.scalar(input);
  if (size < 0) node.refuse(`${node.name(input)} must not be negative, found ${size}`);
  return size;
}

const inTop: ShapeRule = (node) => {
  const [rows] = node.withRank(0, 2);
  wantShape(node, 1, [rows]);
  wantShape(node, 2, []);
  return [[rows]];
};

/** Several elements make one. */
export const reductionRules: Readonly<Record<string, ShapeRule>> = {
  All: reduce,
  Any: reduce,
  ArgMax: argument,
  ArgMin: argument,
  Bincount: (node) => [[size(node, 1)]],
  Cumprod: accumulate,
  Cumsum: accumulate,
  DenseBincount: (node) => {
    const shape = node.withRank(0, 1, true);
    if (shape.length > 2) node.refuse(`${node.name(0)} must have rank 1 or 2, found rank ${shape.length}`);
    return [[...shape.slice(0, -1), size(node, 1)]];
  },
  EuclideanNorm: reduce,
  InTopKV2: inTop,
  L2Loss: scalar,
  LogSoftmax: unchangedVector,
  Max: reduce,
  Mean: reduce,
  Min: reduce,
  Prod: reduce,
  Softmax: unchangedVector,
  SoftmaxCrossEntropyWithLogits: crossEntropy,
  SparseSoftmaxCrossEntropyWithLogits: sparseCrossEntropy,
  Sum: reduce,
  TopKV2: (node) => largest(node, node.scalar(1)),
  UnsortedSegmentMax: segments,
  UnsortedSegmentMin: segments,
  UnsortedSegmentProd: segments,
  UnsortedSegmentSum: segments,
  FFT: unchanged,
  IFFT: unchanged,
};
