import { sizeOf } from "../host_tensor.ts";
import { broadcast, wantShape } from "./elementwise.ts";
import { equal, type NodeView, scalar, type Shape, type ShapeRule, show } from "./node_view.ts";

const reshape: ShapeRule = (node) => {
  const wanted = [...node.vector(1)], size = sizeOf(node.shape(0));
  const open = wanted.indexOf(-1);
  const rest = sizeOf(wanted.filter((_, axis) => axis !== open));
  if (wanted.some((length, axis) => length < 0 && axis !== open)) {
    node.refuse(`${node.name(1)} must not be negative but for one -1, found ${show(wanted)}`);
  }
  if (open >= 0) {
    if (rest === 0 ? size !== 0 : size % rest !== 0) {
      node.refuse(`${size} elements do not fit shape ${show(wanted)}`);
    }
    // TensorFlow leaves open what nothing tells.
    if (rest === 0) node.refuse(`the -1 of shape ${show(wanted)} could be any length`);
    wanted[open] = size / rest;
  } else if (rest !== size) {
    node.refuse(`${size} elements do not fit shape ${show(wanted)}`);
  }
  return [wanted];
};

const expandDims: ShapeRule = (node) => {
  const shape = node.shape(0);
  return [shape.toSpliced(node.axis(node.scalar(1), shape.length + 1), 0, 1)];
};

const squeeze: ShapeRule = (node) => {
  const shape = node.shape(0);
  const axes = new Set(node.ints("squeeze_dims").map((axis) => node.axis(axis, shape.length)));
  for (const axis of axes) {
    if (shape[axis] !== 1) node.refuse(`axis ${axis} cannot be left out: its length is ${shape[axis]}`);
  }
  return [shape.filter((length, axis) => axes.size === 0 ? length !== 1 : !axes.has(axis))];
};

const transpose: ShapeRule = (node) => {
  const shape = node.shape(0), rank = shape.length;
  const perm = node.vector(1, rank).map((axis) => node.axis(axis, rank));
  if (new Set(perm).size !== rank) node.refuse(`perm must name each axis once, found ${show(perm)}`);
  return [perm.map((axis) => shape[axis])];
};

const tile: ShapeRule = (node) => {
  const shape = node.shape(0);
  node.vector(1, shape.length);
  const multiples = node.shapeFrom(1);
  return [shape.map((length, axis) => length * multiples[axis])];
};

const broadcastTo: ShapeRule = (node) => {
  const wanted = node.shapeFrom(1);
  if (!equal(broadcast(node, [node.shape(0), wanted]), wanted)) {
    node.refuse(`${show(node.shape(0))} cannot be broadcast to ${show(wanted)}`);
  }
  return [wanted];
};

const slice: ShapeRule = (node) => {
  const shape = node.shape(0), rank = shape.length;
  const begin = node.vector(1, rank), size = node.vector(2, rank);
  return [shape.map((length, axis) => {
    const taken = size[axis] === -1 ? length - begin[axis] : size[axis];
    if (begin[axis] < 0 || taken < 0 || begin[axis] + taken > length) {
      node.refuse(
        `axis ${axis} has length ${length}, found begin ${begin[axis]} and size ${size[axis]}`,
      );
    }
    return taken;
  })];
};

/** Python's `x[begin:end:stride, ...]`, the bits of the masks telling what is left out or special. */
function strided(node: NodeView, shape: Shape, begin: number): Shape {
  const count = node.shape(begin)[0];
  const [from, to, steps] = [begin, begin + 1, begin + 2].map((input) => node.vector(input, count));
  const bit = (mask: string, index: number) => (node.int(mask) >> index & 1) === 1;
  const ellipses = from.flatMap((_, index) => bit("ellipsis_mask", index) ? [index] : []);
  if (ellipses.length > 1) node.refuse("only one ellipsis is allowed");
  const ellipsis = ellipses[0] ?? count;
  const taken = from.filter((_, index) => index !== ellipsis && !bit("new_axis_mask", index)).length;
  if (taken > shape.length) node.refuse(`it slices ${taken} axes of ${show(shape)}`);
  const output: number[] = [];
  let axis = 0;
  for (let index = 0; index <= count; index++) {
    if (index === ellipsis) {
      const next = axis + shape.length - taken;
      output.push(...shape.slice(axis, next));
      axis = next;
    } else if (index < count && bit("new_axis_mask", index)) {
      output.push(1);
    } else if (index < count) {
      const length = shape[axis], step = steps[index];
      if (step === 0) node.refuse(`${node.name(begin + 2)} must not be 0`);
      const counted = (value: number) => value < 0 ? value + length : value;
      if (bit("shrink_axis_mask", index)) {
        const at = bit("begin_mask", index) ? 0 : counted(from[index]);
        if (at < 0 || at >= length) {
          node.refuse(`index ${from[index]} is out of range for axis ${axis} of length ${length}`);
        }
        if (step < 0) node.refuse(`${node.name(begin + 2)} must be positive where one index is taken`);
      } else {
        const [first, last] = step > 0 ? [0, length] : [length - 1, -1];
        const clamp = (value: number) =>
          Math.min(Math.max(counted(value), Math.min(first, last)), Math.max(first, last));
        const start = bit("begin_mask", index) ? first : clamp(from[index]);
        const end = bit("end_mask", index) ? last : clamp(to[index]);
        output.push(Math.max(0, Math.ceil((end - start) / step)));
      }
      axis++;
    }
  }
  return output;
}

const stridedSliceGradient: ShapeRule = (node) => {
  const shape = node.shapeFrom(0);
  wantShape(node, 4, strided(node, shape, 1));
  return [shape];
};

/** The numbers before and after each axis, `[rank, 2]`. */
function paddings(node: NodeView, rank: number, input = 1): (readonly [number, number])[] {
  wantShape(node, input, [rank, 2]);
  const values = node.values(input);
  if (values.some((value) => value < 0)) {
    node.refuse(`${node.name(input)} must not be negative, found ${show(values)}`);
  }
  return Array.from({ length: rank }, (_, axis) => [values[2 * axis], values[2 * axis + 1]]);
}

const pad: ShapeRule = (node) => {
  const shape = node.shape(0);
  if (node.inputs.length > 2) wantShape(node, 2, []);
  const around = paddings(node, shape.length);
  return [shape.map((length, axis) => length + around[axis][0] + around[axis][1])];
};

const mirrorPad: ShapeRule = (node) => {
  const shape = node.shape(0), edge = node.string("mode") === "REFLECT" ? 1 : 0;
  return [
    paddings(node, shape.length).map(([before, after], axis) => {
      const most = shape[axis] - edge;
      if (Math.max(before, after) > Math.max(most, 0)) {
        node.refuse(
          `axis ${axis} of length ${
            shape[axis]
          } can be mirrored by up to ${most}, found ${before} and ${after}`,
        );
      }
      return shape[axis] + before + after;
    }),
  ];
};

const mirrorPadGradient: ShapeRule = (node) => {
  const shape = node.shape(0);
  return [
    paddings(node, shape.length).map(([before, after], axis) => {
      const length = shape[axis] - before - after;
      if (length < 0) {
        node.refuse(
          `axis ${axis} of length ${shape[axis]} has no ${before} + ${after} elements to leave out`,
        );
      }
      return length;
    }),
  ];
};

function concatenate(node: NodeView, shapes: readonly Shape[], axis: number): Shape {
  const at = node.axis(axis, shapes[0].length);
  const others = (shape: Shape) => shape.toSpliced(at, 1);
  for (const shape of shapes) {
    if (shape.length !== shapes[0].length || !equal(others(shape), others(shapes[0]))) {
      node.refuse(`all axes but ${at} must be equal, found ${show(shapes[0])} and ${show(shape)}`);
    }
  }
  return shapes[0].with(at, shapes.reduce((sum, shape) => sum + shape[at], 0));
}

const shapesOf = (node: NodeView) => node.inputs.map(({ shape }) => shape);

const pack: ShapeRule = (node) => {
  const [first, ...others] = shapesOf(node);
  const different = others.find((shape) => !equal(shape, first));
  if (different !== undefined) {
    node.refuse(`all shapes must be equal, found ${show(first)} and ${show(different)}`);
  }
  return [first.toSpliced(node.axis(node.int("axis"), first.length + 1), 0, node.inputs.length)];
};

const unpack: ShapeRule = (node) => {
  const shape = node.withRank(0, 1, true), axis = node.axis(node.int("axis"), shape.length);
  const count = node.int("num");
  if (shape[axis] !== count) node.refuse(`axis ${axis} has length ${shape[axis]}, found num ${count}`);
  return Array<Shape>(count).fill(shape.toSpliced(axis, 1));
};

const split: ShapeRule = (node) => {
  const shape = node.shape(1), axis = node.axis(node.scalar(0), shape.length);
  const count = node.int("num_split");
  if (shape[axis] % count !== 0) {
    node.refuse(`axis ${axis} of length ${shape[axis]} cannot be split into ${count} equal parts`);
  }
  return Array<Shape>(count).fill(shape.with(axis, shape[axis] / count));
};

const splitBySizes: ShapeRule = (node) => {
  const shape = node.shape(0), axis = node.axis(node.scalar(2), shape.length);
  const sizes = [...node.vector(1, node.int("num_split"))];
  const sum = sizes.reduce((sum, size) => sum + Math.max(size, 0), 0);
  const open = sizes.indexOf(-1);
  if (open >= 0) sizes[open] = shape[axis] - sum;
  if (sizes.some((size) => size < 0) || (open < 0 && sum !== shape[axis])) {
    node.refuse(`axis ${axis} of length ${shape[axis]} cannot be split into ${show(node.values(1))}`);
  }
  return sizes.map((size) => shape.with(axis, size));
};

const gather: ShapeRule = (node) => {
  const params = node.shape(0), indices = node.shape(1);
  const axis = node.axis(node.scalar(2), params.length);
  const given = node.int("batch_dims");
  const batch = given < 0 ? given + indices.length : given;
  if (batch < 0 || batch > indices.length || batch > axis) {
    node.refuse(`batch_dims must be 0 to the smaller of axis and the rank of indices, found ${given}`);
  }
  if (!equal(params.slice(0, batch), indices.slice(0, batch))) {
    node.refuse(`params and indices must have the same first ${batch} axes`);
  }
  return [[...params.slice(0, axis), ...indices.slice(batch), ...params.slice(axis + 1)]];
};

/** Shape of the slices of a tensor that the rows of `indices` name, with the axes of `indices` before them. */
function slices(node: NodeView, tensor: Shape, indices: Shape): Shape {
  const depth = indices[indices.length - 1];
  if (depth > tensor.length) {
    node.refuse(`${depth} indices are too many for a tensor of shape ${show(tensor)}`);
  }
  return [...indices.slice(0, -1), ...tensor.slice(depth)];
}

const scatterNd: ShapeRule = (node) => {
  const shape = node.shapeFrom(2);
  wantShape(node, 1, slices(node, shape, node.withRank(0, 1, true)));
  return [shape];
};

const tensorScatter: ShapeRule = (node) => {
  wantShape(node, 2, slices(node, node.shape(0), node.withRank(1, 1, true)));
  return [node.shape(0)];
};

const oneHot: ShapeRule = (node) => {
  const shape = node.shape(0), depth = node.scalar(1);
  wantShape(node, 2, []);
  wantShape(node, 3, []);
  if (depth < 0) node.refuse(`depth must not be negative, found ${depth}`);
  return [shape.toSpliced(node.axis(node.int("axis"), shape.length + 1), 0, depth)];
};

const range: ShapeRule = (node) => {
  const [start, limit, delta] = [0, 1, 2].map((input) => node.scalar(input));
  if (delta === 0) node.refuse("delta must not be 0");
  if (delta > 0 ? start > limit : start < limit) {
    node.refuse(`limit ${limit} cannot be reached from ${start} in steps of ${delta}`);
  }
  // Rounded as TensorFlow's numbers are.
  const round = node.inputs[0].dtype === "float32" ? Math.fround : (value: number) => value;
  return [[Math.ceil(Math.abs(round(round(limit - start) / delta)))]];
};

const linSpace: ShapeRule = (node) => {
  wantShape(node, 0, []);
  wantShape(node, 1, []);
  const count = node.scalar(2);
  if (count < 1) node.refuse(`num must be positive, found ${count}`);
  return [[count]];
};

const reverse: ShapeRule = (node) => {
  const shape = node.shape(0);
  const axes = node.vector(1).map((axis) => node.axis(axis, shape.length));
  if (new Set(axes).size < axes.length) node.refuse(`axis must name no axis twice, found ${show(axes)}`);
  return [shape];
};

/** Blocks of `block_shape` and what is added to (or cut off from) the axes after the first. */
function blocks(node: NodeView): { block: Shape; around: (readonly [number, number])[] } {
  const block = node.vector(1);
  if (block.some((length) => length < 1)) node.refuse(`block_shape must be positive, found ${show(block)}`);
  node.withRank(0, block.length + 1, true);
  return { block, around: paddings(node, block.length, 2) };
}

const spaceToBatch: ShapeRule = (node) => {
  const { block, around } = blocks(node);
  const shape = [...node.shape(0)];
  block.forEach((length, index) => {
    const padded = shape[index + 1] + around[index][0] + around[index][1];
    if (padded % length !== 0) {
      node.refuse(`axis ${index + 1}, with its paddings ${padded}, is not a multiple of ${length}`);
    }
    shape[index + 1] = padded / length;
  });
  shape[0] *= sizeOf(block);
  return [shape];
};

const batchToSpace: ShapeRule = (node) => {
  const { block, around } = blocks(node);
  const shape = [...node.shape(0)];
  if (shape[0] % sizeOf(block) !== 0) {
    node.refuse(`the batch of ${shape[0]} is not a multiple of ${sizeOf(block)}`);
  }
  shape[0] /= sizeOf(block);
  block.forEach((length, index) => {
    shape[index + 1] = shape[index + 1] * length - around[index][0] - around[index][1];
    if (shape[index + 1] < 0) node.refuse(`crops of axis ${index + 1} are more than there is`);
  });
  return [shape];
};

/** Squares of pixels become channels, or channels squares of pixels. */
const pixelsAndChannels = (toChannels: boolean): ShapeRule => (node) => {
  const format = node.string("data_format"), size = node.int("block_size");
  if (format === "NCHW_VECT_C") node.depends(`and there is no rule for data_format ${format}`);
  const shape = [...node.withRank(0, 4)], channels = format.indexOf("C");
  const scale = (axis: number, by: number, multiply: boolean) => {
    if (!multiply && shape[axis] % by !== 0) {
      node.refuse(`axis ${axis} of length ${shape[axis]} is not a multiple of ${by}`);
    }
    shape[axis] = multiply ? shape[axis] * by : shape[axis] / by;
  };
  scale(format.indexOf("H"), size, !toChannels);
  scale(format.indexOf("W"), size, !toChannels);
  scale(channels, size * size, toChannels);
  return [shape];
};

const unique: ShapeRule = (node) => {
  const shape = node.shape(0);
  if (node.inputs.length === 1) return [[-1], [node.withRank(0, 1)[0]]];
  const axes = node.values(1);
  if (axes.length > 1) node.refuse(`axis must name one axis at most, found ${show(axes)}`);
  if (axes.length === 0) return [[-1], [node.withRank(0, 1)[0]]];
  const axis = node.axis(axes[0], shape.length);
  return [shape.with(axis, -1), [shape[axis]]];
};

const sparseToDense: ShapeRule = (node) => {
  wantShape(node, 3, []);
  return [node.shapeFrom(1)];
};

const random: ShapeRule = (node) => {
  if (node.inputs.length > 1) wantShape(node, 1, [2]);
  for (const bound of [2, 3]) if (node.inputs.length > bound) wantShape(node, bound, []);
  return [node.shapeFrom(0)];
};

const multinomial: ShapeRule = (node) => {
  if (node.inputs.length > 2) wantShape(node, 2, [2]);
  const count = node.scalar(1);
  if (count < 0) node.refuse(`num_samples must not be negative, found ${count}`);
  return [[node.withRank(0, 2)[0], count]];
};

const ensureShape: ShapeRule = (node) => {
  const shape = node.shape(0), wanted = node.shapeAttribute("shape");
  const fits = wanted === undefined ||
    (wanted.length === shape.length && wanted.every((length, axis) => length < 0 || length === shape[axis]));
  if (!fits) node.refuse(`its shape must be ${show(wanted)}`);
  return [shape];
};

/** Elements stay what they are and get other places. */
export const reshapingRules: Readonly<Record<string, ShapeRule>> = {
  BatchToSpaceND: batchToSpace,
  BroadcastArgs: (node) => [[Math.max(node.withRank(0, 1)[0], node.withRank(1, 1)[0])]],
  BroadcastTo: broadcastTo,
  Concat: (node) => [concatenate(node, shapesOf(node).slice(1), node.scalar(0))],
  ConcatV2: (node) => [concatenate(node, shapesOf(node).slice(0, -1), node.scalar(node.inputs.length - 1))],
  Const: (node) => [node.tensor("value").shape],
  DepthToSpace: pixelsAndChannels(false),
  EnsureShape: ensureShape,
  ExpandDims: expandDims,
  Fill: (node) => {
    wantShape(node, 1, []);
    return [node.shapeFrom(0)];
  },
  Gather: (node) => [[...node.shape(1), ...node.withRank(0, 1, true).slice(1)]],
  GatherNd: (node) => [slices(node, node.shape(0), node.withRank(1, 1, true))],
  GatherV2: gather,
  InvertPermutation: (node) => [node.withRank(0, 1)],
  LinSpace: linSpace,
  MirrorPad: mirrorPad,
  MirrorPadGrad: mirrorPadGradient,
  Multinomial: multinomial,
  NonMaxSuppressionV3: () => [[-1]],
  OneHot: oneHot,
  Pack: pack,
  Pad: pad,
  PadV2: pad,
  PlaceholderWithDefault: ensureShape,
  RandomStandardNormal: random,
  RandomUniform: random,
  Range: range,
  Rank: scalar,
  Reshape: reshape,
  ReverseV2: reverse,
  Roll: (node) => [node.withRank(0, 1, true)],
  ScatterNd: scatterNd,
  Shape: (node) => [[node.shape(0).length]],
  Size: scalar,
  Slice: slice,
  SpaceToBatchND: spaceToBatch,
  SpaceToDepth: pixelsAndChannels(true),
  SparseToDense: sparseToDense,
  Split: split,
  SplitV: splitBySizes,
  Squeeze: squeeze,
  StatelessMultinomial: multinomial,
  StatelessRandomNormal: random,
  StatelessRandomUniform: random,
  StatelessRandomUniformInt: random,
  StatelessTruncatedNormal: random,
  StridedSlice: (node) => [strided(node, node.shape(0), 1)],
  StridedSliceGrad: stridedSliceGradient,
  TensorScatterAdd: tensorScatter,
  TensorScatterMax: tensorScatter,
  TensorScatterMin: tensorScatter,
  TensorScatterSub: tensorScatter,
  TensorScatterUpdate: tensorScatter,
  Tile: tile,
  Transpose: transpose,
  TruncatedNormal: random,
  Unique: unique,
  UniqueV2: unique,
  Unpack: unpack,
  Where: (node) => [[-1, node.shape(0).length]],
};
