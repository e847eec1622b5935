/** tfjs's operators compute recorded what they compute op by op, and so do their gradients. */
import assert from "node:assert/strict";
import { compile, type HostData, type HostTensor, record, tf } from "../../lib/tensorflow/mod.ts";

type Function = (x: tf.Tensor) => tf.Tensor | tf.Tensor[];

const noise = (length: number, offset = 0) =>
  Float32Array.from({ length }, (_, i) => Math.sin((i + 1) * 12.9898) * 1.7 + offset);
const host = (shape: number[], offset = 0): HostTensor => ({
  dtype: "float32",
  shape,
  data: noise(shape.reduce((a, b) => a * b, 1), offset),
});

const vector = host([7]), matrix = host([3, 5]), square = host([4, 4]);
const picture = host([2, 5, 7, 3]), positive = host([3, 5], 2.5), small = (x: tf.Tensor) => tf.mul(x, 0.5);
const ints = (x: tf.Tensor) => tf.cast(tf.mul(x, 10), "int32");
const bools = (x: tf.Tensor) => tf.greater(x, 0);
const filter = (...shape: [number, number, number, number]) =>
  tf.tensor4d(noise(shape.reduce((a, b) => a * b)), shape);

/** Functions of one tensor that tfjs can differentiate, with the input they are tried on. */
const differentiable: Record<string, [HostTensor, Function]> = {
  ...elementwise(matrix, {
    neg: tf.neg,
    abs: tf.abs,
    square: tf.square,
    exp: tf.exp,
    expm1: tf.expm1,
    sin: tf.sin,
    cos: tf.cos,
    tanh: tf.tanh,
    atan: tf.atan,
    erf: tf.erf,
    sigmoid: tf.sigmoid,
    softplus: tf.softplus,
    relu: tf.relu,
    relu6: tf.relu6,
    elu: tf.elu,
    selu: tf.selu,
    leakyRelu: tf.leakyRelu,
    softmax: tf.softmax,
    logSoftmax: tf.logSoftmax,
    logSumExp: (x) => tf.logSumExp(x, 1),
    clipByValue: (x) => tf.clipByValue(x, -1, 1),
    add: (x) => tf.add(x, tf.tensor1d([1, 2, 3, 4, 5])),
    sub: (x) => tf.sub(1, x),
    mul: (x) => tf.mul(x, x),
    div: (x) => tf.div(x, tf.add(tf.square(x), 1)),
    maximum: (x) => tf.maximum(x, 0.5),
    minimum: (x) => tf.minimum(x, tf.zerosLike(x)),
    squaredDifference: (x) => tf.squaredDifference(x, 2),
    prelu: (x) => tf.prelu(x, tf.scalar(0.2)),
    where: (x) =>
      tf.where(tf.tensor1d([true, false, true, false, true]).expandDims(0).tile([3, 1]), x, tf.mul(x, 2)),
    addN: (x) => tf.addN([x, x, x]),
    sum: (x) => tf.sum(x, 1),
    mean: (x) => tf.mean(x, [0, 1], true),
    max: (x) => tf.max(x, 0),
    min: (x) => tf.min(x),
    norm: (x) => tf.norm(x),
    moments: (x) => tf.moments(x, 1).variance,
    cumsum: (x) => tf.cumsum(x, 1),
    reshape: (x) => tf.reshape(x, [5, 3]),
    flatten: (x) => x.flatten(),
    expandDims: (x) => tf.squeeze(tf.expandDims(x, 1), [1]),
    transpose: (x) => tf.transpose(x),
    slice: (x) => tf.slice(x, [1, 2], [2, 3]),
    gather: (x) => tf.gather(x, [2, 0, 2], 1),
    concat: (x) => tf.concat([x, tf.neg(x)], 1),
    stack: (x) => tf.stack([x, x], 1),
    unstack: (x) => tf.unstack(x)[1]!,
    split: (x) => tf.split(x, [2, 3], 1)[1]!,
    tile: (x) => tf.tile(x, [2, 1]),
    pad: (x) => tf.pad(x, [[1, 2], [0, 1]]),
    mirrorPad: (x) => tf.mirrorPad(x, [[1, 1], [2, 1]], "reflect"),
    broadcastTo: (x) => tf.broadcastTo(x, [2, 3, 5]),
    reverse: (x) => tf.reverse(x, 1),
    matMul: (x) => tf.matMul(x, x, false, true),
    dot: (x) => tf.dot(x, tf.tensor1d([1, 2, 3, 4, 5])),
    softmaxCrossEntropy: (x) => tf.losses.softmaxCrossEntropy(tf.oneHot([0, 3, 4], 5), x),
    meanSquaredError: (x) => tf.losses.meanSquaredError(tf.zerosLike(x), x),
    huberLoss: (x) => tf.losses.huberLoss(tf.zerosLike(x), x),
    sigmoidCrossEntropy: (x) => tf.losses.sigmoidCrossEntropy(tf.onesLike(x), x),
  }),
  ...elementwise(positive, {
    log: tf.log,
    log1p: tf.log1p,
    sqrt: tf.sqrt,
    rsqrt: tf.rsqrt,
    reciprocal: tf.reciprocal,
    pow: (x) => tf.pow(x, 1.5),
    prod: (x) => tf.prod(x, 1),
    asin: (x) => tf.asin(tf.div(x, 10)),
  }),
  ...elementwise(picture, {
    conv2d: (x) => tf.conv2d(x as tf.Tensor4D, filter(3, 3, 3, 4), 2, "same"),
    conv2dValid: (x) => tf.conv2d(x as tf.Tensor4D, filter(2, 3, 3, 4), [1, 2], "valid"),
    depthwiseConv2d: (x) => tf.depthwiseConv2d(x as tf.Tensor4D, filter(3, 3, 3, 2), 1, "same"),
    conv2dTranspose: (x) =>
      tf.conv2dTranspose(x as tf.Tensor4D, filter(3, 3, 4, 3), [2, 10, 14, 4], 2, "same"),
    avgPool: (x) => tf.avgPool(x as tf.Tensor4D, 3, 2, "same"),
    maxPool: (x) => tf.maxPool(x as tf.Tensor4D, 2, 2, "valid"),
    batchNorm: (x) => tf.batchNorm(x as tf.Tensor4D, [0, 1, 2], [1, 2, 3], [1, 1, 1], [2, 2, 2], 1e-3),
    resizeBilinear: (x) => tf.image.resizeBilinear(x as tf.Tensor4D, [9, 4]),
    resizeNearestNeighbor: (x) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [9, 4]),
    localResponseNormalization: (x) => tf.localResponseNormalization(x as tf.Tensor4D),
  }),
};

/** Functions tfjs cannot differentiate, or not by an input that is itself computed. */
const others: Record<string, [HostTensor, Function]> = {
  ...elementwise(matrix, {
    logSigmoid: tf.logSigmoid,
    stridedSlice: (x) => tf.stridedSlice(x, [0, 4], [3, 0], [2, -2]),
    einsum: (x) => tf.einsum("ij,kj->ik", x, x),
    topk: (x) => tf.topk(x, 2).values,
    argMax: (x) => tf.argMax(x, 1),
    argMin: (x) => tf.argMin(x, 0),
    topkIndices: (x) => tf.topk(x, 3).indices,
    sign: tf.sign,
    floor: tf.floor,
    ceil: tf.ceil,
    round: tf.round,
    roundInt32: (x) => tf.round(ints(x)),
    meanOfInt32: (x) => tf.mean(ints(x), 1),
    meanOfBool: (x) => tf.mean(bools(x)),
    sumOfBool: (x) => tf.sum(bools(x), 1),
    castToInt32: (x) => tf.cast(x, "int32"),
    castToBool: (x) => tf.cast(x, "bool"),
    castFromBool: (x) => tf.cast(bools(x), "float32"),
    floorDiv: (x) => tf.floorDiv(ints(x), tf.scalar(3, "int32")),
    mod: (x) => tf.mod(x, 0.7),
    equal: (x) => tf.equal(ints(x), tf.zeros([3, 5], "int32")),
    notEqual: (x) => tf.notEqual(x, 0),
    less: (x) => tf.less(x, 0),
    lessEqual: (x) => tf.lessEqual(x, 0),
    greaterEqual: (x) => tf.greaterEqual(x, 0),
    logicalAnd: (x) => tf.logicalAnd(bools(x), tf.less(x, 1)),
    logicalOr: (x) => tf.logicalOr(bools(x), tf.less(x, -1)),
    logicalNot: (x) => tf.logicalNot(bools(x)),
    any: (x) => tf.any(bools(x), 1),
    all: (x) => tf.all(bools(x), 1),
    isNaN: (x) => tf.isNaN(tf.log(x)),
    isFinite: (x) => tf.isFinite(tf.div(1, tf.relu(x))),
    oneHot: (x) => tf.oneHot(tf.argMax(x, 1), 5),
    step: (x) => tf.step(x),
    gatherND: (x) => tf.gatherND(x, tf.tensor2d([[0, 1], [2, 4]], [2, 2], "int32")),
    unsortedSegmentSum: (x) => tf.unsortedSegmentSum(x, tf.tensor1d([0, 1, 0], "int32"), 2),
    tensorScatterUpdate: (x) =>
      tf.tensorScatterUpdate(x, tf.tensor2d([[1]], [1, 1], "int32"), tf.ones([1, 5])),
    confusionMatrix: (x) =>
      tf.math.confusionMatrix(tf.argMax(x, 1) as tf.Tensor1D, tf.tensor1d([0, 1, 2], "int32"), 5),
    movingAverage: (x) => tf.movingAverage(x, tf.zerosLike(x), 0.9, undefined, false),
    range: (x) => tf.mul(x, tf.range(0, 5)),
    linspace: (x) => tf.mul(x, tf.linspace(0, 1, 5)),
    eye: (x) => tf.matMul(tf.eye(3), x as tf.Tensor2D),
    fill: (x) => tf.add(x, tf.fill([3, 5], 2)),
    zerosAndOnes: (x) => tf.add(tf.onesLike(x), tf.zerosLike(x)),
    severalOutputs: (x) => tf.split(x, 5, 1),
    withoutElements: (x) => tf.concat([tf.slice(x, [0, 0], [0, 5]), x]),
  }),
  acosh: [positive, (x) => tf.acosh(x)],
  bandPart: [square, (x) => tf.linalg.bandPart(x, 1, 1)],
  diag: [vector, (x) => tf.diag(x)],
  flipLeftRight: [picture, (x) => tf.image.flipLeftRight(x as tf.Tensor4D)],
  cropAndResize: [
    picture,
    (x) =>
      tf.image.cropAndResize(x as tf.Tensor4D, tf.tensor2d([[0, 0.1, 0.8, 1]]), tf.tensor1d([1], "int32"), [
        3,
        3,
      ]),
  ],
  spaceToBatchND: [
    picture,
    (x) => tf.spaceToBatchND(tf.pad(x, [[0, 0], [0, 1], [0, 1], [0, 0]]), [2, 2], [[0, 0], [0, 0]]),
  ],
  complex: [vector, (x) => tf.abs(tf.complex(x, tf.neg(x)))],
};

function elementwise(
  input: HostTensor,
  functions: Record<string, Function>,
): Record<string, [HostTensor, Function]> {
  return Object.fromEntries(Object.entries(functions).map(([name, fn]) => [name, [input, fn]]));
}

async function compare(input: HostTensor, fn: Function): Promise<void> {
  const outputs = (x: tf.Tensor) =>
    Object.fromEntries([fn(x)].flat().map((y, i) => [`y${i}`, y])) as Record<string, tf.Tensor>;
  const graph = record(({ x }) => outputs(x), { x: input });
  await using compiled = compile(graph);
  const recorded = await compiled.run({ x: input });
  const eager: Record<string, { shape: number[]; data: HostData }> = {};
  tf.tidy(() => {
    const x = tf.tensor(input.data as Float32Array, [...input.shape]);
    for (const [name, y] of Object.entries(outputs(x))) {
      eager[name] = { shape: y.shape, data: y.dataSync() as HostData };
    }
  });
  assert.deepEqual(Object.keys(recorded), Object.keys(eager));
  for (const [name, { shape, data }] of Object.entries(recorded)) {
    assert.deepEqual(shape, eager[name]!.shape);
    assertClose(data, eager[name]!.data);
  }
}

/** Within two units in the last place: TensorFlow takes other kernels for a few operators (softmax) in a graph. */
function assertClose(found: HostData, wanted: HostData): void {
  assert.equal(found.constructor, wanted.constructor);
  assert.equal(found.length, wanted.length);
  const far = Array.from(found as ArrayLike<number>, (value, i) => [value, wanted[i] as number] as const)
    .filter(([a, b]) => !(Object.is(a, b) || Math.abs(a - b) <= 2.4e-7 * Math.max(1, Math.abs(b))));
  assert.deepEqual(far, []);
}

for (const [name, [input, fn]] of Object.entries({ ...differentiable, ...others })) {
  Deno.test(`record() of ${name} computes what tfjs computes`, () => compare(input, fn));
}

for (const [name, [input, fn]] of Object.entries(differentiable)) {
  // Weighted, because the gradient of a plain sum of softmax is zero.
  const loss = (x: tf.Tensor) => {
    const y = fn(small(x)) as tf.Tensor;
    return tf.sum(tf.mul(y, tf.tensor(noise(y.size, 0.3), y.shape)));
  };
  Deno.test(`record() of the gradient of ${name} computes what tfjs computes`, () =>
    compare(input, tf.grad(loss)));
}
