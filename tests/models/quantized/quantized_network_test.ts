import assert from "node:assert/strict";
import type { Graph, GraphNode } from "../../../lib/graph/graph.ts";
import type { HostTensor } from "../../../lib/graph/host_tensor.ts";
import { createInference } from "../../../lib/models/inference.ts";
import { isTrainable } from "../../../lib/models/layers.ts";
import type { Network } from "../../../lib/models/network.ts";
import { foldNetwork } from "../../../lib/models/quantized/folded_network.ts";
import type { Quantization } from "../../../lib/models/quantized/quantization.ts";
import { activePoints, createQuantizedNetwork } from "../../../lib/models/quantized/quantized_network.ts";
import { replay } from "../../../lib/models/quantized/replay.ts";
import { conv2d, type ConvolutionOptions } from "../../../lib/operators/conv2d.ts";
import { openExecutor } from "../../../lib/tensorflow/executor.ts";
import { record, tf } from "../../../lib/tensorflow/mod.ts";
import { settingsByName } from "../../../lib/training/sgd.ts";
import { imageBytes } from "../hash_weights.ts";
import { smallNetwork, smallPreprocessing, weightsOf } from "../_small_network.ts";
import { rangesFor } from "./_ranges.ts";

await openExecutor();
const float = smallNetwork();
const folded = foldNetwork(float, smallPreprocessing.size);
const floatWeights = weightsOf(float);
const bytes = imageBytes(0, 4, 8, 8);

function quantized(quantization: Quantization): { network: Network; weights: Record<string, HostTensor> } {
  const network = createQuantizedNetwork(float, folded, quantization);
  return { network, weights: rangesFor(network, folded.fold(floatWeights)) };
}

async function logitsOf(network: Network, weights: Record<string, HostTensor>): Promise<number[]> {
  const inference = await createInference(network, weights, smallPreprocessing, 4);
  const logits = await inference.logits(bytes, 4);
  await inference.dispose();
  return logits.flatMap((row) => [...row]);
}

function spread(a: number[], b: number[]): number {
  return Math.max(...a.map((value, index) => Math.abs(value - b[index]!))) /
    (Math.max(...a) - Math.min(...a));
}

Deno.test("foldNetwork() finds layers with their biases, and the values they read", () => {
  assert.deepEqual(
    folded.layers.map(({ name, kind, part, outChannels, weight, bias }) =>
      [name, kind, part, outChannels, weight, bias].join(" ")
    ),
    [
      "conv_stem convolution body 4 conv_stem.weight bn1.bias",
      "block.conv_dw depthwise body 4 block.conv_dw.weight block.bn1.bias",
      "block.se.conv_reduce convolution body 2 block.se.conv_reduce.weight block.se.conv_reduce.bias",
      "block.se.conv_expand convolution body 4 block.se.conv_expand.weight block.se.conv_expand.bias",
      "block.conv_pw convolution body 4 block.conv_pw.weight block.bn2.bias",
      "classifier linear classifier 3 classifier.weight classifier.bias",
    ],
  );
  // The stem reads the pictures, not what is padded.
  assert.equal(folded.layers[0]!.input, folded.body.graph.inputs.find(({ name }) => name === "images")!.id);
  assert.deepEqual(folded.points.map(({ name, readers }) => `${name}: ${readers}`), [
    "conv_stem.input: conv_stem",
    "block.conv_dw.input: block.conv_dw",
    "block.se.conv_reduce.input: block.se.conv_reduce",
    "block.se.conv_expand.input: block.se.conv_expand",
    "block.conv_pw.input: block.conv_pw",
    "classifier.input: classifier",
  ]);
  // A cosine classifier has no bias.
  const cosine = foldNetwork(smallNetwork("cosine"), smallPreprocessing.size);
  assert.equal(cosine.layers.at(-1)!.bias, undefined);
  assert.deepEqual(cosine.parameters.slice(-2).map(({ name }) => name), [
    "classifier.weight",
    "classifier.scale",
  ]);
});

Deno.test("createQuantizedNetwork() has the folded parameters, and ranges of what is quantised", () => {
  const { network } = quantized({ weightBits: 7, floatLayers: ["block.conv_dw", "block.se.conv_expand"] });
  assert.deepEqual(network.parameters.map(({ name, shape, kind }) => `${name} [${shape}] ${kind}`), [
    "conv_stem.weight [3,3,3,4] convolution",
    "conv_stem.weight.range [4] quantizer-range",
    "bn1.bias [4] bias",
    "block.conv_dw.weight [3,3,4,1] depthwise-convolution",
    "block.bn1.bias [4] bias",
    "block.se.conv_reduce.weight [1,1,4,2] convolution",
    "block.se.conv_reduce.weight.range [2] quantizer-range",
    "block.se.conv_reduce.bias [2] bias",
    "block.se.conv_expand.weight [1,1,2,4] convolution",
    "block.se.conv_expand.bias [4] bias",
    "block.conv_pw.weight [1,1,4,4] convolution",
    "block.conv_pw.weight.range [4] quantizer-range",
    "block.bn2.bias [4] bias",
    "classifier.weight [4,3] linear",
    "classifier.weight.range [3] quantizer-range",
    "classifier.bias [3] bias",
    "conv_stem.input.min [] quantizer-range",
    "conv_stem.input.max [] quantizer-range",
    "block.se.conv_reduce.input.min [] quantizer-range",
    "block.se.conv_reduce.input.max [] quantizer-range",
    "block.conv_pw.input.min [] quantizer-range",
    "block.conv_pw.input.max [] quantizer-range",
    "classifier.input.min [] quantizer-range",
    "classifier.input.max [] quantizer-range",
  ]);
  assert.deepEqual([network.head, network.featureChannels], ["linear", 4]);
});

Deno.test("createQuantizedNetwork() without quantised layers is the float network", async () => {
  const all = folded.layers.map(({ name }) => name);
  const { network, weights } = quantized({ weightBits: 8, floatLayers: all });
  assert.deepEqual(network.parameters.map(({ name }) => name), folded.parameters.map(({ name }) => name));
  const wanted = await logitsOf(float, floatWeights);
  assert.ok(spread(wanted, await logitsOf(network, weights)) < 1e-5);
});

Deno.test("createQuantizedNetwork() is nearer to the float network with 8 bits than with 7, and not equal", async () => {
  const wanted = await logitsOf(float, floatWeights);
  const differences: number[] = [];
  for (const weightBits of [7, 8] as const) {
    const { network, weights } = quantized({ weightBits, floatLayers: [] });
    differences.push(spread(wanted, await logitsOf(network, weights)));
  }
  assert.ok(differences[0]! < 0.2 && differences[1]! > 1e-4, differences.join());
});

Deno.test("createQuantizedNetwork(): the sign of a range of weights does not count", async () => {
  const { network, weights } = quantized({ weightBits: 7, floatLayers: [] });
  const turned = Object.fromEntries(
    Object.entries(weights).map(([name, tensor]) => [
      name,
      name.endsWith(".range")
        ? { ...tensor, data: Float32Array.from(tensor.data as Float32Array, (x) => -x) } as HostTensor
        : tensor,
    ]),
  );
  assert.deepEqual(await logitsOf(network, turned), await logitsOf(network, weights));
});

Deno.test("createQuantizedNetwork() drops features out before the classifier", async () => {
  const { network, weights } = quantized({ weightBits: 7, floatLayers: [] });
  const params = tensors(weights);
  const images = tf.zeros<tf.Rank.R4>([2, 8, 8, 3]);
  const all = network.forward(params, images, { training: false, dropout: tf.zeros([2, 4]) }).logits;
  const bias = weights["classifier.bias"]!.data as Float32Array;
  (await all.data()).forEach((value, index) => assert.ok(Math.abs(value - bias[index % 3]!) < 1e-6));
  tf.dispose([params, images, all]);
});

function tensors(weights: Record<string, HostTensor>): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(weights).map((
      [name, { data, shape }],
    ) => [name, tf.tensor(data as Float32Array, [...shape])]),
  );
}

Deno.test("createQuantizedNetwork() trains: gradients of weights, biases and ranges, which never decay", () => {
  const { network, weights } = quantized({ weightBits: 7, floatLayers: ["block.conv_dw"] });
  // Narrow ranges, so that something is clipped at both ends of each.
  for (const [name, { data }] of Object.entries(weights)) {
    if (name.endsWith(".range")) data.forEach((value, index) => data[index] = 0.7 * Number(value));
    if (name === "block.se.conv_reduce.bias") data.fill(0.3 as never); // above 0 behind the rectifier
    if (name.endsWith(".min")) data[0] = -0.3;
    if (name.endsWith(".max")) data[0] = 0.3;
  }
  const names = network.parameters.filter(isTrainable).map(({ name }) => name);
  assert.equal(names.length, network.parameters.length);
  tf.tidy(() => {
    const params = tensors(weights);
    const images = tf.tensor4d(Array.from(bytes, (byte) => (byte - 127) / 60), [4, 8, 8, 3]);
    const coefficients = tf.tensor2d(Array.from({ length: 12 }, (_, index) => Math.sin(index + 1)), [4, 3]);
    const gradients = tf.grads((...values: tf.Tensor[]) => {
      const given = Object.fromEntries(names.map((name, index) => [name, values[index]!]));
      const { logits, statistics } = network.forward(given, images, { training: true });
      assert.deepEqual(statistics, {});
      return tf.sum(tf.mul(logits, coefficients));
    })(names.map((name) => params[name]!));
    const still = names.filter((_, index) => {
      const values = gradients[index]!.dataSync();
      assert.ok(values.every(Number.isFinite), names[index]);
      return values.every((value) => value === 0);
    });
    // Values that are never below 0 do not move the lower end; every other parameter moves.
    for (const name of still) assert.match(name, /\.min$/);
    assert.ok(!still.includes("conv_stem.input.min"));
  });
  const settings = settingsByName(network.parameters, { momentum: 0.9, weightDecay: 1e-4 });
  for (const { name, kind } of network.parameters) {
    assert.equal(settings[name]!.weightDecay, kind === "quantizer-range" ? 0 : 1e-4, name);
  }
});

Deno.test("activePoints() keeps a value while one of its readers is quantised", () => {
  const shared = {
    ...folded,
    points: [{ name: "a.input", part: "body", value: 3, readers: ["a", "b"] }] as const,
  };
  assert.equal(activePoints(shared, { floatLayers: ["a"] }).length, 1);
  assert.equal(activePoints(shared, { floatLayers: ["a", "b"] }).length, 0);
});

Deno.test("replay() of another batch than the recorded gives the same, and refuses operators it does not know", () => {
  const spec = { dtype: "float32" as const, shape: [1, 2] };
  const graph = record(({ x }) => ({ y: tf.tanh(x as tf.Tensor) }), { x: spec }, { name: "body" });
  assert.throws(() => replay(graph, { x: tf.zeros([1, 2]) }), {
    name: "TypeError",
    message:
      "Cannot quantise body: it has the operator Tanh, which networks in evaluation mode are not made of\n" +
      "  help: write that part with the operators of lib/operators",
  });
  tf.tidy(() => {
    const params = tensors(folded.fold(floatWeights));
    const images = tf.randomUniform([3, 8, 8, 3], -1, 1, "float32", 5);
    const together = replay(folded.body.graph, { ...params, images }).features!.arraySync() as number[][];
    together.forEach((wanted, row) => {
      const one = replay(folded.body.graph, {
        ...params,
        images: tf.slice(images, [row, 0, 0, 0], [1, 8, 8, 3]),
      });
      const [found] = one.features!.arraySync() as number[][];
      wanted.forEach((value, index) => assert.ok(Math.abs(value - found![index]!) < 1e-5));
    });
  });
});

const f32 = (...shape: number[]) => ({ dtype: "float32" as const, shape });

/** A graph with other attributes of one operator, or another constant before it. */
function withAttributes(graph: Graph, op: string, changes: GraphNode["attributes"]): Graph {
  const nodes = graph.nodes.map((node) =>
    node.op === op ? { ...node, attributes: { ...node.attributes, ...changes } } : node
  );
  return { ...graph, nodes };
}

Deno.test("replay() refuses known operators that are used in another way, by name", () => {
  const pictures = { x: f32(1, 8, 8, 3), params: { filter: f32(3, 3, 3, 4) } };
  const convolve = (padded: (x: tf.Tensor4D) => tf.Tensor4D, options: ConvolutionOptions) =>
    record(
      ({ x, params }) => ({
        y: conv2d(
          padded(x as tf.Tensor4D),
          (params as Record<string, tf.Tensor>).filter as tf.Tensor4D,
          options,
        ),
      }),
      pictures,
      { name: "body" },
    );
  const symmetric = convolve((x) => x, { stride: 2 }), same = convolve((x) => x, { padding: "same" });
  const ints = (...value: number[]) => ({ kind: "ints", value }) as const;
  const valid = { kind: "string", value: "VALID" } as const;
  const padding = "reads a picture padded by";
  const reduced = (of: (x: tf.Tensor) => tf.Tensor) =>
    record(({ x }) => ({ y: of(x) }), { x: f32(1, 4, 4, 3) });
  const product = record(({ x, params }) => ({
    y: tf.matMul(x as tf.Tensor2D, (params as Record<string, tf.Tensor>).w as tf.Tensor2D, false, true),
  }), { x: f32(1, 3), params: { w: f32(4, 3) } });
  const cases: [Graph, string][] = [
    [withAttributes(symmetric, "Conv2D", { dilations: ints(1, 2, 2, 1) }), "Conv2D [1,4,4,4] is dilated"],
    [
      withAttributes(symmetric, "Conv2D", { strides: ints(1, 2, 1, 1) }),
      "has the strides 2 and 1, wanted one",
    ],
    [
      withAttributes(same, "Conv2D", { padding: valid }),
      "has the padding VALID without zeros around its picture",
    ],
    [
      convolve((x) => tf.pad4d(x, [[0, 0], [0, 1], [0, 1], [0, 0]]), { padding: "same" }),
      `${padding} [0,0,0,1,0,1,0,0]`,
    ],
    [
      convolve((x) => tf.pad4d(x, [[0, 0], [1, 1], [1, 1], [0, 0]], -1), { padding: "same" }),
      `${padding} [0,0,1,1,1,1,0,0] with -1, then SAME; wanted 1 zeros on every side, then VALID`,
    ],
    [product, "is of a transposed matrix"],
    [reduced((x) => tf.mean(x, [1, 2])), "is not the mean over the height and width"],
    [reduced((x) => tf.mean(x, 3, true)), "is not the mean over the height and width"],
    [reduced((x) => tf.sum(x, 3)), "drops its axes"],
    [reduced((x) => tf.reshape(x, [16, 3])), "changes the batch"],
    [reduced((x) => tf.cast(tf.cast(x, "int32"), "float32")), "changes the kind of numbers"],
  ];
  tf.tidy(() => {
    for (const [graph, message] of cases) {
      const inputs = Object.fromEntries(
        graph.inputs.map(({ name, shape }) => [name.replace("params/", ""), tf.zeros([...shape])]),
      );
      assert.throws(() => replay(graph, inputs), (error: TypeError) => {
        assert.ok(
          error instanceof TypeError &&
            error.message.startsWith(`Cannot quantise ${graph.name}: its operator `),
        );
        assert.ok(error.message.includes(message), error.message);
        return true;
      });
    }
    assert.deepEqual(
      replay(symmetric, { x: tf.zeros([2, 8, 8, 3]), filter: tf.zeros([3, 3, 3, 4]) }).y!.shape,
      [2, 4, 4, 4],
    );
  });
});
