import { wantShape } from "./elementwise.ts";
import { equal, type NodeView, type Shape, type ShapeRule, show } from "./node_view.ts";

/** Where the axes of a picture are: in `NHWC` the channels last, in `NCHW` right after the batch. */
interface Layout {
  readonly channels: number;
  readonly spatial: readonly number[];
}

function layoutOf(format: string): Layout {
  const axes = [...format].map((_, axis) => axis);
  const channels = format.indexOf("C");
  return { channels, spatial: axes.filter((axis) => axis !== 0 && axis !== channels) };
}

/** An attribute with one number for each axis of the picture; those of batch and channels must be 1. */
function perAxis(node: NodeView, attribute: string, { channels, spatial }: Layout): readonly number[] {
  const given = node.ints(attribute), rank = spatial.length + 2;
  if (given.length !== rank) {
    node.refuse(`attribute ${attribute} must have ${rank} elements, found ${show(given)}`);
  }
  if (given[0] !== 1 || given[channels] !== 1 || spatial.some((axis) => given[axis] < 1)) {
    node.refuse(`attribute ${attribute} must be 1 for batch and channels and positive, found ${show(given)}`);
  }
  return given;
}

/** Length of an axis after a filter of a certain extent has gone over it. */
function slide(node: NodeView, axis: number, input: number, extent: number, stride: number): number {
  switch (node.string("padding")) {
    case "SAME":
      return Math.ceil(input / stride);
    case "EXPLICIT": {
      const paddings = node.ints("explicit_paddings");
      return fit(node, input + paddings[2 * axis] + paddings[2 * axis + 1], extent, stride);
    }
    default:
      return fit(node, input, extent, stride);
  }
}

function fit(node: NodeView, input: number, extent: number, stride: number): number {
  if (extent > input) {
    node.refuse(`the filter's extent of ${extent} is more than the ${input} it slides over`);
  }
  return Math.floor((input - extent) / stride) + 1;
}

function checkPaddings(node: NodeView, { channels, spatial }: Layout): void {
  const rank = spatial.length + 2;
  const explicit = node.string("padding") === "EXPLICIT";
  const given = node.shapeAttribute("explicit_paddings") ?? [];
  if (!explicit && given.length > 0) {
    node.refuse(`attribute explicit_paddings must be empty where padding is ${node.string("padding")}`);
  }
  if (!explicit) return;
  const inner = (axis: number) => given[2 * axis] === 0 && given[2 * axis + 1] === 0;
  if (given.length !== 2 * rank || given.some((zeros) => zeros < 0) || !inner(0) || !inner(channels)) {
    node.refuse(
      `attribute explicit_paddings must have ${
        2 * rank
      } elements, not negative, and 0 for batch and channels, ` +
        `found ${show(given)}`,
    );
  }
}

/** Shape of what a convolution makes of a picture and a filter. */
function convolve(node: NodeView, input: Shape, filter: Shape, depthwise: boolean, format: string): Shape {
  const layout = layoutOf(format);
  const { channels, spatial } = layout;
  const strides = perAxis(node, "strides", layout), dilations = perAxis(node, "dilations", layout);
  checkPaddings(node, layout);
  const rank = spatial.length + 2;
  for (const [name, shape] of [["input", input], ["filter", filter]] as const) {
    if (shape.length !== rank) node.refuse(`the ${name} must have rank ${rank}, found ${show(shape)}`);
  }
  const [taken, given] = filter.slice(-2);
  const found = input[channels];
  if (depthwise ? taken !== found : taken < 1 || found % taken !== 0 || given % (found / taken) !== 0) {
    node.refuse(`the filter ${show(filter)} does not fit ${found} channels`);
  }
  const output = [...input];
  output[channels] = depthwise ? taken * given : given;
  spatial.forEach((axis, index) => {
    if (filter[index] < 1) node.refuse(`the filter has no elements, found ${show(filter)}`);
    const extent = (filter[index] - 1) * dilations[axis] + 1;
    output[axis] = slide(node, axis, input[axis], extent, strides[axis]);
  });
  return output;
}

const convolution = (depthwise = false): ShapeRule => (node) => [
  convolve(node, node.shape(0), node.shape(1), depthwise, node.string("data_format")),
];

/** Shapes of input and filter, one of which is given as values; the third input must be what they would make. */
function backward(node: NodeView, input: Shape, filter: Shape, depthwise: boolean): void {
  const made = convolve(node, input, filter, depthwise, node.string("data_format"));
  if (!equal(made, node.shape(2))) {
    node.refuse(`${node.name(2)} must have shape ${show(made)}, found ${show(node.shape(2))}`);
  }
}

const inputGradient = (depthwise = false): ShapeRule => (node) => {
  const input = node.shapeFrom(0);
  backward(node, input, node.shape(1), depthwise);
  return [input];
};

const filterGradient = (depthwise = false): ShapeRule => (node) => {
  const filter = node.shapeFrom(1);
  backward(node, node.shape(0), filter, depthwise);
  return [filter];
};

/** Shape of what pooling makes of a picture. */
function pool(node: NodeView, input: Shape): Shape {
  const format = node.string("data_format");
  if (format === "NCHW_VECT_C") node.depends(`and there is no rule for data_format ${format}`);
  const layout = layoutOf(format);
  if (node.ints("ksize").length === format.length && node.ints("ksize")[layout.channels] !== 1) {
    node.depends("and there is no rule for pooling over channels");
  }
  const size = perAxis(node, "ksize", layout), strides = perAxis(node, "strides", layout);
  checkPaddings(node, layout);
  if (input.length !== format.length) {
    node.refuse(`the input must have rank ${format.length}, found ${show(input)}`);
  }
  const output = [...input];
  for (const axis of layout.spatial) output[axis] = slide(node, axis, input[axis], size[axis], strides[axis]);
  return output;
}

const pooling: ShapeRule = (node) => [pool(node, node.shape(0))];

const maxPoolGradient: ShapeRule = (node) => {
  const pooled = pool(node, node.shape(0));
  wantShape(node, 1, pooled);
  wantShape(node, 2, pooled);
  return [node.shape(0)];
};

const averagePoolGradient: ShapeRule = (node) => {
  const input = node.shapeFrom(0);
  wantShape(node, 1, pool(node, input));
  return [input];
};

/** Greatest of the sums of picture and filter `[height, width, channels]`, which slides with gaps (`rates`). */
function dilate(node: NodeView): Shape {
  const layout = layoutOf("NHWC");
  const input = node.withRank(0, 4), filter = node.withRank(1, 3);
  const strides = perAxis(node, "strides", layout), rates = perAxis(node, "rates", layout);
  if (filter[2] !== input[3]) node.refuse(`the filter ${show(filter)} does not fit ${input[3]} channels`);
  const [height, width] = layout.spatial.map((axis) =>
    slide(node, axis, input[axis], (filter[axis - 1] - 1) * rates[axis] + 1, strides[axis])
  );
  return [input[0], height, width, input[3]];
}

const dilationGradient = (of: 0 | 1): ShapeRule => (node) => {
  wantShape(node, 2, dilate(node));
  return [node.shape(of)];
};

const none: Shape = [0];

/**
 * Batch normalisation. The last output of the third version carries the kernel's workspace to its gradient: its length is
 * the kernel's own affair, nothing may compute with it, and here it has none.
 */
const batchNorm = (outputs: number): ShapeRule => (node) => {
  const format = node.string("data_format");
  const shape = node.withRank(0, format.length), channels = [shape[layoutOf(format).channels]];
  wantShape(node, 1, channels);
  wantShape(node, 2, channels);
  for (const statistic of [3, 4]) {
    if (!node.bool("is_training") || !equal(node.shape(statistic), none)) {
      wantShape(node, statistic, channels);
    }
  }
  return [shape, channels, channels, channels, channels, none].slice(0, outputs);
};

const batchNormGradient: ShapeRule = (node) => {
  const format = node.string("data_format");
  const shape = node.withRank(1, format.length), channels = [shape[layoutOf(format).channels]];
  wantShape(node, 0, shape);
  for (const perChannel of [2, 3, 4]) wantShape(node, perChannel, channels);
  return [shape, channels, channels, none, none];
};

/** Channels of something that gets a bias, or whose bias gets a gradient. */
function biasChannels(node: NodeView): number {
  const shape = node.withRank(0, node.string("data_format") === "NCHW" ? 3 : 2, true);
  return node.string("data_format") === "NCHW" ? shape[1] : shape[shape.length - 1];
}

/** Pictures of another height and width, which are the elements of an input. */
const resize: ShapeRule = (node) => {
  const [batch, , , channels] = node.withRank(0, 4);
  const [height, width] = node.vector(1, 2);
  if (height < 1 || width < 1) node.refuse(`${node.name(1)} must be positive, found [${height},${width}]`);
  return [[batch, height, width, channels]];
};

const cropAndResize: ShapeRule = (node) => {
  const channels = node.withRank(0, 4)[3];
  const [count, four] = node.withRank(1, 2);
  if (four !== 4) node.refuse(`${node.name(1)} must have 4 columns, found ${four}`);
  wantShape(node, 2, [count]);
  const [height, width] = node.vector(3, 2);
  if (height < 1 || width < 1) node.refuse(`${node.name(3)} must be positive, found [${height},${width}]`);
  return [[count, height, width, channels]];
};

const transformPictures: ShapeRule = (node) => {
  const [batch, , , channels] = node.withRank(0, 4);
  const [rows, eight] = node.withRank(1, 2);
  if (eight !== 8 || (rows !== batch && rows !== 1)) {
    node.refuse(`${node.name(1)} must have shape [${batch},8] or [1,8], found ${show(node.shape(1))}`);
  }
  wantShape(node, 3, []);
  const [height, width] = node.vector(2, 2);
  return [[batch, height, width, channels]];
};

/** Convolutions, pooling, normalisation and what else is done to pictures. */
export const convolutionRules: Readonly<Record<string, ShapeRule>> = {
  AvgPool: pooling,
  AvgPool3D: pooling,
  AvgPool3DGrad: averagePoolGradient,
  AvgPoolGrad: averagePoolGradient,
  BiasAdd: (node) => {
    wantShape(node, 1, [biasChannels(node)]);
    return [node.shape(0)];
  },
  BiasAddGrad: (node) => [[biasChannels(node)]],
  Conv2D: convolution(),
  Conv2DBackpropFilter: filterGradient(),
  Conv2DBackpropInput: inputGradient(),
  Conv3D: convolution(),
  Conv3DBackpropFilterV2: filterGradient(),
  Conv3DBackpropInputV2: inputGradient(),
  CropAndResize: cropAndResize,
  DepthwiseConv2dNative: convolution(true),
  DepthwiseConv2dNativeBackpropFilter: filterGradient(true),
  DepthwiseConv2dNativeBackpropInput: inputGradient(true),
  Dilation2D: (node) => [dilate(node)],
  Dilation2DBackpropFilter: dilationGradient(1),
  Dilation2DBackpropInput: dilationGradient(0),
  FusedBatchNorm: batchNorm(5),
  FusedBatchNormGrad: batchNormGradient,
  FusedBatchNormGradV3: batchNormGradient,
  FusedBatchNormV3: batchNorm(6),
  ImageProjectiveTransformV3: transformPictures,
  LRN: (node) => [node.withRank(0, 4)],
  LRNGrad: (node) => {
    wantShape(node, 1, node.withRank(0, 4));
    wantShape(node, 2, node.shape(0));
    return [node.shape(0)];
  },
  MaxPool: pooling,
  MaxPool3D: pooling,
  MaxPool3DGrad: maxPoolGradient,
  MaxPoolGrad: maxPoolGradient,
  ResizeBicubic: resize,
  ResizeBilinear: resize,
  ResizeBilinearGrad: (node) => {
    node.withRank(0, 4);
    return [node.withRank(1, 4)];
  },
  ResizeNearestNeighbor: resize,
  ResizeNearestNeighborGrad: resize,
};
