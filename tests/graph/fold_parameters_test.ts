import assert from "node:assert/strict";
import { foldParameters } from "../../lib/graph/fold_parameters.ts";
import type { Graph } from "../../lib/graph/graph.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { printGraph } from "../../lib/graph/print_graph.ts";
import { prune } from "../../lib/graph/prune.ts";
import { recordInference } from "../../lib/models/inference.ts";
import { batchNorm, convolution, normalised } from "../../lib/models/layers.ts";
import { fakeQuantizeChannels } from "../../lib/operators/fake_quantize.ts";
import { compile, record, tf } from "../../lib/tensorflow/mod.ts";
import { randomModel, randomPictures } from "../export/_networks.ts";
import { uniform } from "../models/hash_weights.ts";
import { assertClose } from "../operators/_check.ts";

const f32 = (...shape: number[]) => ({ dtype: "float32" as const, shape });
const tensor = (shape: number[], data: ArrayLike<number>): HostTensor => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(data),
});
type Params = Record<string, tf.Tensor>;

/** Inputs of a graph with their values. */
function withPrefix(weights: Readonly<Record<string, HostTensor>>): Record<string, HostTensor> {
  return Object.fromEntries(Object.entries(weights).map(([name, value]) => [`params/${name}`, value]));
}

async function logitsOf(graph: Graph, inputs: Record<string, HostTensor>): Promise<Float32Array> {
  await using compiled = compile(graph);
  return (await compiled.run(inputs)).logits!.data as Float32Array;
}

const networks = [
  ["mobilenetv3_small_100.ote", "linear", 128],
  ["mobilenetv3_large_075", "cosine", 33],
  ["mobilenetv3_large_100", "linear", 32],
  ["efficientnet_b0", "cosine", 32],
  ["tf_efficientnet_lite0", "linear", 33],
] as const;
for (const [id, head, imageSize] of networks) {
  Deno.test(`foldParameters() leaves the logits of ${id} with a ${head} classifier as they are`, async () => {
    const model = await randomModel(id, { head, imageSize });
    const { network, preprocessing, weights } = model;
    const graph = recordInference(network, preprocessing, 2);
    const { graph: folded, parameters, fold } = foldParameters(graph);
    const { shape, data } = randomPictures(model, 2);
    const images: HostTensor = { dtype: "uint8", shape, data: Uint8Array.from(data) };
    const wanted = await logitsOf(graph, { images, ...withPrefix(weights) });
    const found = await logitsOf(folded, { images, ...withPrefix(fold(weights)) });
    const range = Math.max(...wanted) - Math.min(...wanted);
    assert.ok(range > 1e-3, "the logits differ");
    wanted.forEach((value, index) =>
      assert.ok(Math.abs(found[index]! - value) <= 2e-5 * range, `${found[index]}, wanted ${value}`)
    );

    // Each filter keeps its name, each bias has a bias's; nothing of a batch norm but that is left.
    const kinds = new Map(network.parameters.map(({ name, kind }) => [name, kind]));
    const left = parameters.map(({ name }) => kinds.get(name));
    assert.deepEqual(
      parameters.filter(({ name }) => !kept.has(kinds.get(name)!)).map(({ name }) => name),
      id.endsWith(".ote") ? ["classifier_bn.weight"] : [], // which no convolution comes before
    );
    const of = (...wanted: string[]) => network.parameters.filter(({ kind }) => wanted.includes(kind)).length;
    const layers = of("convolution", "depthwise-convolution", "linear", "cosine");
    assert.equal(left.filter((kind) => filters.has(kind!)).length, layers);
    assert.equal(left.filter((kind) => kind === "bias" || kind === "offset").length, of("bias", "offset"));
    assert.ok(!folded.nodes.some(({ op }) => op === "Rsqrt"));
    await model.dispose();
  });
}
const filters = new Set<string>(["convolution", "depthwise-convolution", "linear", "cosine"]);
const kept = new Set<string>([...filters, "bias", "offset", "constant"]);

Deno.test("foldParameters() makes a filter and a bias of a convolution and its batch norm", () => {
  const layer = normalised(
    convolution("conv", { inChannels: 3, outChannels: 2, kernel: 3, stride: 2 }),
    batchNorm("bn", 2, 1e-3),
  );
  const graph = record(({ images, params }) => ({
    y: layer.forward(images as tf.Tensor4D, { params: params as Params, training: false, statistics: {} }),
  }), {
    images: f32(1, 6, 6, 3),
    params: Object.fromEntries(layer.parameters.map(({ name, shape }) => [name, f32(...shape)])),
  }, { name: "layer" });
  const { graph: folded, parameters, fold } = foldParameters(graph);
  assert.equal(
    printGraph(folded),
    `graph layer
  %0 = input images: float32[1,6,6,3]
  %1 = input params/conv.weight: float32[3,3,3,2]
  %2 = input params/bn.bias: float32[2]
  %3 = Const {value: [0,0,1,1,1,1,0,0]}: int32[4,2]
  %4 = Const {value: [0]}: float32[]
  %5 = PadV2(%0, %3, %4): float32[1,8,8,3]
  %6 = Conv2D(%5, %1) {strides: [1,2,2,1], padding: "VALID", data_format: "NHWC", dilations: [1,1,1,1]}: float32[1,3,3,2]
  %7 = BiasAdd(%6, %2) {data_format: "NHWC"}: float32[1,3,3,2]
  return y: %7`,
  );
  assert.deepEqual(parameters, [
    { name: "conv.weight", shape: [3, 3, 3, 2] },
    { name: "bn.bias", shape: [2] },
  ]);
  const found = fold({
    "conv.weight": tensor([3, 3, 3, 2], Array.from({ length: 54 }, (_, i) => i % 2 === 0 ? 1 : -2)),
    "bn.weight": tensor([2], [3, 5]),
    "bn.bias": tensor([2], [0.5, -1]),
    "bn.running_mean": tensor([2], [4, 10]),
    "bn.running_var": tensor([2], [4 - 1e-3, 25 - 1e-3]),
  });
  // 3 / sqrt(4) and 5 / sqrt(25); 0.5 - 4 * 1.5 and -1 - 10 * 1.
  assertClose(found["conv.weight"]!.data as Float32Array, Array(27).fill([1.5, -2]).flat(), 1e-6, "filter");
  assertClose(found["bn.bias"]!.data as Float32Array, [-5.5, -11], 1e-6, "bias");
});

Deno.test("foldParameters() stops at fake quantisation, and folds before it", () => {
  const graph = record(({ x, params }) => {
    const { weight, scale, range } = params as Params;
    const filter = fakeQuantizeChannels(tf.mul(weight!, scale!), tf.neg(range!), range!, { narrow: true });
    return { y: tf.matMul(x as tf.Tensor2D, tf.mul(filter, 2) as tf.Tensor2D) };
  }, { x: f32(2, 3), params: { weight: f32(3, 4), scale: f32(4), range: f32(4) } });
  const { graph: folded, parameters, fold } = foldParameters(graph);
  assert.deepEqual(folded.nodes.map(({ op }) => op).filter((op) => op !== "Const"), [
    "FakeQuantWithMinMaxVarsPerChannel",
    "Mul",
    "BatchMatMulV2",
  ]);
  // The range is read as it is, and negated: two parameters of one origin.
  assert.deepEqual(parameters.map(({ name }) => name), ["weight", "range", "range.1"]);
  const { range, "range.1": other } = fold({
    weight: tensor([3, 4], Array(12).fill(1)),
    scale: tensor([4], [1, 2, 3, 4]),
    range: tensor([4], [1, 2, 3, 4]),
  });
  assert.deepEqual([...range!.data], [-1, -2, -3, -4]);
  assert.deepEqual([...other!.data], [1, 2, 3, 4]);
});

Deno.test("foldParameters() leaves constants alone, data, and parameters that are used as they are", () => {
  const graph = record(({ x, params }) => {
    const { a } = params as Params;
    return { y: tf.add(tf.mul(x, tf.square(tf.scalar(3))), a!), z: tf.mul(a!, 2) };
  }, { x: f32(2), params: { a: f32(2), unused: f32(7) } });
  const { graph: folded, parameters, fold } = foldParameters(graph);
  assert.deepEqual(parameters, [{ name: "a", shape: [2] }, { name: "a.1", shape: [2] }]);
  assert.deepEqual(folded.inputs.map(({ name }) => name), ["x", "params/a", "params/a.1"]);
  assert.ok(folded.nodes.some(({ op }) => op === "Square"), "of constants alone");
  const values = fold({ a: tensor([2], [1, 2]), unused: tensor([7], Array(7).fill(0)) });
  assert.deepEqual(values, { a: tensor([2], [1, 2]), "a.1": tensor([2], [2, 4]) });
});

Deno.test("foldParameters() leaves what becomes whole numbers to the executor", () => {
  const graph = record(({ params }) => ({
    y: tf.cast(tf.cast((params as Params).a!, "int32"), "float32"),
  }), { params: { a: f32(2) } });
  const { graph: folded, fold } = foldParameters(graph);
  assert.deepEqual(fold({ a: tensor([2], [1.7, -1.7]) }), { a: tensor([2], [1.7, -1.7]) });
  assert.equal(printGraph(folded), printGraph(graph));
});

Deno.test("foldParameters() broadcasts by hand-computed examples", () => {
  const shapes = { matrix: f32(2, 3), row: f32(3), column: f32(2, 1), one: f32(), cube: f32(2, 1, 2) };
  const graph = record(({ params }) => {
    const { matrix, row, column, one, cube } = params as Params;
    return {
      rowUnder: tf.sub(matrix!, row!),
      columnBy: tf.mul(row!, column!),
      oneLess: tf.sub(one!, column!),
      cubeAdd: tf.add(cube!, column!), // [2,1,2] + [2,1] = [2,2,2]
      rows: tf.sum(matrix!, 1),
      columns: tf.sum(matrix!, 0, true),
      all: tf.sum(matrix!),
      last: tf.sum(cube!, -1, true),
      ratio: tf.div(matrix!, row!),
      larger: tf.maximum(matrix!, column!),
    };
  }, { params: shapes });
  const { graph: folded, fold } = foldParameters(graph);
  const values = fold({
    matrix: tensor([2, 3], [1, 2, 3, 4, 5, 6]),
    row: tensor([3], [1, 2, 4]),
    column: tensor([2, 1], [3, 5]),
    one: tensor([], [1]),
    cube: tensor([2, 1, 2], [1, 2, 3, 4]),
  });
  const found = Object.fromEntries(folded.outputs.map(({ name, value }) => {
    const { shape, data } = values[
      folded.inputs.find(({ id }) => id === value)!.name.slice("params/".length)
    ]!;
    return [name, { shape, data: [...data] }];
  }));
  assert.deepEqual(found, {
    rowUnder: { shape: [2, 3], data: [0, 0, -1, 3, 3, 2] },
    columnBy: { shape: [2, 3], data: [3, 6, 12, 5, 10, 20] },
    oneLess: { shape: [2, 1], data: [-2, -4] },
    cubeAdd: { shape: [2, 2, 2], data: [4, 5, 6, 7, 6, 7, 8, 9] },
    rows: { shape: [2], data: [6, 15] },
    columns: { shape: [1, 3], data: [5, 7, 9] },
    all: { shape: [], data: [21] },
    last: { shape: [2, 1, 1], data: [3, 7] },
    ratio: { shape: [2, 3], data: [1, 1, 0.75, 4, 2.5, 1.5] },
    larger: { shape: [2, 3], data: [3, 3, 3, 5, 5, 6] },
  });
});

Deno.test("foldParameters() computes what TensorFlow does", async () => {
  const graph = record(({ params }) => {
    const { a, b, c } = params as Params;
    const root = tf.sqrt(tf.add(tf.square(a!), 0.5)); // [3,1,4]
    const scaled = tf.div(tf.sub(b!, c!), root); // [3,2,4]
    return {
      y: tf.mul(tf.reshape(tf.sum(scaled, [0, 2], true), [2]), tf.rsqrt(tf.maximum(tf.neg(c!), 0.25))),
    };
  }, { params: { a: f32(3, 1, 4), b: f32(2, 4), c: f32(2, 1) } });
  // `y` would be one parameter; TensorFlow is to compute it.
  const shapes = { a: [3, 1, 4], b: [2, 4], c: [2, 1] };
  const weights = Object.fromEntries(
    Object.entries(shapes).map((
      [name, shape],
    ) => [name, tensor(shape, uniform(name, shape.reduce((x, y) => x * y, 1)))]),
  );
  await using compiled = compile(prune(graph));
  const { y } = await compiled.run(withPrefix(weights));
  const { parameters, fold } = foldParameters(graph);
  const found = fold(weights)[parameters[0]!.name]!;
  assert.deepEqual(found.shape, y!.shape);
  assertClose(found.data as Float32Array, y!.data as Float32Array, 1e-6, "y");
});

Deno.test("foldParameters() rounds once: folding is computed in float64", () => {
  const graph = record(({ params }) => {
    const { a } = params as Params;
    return { y: tf.sub(tf.add(a!, 1e8), 1e8) };
  }, { params: { a: f32(1) } });
  const { parameters, fold } = foldParameters(graph);
  assert.deepEqual([...fold({ a: tensor([1], [1.25]) })[parameters[0]!.name]!.data], [1.25]);
});
