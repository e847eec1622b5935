import assert from "node:assert/strict";
import type { ExportGraph } from "../../lib/export/export_graph.ts";
import { type ExportedNetwork, toExportGraph } from "../../lib/export/to_export_graph.ts";
import type { Preprocessing } from "../../lib/data/preprocessing.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import {
  activate,
  convolution,
  depthwiseConvolution,
  type Layer,
  sequential,
} from "../../lib/models/layers.ts";
import type { Network } from "../../lib/models/network.ts";
import { foldNetwork } from "../../lib/models/quantized/folded_network.ts";
import { createQuantizedNetwork } from "../../lib/models/quantized/quantized_network.ts";
import { relu6 } from "../../lib/operators/activations.ts";
import { conv2d } from "../../lib/operators/conv2d.ts";
import { fakeQuantize, fakeQuantizeChannels } from "../../lib/operators/fake_quantize.ts";
import { compile, tf } from "../../lib/tensorflow/mod.ts";
import { imageBytes } from "../models/hash_weights.ts";
import { networkOf, smallNetwork, smallPreprocessing, weightsOf } from "../models/_small_network.ts";
import { rangesFor } from "../models/quantized/_ranges.ts";
import { toONNX } from "../../lib/export/onnx.ts";
import { toOpenVINO } from "../../lib/export/openvino_ir.ts";
import { openExported } from "../../lib/runtimes/exported_model.ts";
import { fed } from "./_networks.ts";
import { smallMetadata } from "./_small_graphs.ts";
import { printExportGraph } from "./_print_export_graph.ts";
import { computeGraph } from "./compute_graph.ts";

const normalized = { channelOrder: "rgb", values: "normalized" } as const;

function exported(
  network: Network,
  weights: Readonly<Record<string, HostTensor>> = weightsOf(network),
  preprocessing = smallPreprocessing,
  batch = 2,
): ExportedNetwork {
  return toExportGraph({ id: "small", network, weights, preprocessing }, batch);
}

function withSize(height: number, width: number): Preprocessing {
  return { ...smallPreprocessing, size: { height, width } };
}

/**
 * Computes every value of the exported graph by the definitions of its operations, and compares those that the recording
 * has with what TensorFlow makes of the same pictures.
 *
 * @returns How many values were compared.
 */
async function compareValues(
  { graph, recorded, parameters }: ExportedNetwork,
  preprocessing: Preprocessing,
  tolerance = 1e-5,
): Promise<number> {
  const { height, width } = preprocessing.size;
  const batch = graph.input.shape[0]!;
  const bytes = imageBytes(5, batch, height, width);
  const shape = [batch, height, width, 3];
  const pictures = { shape, data: Float32Array.from(bytes) };
  const found = computeGraph(graph, fed(pictures, preprocessing, normalized));
  const values = [graph.input, ...graph.nodes.map(({ output }) => output)]
    .filter(({ recorded }) => recorded !== undefined);
  const outputs = values.map(({ id, recorded }) => ({ name: String(id), value: recorded! }));
  await using compiled = compile({ ...recorded, outputs });
  const wanted = await compiled.run({ images: { dtype: "uint8", shape, data: bytes }, ...parameters });
  for (const { id, name, shape } of values) {
    const theirs = wanted[id]!, ours = found.get(id)!;
    assert.deepEqual(ours.shape, shape, name);
    const [, rows = 1, columns = 1, channels] = theirs.shape as [number, number, number, number];
    const at = (index: number) => {
      if (theirs.shape.length !== 4) return index;
      const [area, picture] = [rows * columns, Math.floor(index / (rows * columns * channels))];
      const channel = Math.floor(index / area) % channels;
      return (picture * area + index % area) * channels + channel;
    };
    const range = Math.max(...theirs.data as Float32Array) - Math.min(...theirs.data as Float32Array);
    ours.data.forEach((value, index) => {
      const other = theirs.data[at(index)] as number;
      assert.ok(
        Math.abs(value - other) <= tolerance * Math.max(range, Math.abs(other), 0.1),
        `${name}: ${value}, wanted ${other}`,
      );
    });
  }
  return values.length;
}

async function golden(name: string): Promise<string> {
  return (await Deno.readTextFile(new URL(`golden/${name}.txt`, import.meta.url))).trimEnd();
}

const int8 = { weightBits: 7, floatLayers: ["block.se.conv_reduce"] } as const;

/** The small network quantised but for one layer. */
function quantizedSmall(): { network: Network; weights: Record<string, HostTensor> } {
  const float = smallNetwork();
  const folded = foldNetwork(float, smallPreprocessing.size);
  const network = createQuantizedNetwork(float, folded, int8);
  return { network, weights: rangesFor(network, folded.fold(weightsOf(float))) };
}

for (const head of ["linear", "cosine"] as const) {
  Deno.test(`toExportGraph() of a small network with a ${head} classifier has the stored text`, async () => {
    assert.equal(printExportGraph(exported(smallNetwork(head)).graph), await golden(`lowered_${head}`));
  });
  Deno.test(`toExportGraph() with a ${head} classifier: each value is the recording's`, async () => {
    const count = await compareValues(exported(smallNetwork(head)), smallPreprocessing);
    assert.equal(count, head === "linear" ? 16 : 22);
  });
}

Deno.test("toExportGraph() of a quantised network has the stored text", async () => {
  const { network, weights } = quantizedSmall();
  assert.equal(printExportGraph(exported(network, weights).graph), await golden("lowered_int8"));
});

Deno.test("toExportGraph() of a quantised network: each value is the recording's", async () => {
  const { network, weights } = quantizedSmall();
  await compareValues(exported(network, weights), smallPreprocessing);
});

Deno.test("toExportGraph() of channels with next to no weights keeps their biases in both runtimes", async () => {
  const layers = ["a", "b"].map((name) => convolution(name, { inChannels: 3, outChannels: 3, bias: true }));
  const float = networkOf(sequential(layers[0]!, activate(relu6), layers[1]!), 3);
  const folded = foldNetwork(float, smallPreprocessing.size);
  const network = createQuantizedNetwork(float, folded, { weightBits: 7, floatLayers: [] });
  const own = folded.fold(weightsOf(float));
  const { data, shape } = own["a.weight"]!;
  own["a.weight"] = {
    dtype: "float32",
    shape,
    data: Float32Array.from(data as Float32Array, (x, index) => index % 3 < 2 ? x * 1e-10 : x),
  };
  own["a.bias"] = { dtype: "float32", shape: [3], data: Float32Array.of(2, 3, 0.5) };
  const { graph } = exported(network, rangesFor(network, own));
  const bytes = imageBytes(5, 2, 8, 8);
  const given = fed({ shape: [2, 8, 8, 3], data: Float32Array.from(bytes) }, smallPreprocessing, normalized);
  const wanted = computeGraph(graph, given).get(graph.output)!.data;
  const metadata = { ...smallMetadata, classNames: ["a", "b", "c"], preprocessing: smallPreprocessing };
  const options = { precision: "fp32", dynamicBatch: false } as const;
  const range = Math.max(...wanted) - Math.min(...wanted);
  for (const bytes of [toOpenVINO(graph, metadata, options), { onnx: toONNX(graph, metadata, options) }]) {
    const model = await openExported(bytes);
    const { logits } = await model.run({ images: { dtype: "float32", ...given } });
    await model.dispose();
    (logits!.data as Float32Array).forEach((value, index) =>
      assert.ok(
        Math.abs(value - wanted[index]!) < 0.02 * range,
        `${model.runtime}: ${value}, wanted ${wanted[index]}`,
      )
    );
  }
});

for (
  const [kind, create] of [
    [
      "convolution",
      (kernel: number, stride: number, padding: "same" | "symmetric") =>
        convolution("conv", { inChannels: 3, outChannels: 2, kernel, stride, padding }),
    ],
    [
      "depthwise convolution",
      (kernel: number, stride: number, padding: "same" | "symmetric") =>
        depthwiseConvolution("conv_dw", { channels: 3, kernel, stride, padding }),
    ],
  ] as const
) {
  Deno.test(`toExportGraph() pads a ${kind} as TensorFlow does, at odd and even sizes`, async () => {
    const seen = new Set<string>();
    for (const padding of ["same", "symmetric"] as const) {
      for (const [kernel, stride] of [[3, 1], [3, 2], [5, 2]] as const) {
        for (const [height, width] of [[5, 6], [8, 7]] as const) {
          const layer = create(kernel, stride, padding), preprocessing = withSize(height, width);
          const network = networkOf(layer, kind === "convolution" ? 2 : 3);
          const result = exported(network, weightsOf(network), preprocessing, 1);
          await compareValues(result, preprocessing);
          seen.add(JSON.stringify(padsIn(result.graph)));
        }
      }
    }
    for (const pads of [[0, 1, 1, 1], [1, 0, 1, 1], [1, 1, 1, 1], [2, 2, 2, 2], [1, 2, 2, 2]]) {
      assert.ok(seen.has(JSON.stringify(pads)), `${pads} in ${[...seen].join(" ")}`);
    }
  });
}

function padsIn({ nodes }: ExportGraph): readonly number[] {
  const node = nodes.find(({ op }) => op === "convolution");
  assert.ok(node?.op === "convolution");
  return node.pads;
}

/** A layer without parameters. */
const layer = (forward: (x: tf.Tensor4D) => tf.Tensor): Layer => ({
  parameters: [],
  forward: (x) => forward(x) as tf.Tensor4D,
});
const x3 = (forward: (x: tf.Tensor4D) => tf.Tensor) => networkOf(layer(forward), 3);

/** Operations of the graph without the mean and the classifier, constants left out. */
function operations(network: Network): string[] {
  return exported(network).graph.nodes.map(({ op }) => op).filter((op) => op !== "constant").slice(0, -3);
}

Deno.test("toExportGraph() makes one operation of an activation, and several of what is like one", async () => {
  const cases: [string[], (x: tf.Tensor4D) => tf.Tensor][] = [
    [["hardSigmoid"], (x) => tf.mul(tf.relu6(tf.add(x, 3)), 1 / 6)],
    [["add", "clamp", "multiply"], (x) => tf.mul(tf.relu6(tf.add(x, 2)), 1 / 6)],
    [["multiply", "add", "clamp", "multiply"], (x) => tf.mul(tf.mul(x, 1 / 5), tf.relu6(tf.add(x, 3)))],
    [["swish"], (x) => tf.mul(x, tf.sigmoid(x))],
    [["sigmoid", "multiply"], (x) => tf.mul(tf.sigmoid(x), tf.tensor1d([1, 2, 3]))],
    [["add", "divide"], (x) => tf.div(x, tf.add(x, 40))],
    [["relu", "square"], (x) => tf.square(tf.relu(x))],
  ];
  for (const [wanted, forward] of cases) {
    const network = x3(forward);
    assert.deepEqual(operations(network), wanted);
    await compareValues(exported(network), smallPreprocessing);
  }
});

Deno.test("toExportGraph() puts constants on either side, one number or one a channel", async () => {
  for (
    const forward of [
      (x: tf.Tensor4D) => tf.div(2, tf.add(x, 10)),
      (x: tf.Tensor4D) => tf.div(tf.tensor1d([1, 2, 3]), tf.add(tf.tensor1d([10, 11, 12]), x)),
    ]
  ) await compareValues(exported(x3(forward)), smallPreprocessing);
});

Deno.test("toExportGraph() joins to a product only a bias that has a number for each output", async () => {
  for (const numbers of [[3], [3, 4]]) {
    const network = x3((x) => x);
    const biased: Network = {
      ...network,
      forward: (params, images, options) => {
        const { logits, statistics } = network.forward(params, images, options);
        const product = tf.matMul(logits, tf.tensor2d([[1, 2], [3, 4], [5, 6]]));
        return { logits: tf.add(product, tf.tensor1d(numbers)) as tf.Tensor2D, statistics };
      },
    };
    const result = exported(biased);
    await compareValues(result, smallPreprocessing);
    const joined = result.graph.nodes.at(-1)!.op === "linear";
    assert.equal(joined, numbers.length === 2);
  }
});

Deno.test("toExportGraph() counts the groups of a convolution", async () => {
  const grouped: Layer = {
    parameters: [{ name: "conv.weight", shape: [3, 3, 1, 6], kind: "convolution" }],
    forward: (x, { params }) => conv2d(x, params["conv.weight"] as tf.Tensor4D),
  };
  const result = exported(networkOf(grouped, 6));
  const node = result.graph.nodes.find(({ op }) => op === "convolution");
  assert.ok(node?.op === "convolution" && node.groups === 3);
  await compareValues(result, smallPreprocessing);
});

/** The message that exporting fails with. */
function refusal(network: Network): string {
  try {
    exported(network);
  } catch (error) {
    assert.ok(error instanceof TypeError);
    return error.message;
  }
  return assert.fail("did not fail");
}

Deno.test("toExportGraph() names all operators it cannot write, with their places", () => {
  const stem = convolution("conv_stem", { inChannels: 3, outChannels: 3 });
  const network = networkOf({
    parameters: stem.parameters,
    forward: (x, context) => tf.tanh(tf.erf(stem.forward(tf.elu(x), context))) as tf.Tensor4D,
  }, 3);
  assert.match(
    refusal(network),
    new RegExp(
      "^Cannot export small: 3 of its \\d+ operators cannot be written to a file\n" +
        "  Elu \\[2,8,8,3\\]\n" +
        "  Erf \\[2,8,8,3\\], at or after conv_stem\\.weight,\n" +
        "  Tanh \\[2,8,8,3\\], at or after conv_stem\\.weight,\n" +
        "  help: the operators that can be are Add, AddV2, BatchMatMulV2, .*, Sum$",
    ),
  );
  const many = x3((x) => Array.from({ length: 13 }).reduce((y: tf.Tensor) => tf.tanh(y), x));
  assert.match(refusal(many), /13 of its .*(\n {2}Tanh \[2,8,8,3\]){10}\n {2}\(and 3 more\)\n/);
});

Deno.test("toExportGraph() refuses what a file would compute differently", () => {
  const filter = (shape: number[]) => ({ name: "conv.weight", shape, kind: "convolution" as const });
  const convolved = (
    shape: number[],
    forward: (x: tf.Tensor4D, filter: tf.Tensor4D) => tf.Tensor4D,
  ): Layer => ({
    parameters: [filter(shape)],
    forward: (x, { params }) => forward(x, params["conv.weight"] as tf.Tensor4D),
  });
  const help = "\n  help: write that part of the network with the operators of lib/operators";
  const cases: [Network, string | RegExp][] = [
    [
      networkOf(convolved([3, 3, 3, 4], (x, w) => tf.conv2d(x, w, 1, "same", "NHWC", 2)), 4),
      `Cannot export small: Conv2D [2,8,8,4], at or after conv.weight, is dilated${help}`,
    ],
    [
      networkOf(convolved([3, 3, 3, 2], (x, w) => tf.depthwiseConv2d(x, w, 1, "same")), 6),
      "Cannot export small: DepthwiseConv2dNative [2,8,8,6], at or after conv.weight, has weights of shape [3,3,3,2], " +
      `wanted one filter a channel, [height, width, channels, 1]${help}`,
    ],
    [
      networkOf(convolved([1, 1, 3, 4], (x, w) => tf.conv2d(x, tf.relu(w), 1, "same")), 4),
      "Cannot export small: Conv2D [2,8,8,4], at or after conv.weight, has weights of shape [1,1,3,4] computed by " +
      `Relu, wanted a parameter${help}`,
    ],
    [
      networkOf(
        convolved([1, 1, 3, 4], (x, w) => {
          const ends = [[0, -1, -1, -1], [1, 1, 1, 1]].map((values) => tf.tensor1d(values)) as [
            tf.Tensor,
            tf.Tensor,
          ];
          return tf.conv2d(x, fakeQuantizeChannels(w, ...ends, { narrow: true }) as tf.Tensor4D, 1, "same");
        }),
        4,
      ),
      "Cannot export small: Conv2D [2,8,8,4], at or after conv.weight, has weights of shape [1,1,3,4] quantised to " +
      `other ranges than -range..range, range above 0${help}`,
    ],
    [
      x3((x) => tf.cast(tf.cast(x, "int32"), "float32")),
      `Cannot export small: Cast [2,8,8,3] changes the kind of numbers, wanted float32 throughout${help}`,
    ],
    [
      x3((x) => tf.reshape(x, [2, 4, 16, 3])),
      `Cannot export small: Reshape [2,4,16,3] makes [2,4,16,3] of [2,8,8,3], wanted the same batch and pictures of ` +
      `one pixel${help}`,
    ],
    [
      networkOf(layer((x) => tf.reshape(tf.reshape(tf.mean(x, [1, 2], true), [2, 3]), [2, 3, 1, 1])), 1),
      /^Cannot export small: Reshape \[2,3,1,1\] makes \[2,3,1,1\] of \[2,3\], wanted /,
    ],
    [
      x3((x) => tf.add(x, tf.tensor3d([[[1, 2, 3]]]))),
      `Cannot export small: Const [1,1,3] is with a constant of shape [1,1,3], wanted one number or one a channel${help}`,
    ],
    [
      x3((x) => tf.mul(x, tf.reshape(tf.mean(x, [1, 2], true), [2, 3]).sum(0, true))),
      /^Cannot export small: Mul \[2,8,8,3\] is of \[2,8,8,3\] and \[1,3\], wanted as many axes\n/,
    ],
    [
      x3((x) => fakeQuantize(x, tf.mul(tf.mean(tf.relu(x)), -1), tf.scalar(1))),
      `Cannot export small: FakeQuantWithMinMaxVars [2,8,8,3] has a range that is no parameter${help}`,
    ],
  ];
  for (const [network, message] of cases) {
    const found = refusal(network);
    if (typeof message === "string") assert.equal(found, message);
    else assert.match(found, message);
  }
});

Deno.test("toExportGraph() refuses logits that are computed of constants alone", () => {
  const network = x3((x) => x);
  const ones: Network = {
    ...network,
    forward: (params) => ({
      logits: tf.matMul(tf.tensor2d([[1, 2, 3]]), params["classifier.weight"] as tf.Tensor2D),
      statistics: {},
    }),
  };
  assert.match(
    refusal(ones),
    /^Cannot export small: Const \[1,3\] is a constant, wanted what is computed of the pictures\n/,
  );
});
