import assert from "node:assert/strict";
import { decodeModel } from "../../lib/export/_onnx_messages.ts";
import { type ONNXOptions, toONNX } from "../../lib/export/onnx.ts";
import { metadataOfONNX } from "../../lib/export/read_onnx_metadata.ts";
import { computeGraph } from "./compute_graph.ts";
import { runONNX } from "./_onnxruntime.ts";
import { operations } from "./_operations.ts";
import { printONNX } from "./_print_onnx.ts";
import { noise, smallGraph, smallMetadata } from "./_small_graphs.ts";

const fp32: ONNXOptions = { precision: "fp32", dynamicBatch: false };

for (const dynamicBatch of [false, true]) {
  const words = dynamicBatch ? "any batch" : "a fixed batch";
  Deno.test(`toONNX() gives each operation its meaning in onnxruntime, with ${words}`, async (t) => {
    const input = noise([2, 4, 6, 5], 1, 4);
    const names = Object.keys(operations).filter((name) =>
      !dynamicBatch || name !== "the same weights read twice"
    );
    const graphs = names.map((name) => smallGraph(input.shape, operations[name]!));
    // A file for any batch is recorded with one length and fed another.
    const fed = dynamicBatch ? noise([3, 4, 6, 5], 2, 4) : input;
    const runs = await runONNX(
      graphs.map((graph) => ({ onnx: toONNX(graph, smallMetadata, { ...fp32, dynamicBatch }), input: fed })),
    );
    for (const [index, name] of names.entries()) {
      await t.step(name, () => {
        const graph = graphs[index]!, run = runs[index]!;
        const { shape, data } = computeGraph(graph, fed).get(graph.output)!;
        assert.deepEqual(run.output.shape, shape);
        const worst = Math.max(...data.map((value, i) => Math.abs(value - run.output.data[i]!)));
        const largest = Math.max(...data.map(Math.abs));
        assert.ok(worst <= 2e-6 * largest, `off by ${worst} of ${largest}`);
        assert.deepEqual(run.untyped, [], "values without a shape");
        assert.deepEqual(run.otherwise, [], "values of another shape than onnx infers");
        assert.equal(run.opset, 22);
        const batch = dynamicBatch ? "batch" : 2;
        assert.deepEqual(run.inputs, [{ name: "images", shape: [batch, 4, 6, 5], type: "tensor(float)" }]);
        assert.deepEqual(run.outputs.map(({ name, shape }) => [name, shape[0]]), [["logits", batch]]);
      });
    }
  });
}

/** A convolution with bias and activation, and a depthwise one in int8. */
const small = smallGraph([1, 3, 4, 4], ({ constant, node }) => {
  const data = Float32Array.from({ length: 6 }, (_, i) => i);
  const weights = constant({ dtype: "float32", shape: [2, 3, 1, 1], data }, "stem.weight");
  const bias = constant({ dtype: "float32", shape: [2], data: Float32Array.of(0.5, -0.5) }, "stem.bias");
  const convolution = { op: "convolution", pads: [0, 0, 0, 0] } as const;
  const stem = node({ ...convolution, strides: [2, 2], groups: 1 }, [0, weights, bias], [1, 2, 2, 2], "stem");
  const act = node({ op: "swish" }, [stem], [1, 2, 2, 2], "act");
  const gate = node({ op: "hardSigmoid" }, [act], [1, 2, 2, 2], "gate");
  const rounded = node(
    { op: "fakeQuantize", levels: 255, low: 0, high: 6 },
    [gate],
    [1, 2, 2, 2],
    "gate/int8",
  );
  const bytes = constant(
    { dtype: "int8", shape: [2, 1, 1, 1], data: Int8Array.of(-64, 63) },
    "dw.weight.int8",
  );
  const scales = Float32Array.of(0.5, 0.25);
  const kernel = node({ op: "dequantize", scales }, [bytes], [2, 1, 1, 1], "dw.weight");
  const dw = node({ ...convolution, strides: [1, 1], groups: 2 }, [rounded, kernel], [1, 2, 2, 2], "dw");
  const pool = node({ op: "mean", axes: [2, 3] }, [dw], [1, 2, 1, 1], "pool");
  return node({ op: "reshape", rest: [-1] }, [pool], [1, 2], "flat");
});

Deno.test("toONNX() writes this file", async () => {
  const bytes = toONNX(small, smallMetadata, { precision: "fp16", dynamicBatch: true });
  const stored = new URL("./golden/onnx.txt", import.meta.url);
  const text = printONNX(bytes);
  if (Deno.env.has("UPDATE_GOLDEN")) await Deno.writeTextFile(stored, text);
  assert.equal(text, await Deno.readTextFile(stored));
});

Deno.test("toONNX() writes the same bytes for the same graph and record", () => {
  const { classNames, ...rest } = smallMetadata;
  const reordered = { ...rest, classNames };
  assert.deepEqual(toONNX(small, smallMetadata, fp32), toONNX(small, reordered, fp32));
});

Deno.test("toONNX() keeps weights that half precision cannot hold, and what is no weight", () => {
  const graph = (largest: number) =>
    smallGraph([1, 3, 2, 2], ({ constant, node, weights }) => {
      const data = Float32Array.of(largest, 1, 1 / 3);
      const kernel = constant({ dtype: "float32", shape: [1, 3, 1, 1], data });
      const convolution = { op: "convolution", strides: [1, 1], pads: [0, 0, 0, 0], groups: 1 } as const;
      const y = node(convolution, [0, kernel, weights([1])], [1, 1, 2, 2]);
      return node({ op: "multiply" }, [y, weights([1, 1, 1, 1])], [1, 1, 2, 2]);
    });
  const types = (largest: number) =>
    decodeModel(toONNX(graph(largest), smallMetadata, { ...fp32, precision: "fp16" })).graph.initializer
      .map(({ dataType }) => dataType);
  assert.deepEqual(types(65504), [10, 1, 1]);
  assert.deepEqual(types(70000), [1, 1, 1]);
});

Deno.test("toONNX() refuses quantised values without a 0", () => {
  const graph = smallGraph(
    [1, 3, 2, 2],
    ({ node }) => node({ op: "fakeQuantize", levels: 256, low: 1, high: 2 }, [0], [1, 3, 2, 2], "act"),
  );
  assert.throws(() => toONNX({ ...graph, outputName: "act" }, smallMetadata, fp32), {
    name: "RangeError",
    message:
      'Cannot write "act" to ONNX: found 256 levels from 1 to 2, wanted 2 to 256 levels of which one is 0',
  });
});

Deno.test("toONNX() rounds quantised values to the levels between low and high", async () => {
  const levels = { levels: 255, low: -1.27, high: 1.27 };
  const shape = [1, 3, 8, 8];
  const input = noise(shape, 5, 2);
  const graph = smallGraph(shape, ({ node }) => node({ op: "fakeQuantize", ...levels }, [0], shape));
  const [run] = await runONNX([{ onnx: toONNX(graph, smallMetadata, fp32), input }]);
  const found = [...run!.output.data];
  assert.ok(found.every((value) => Math.abs(value * 100 - Math.round(value * 100)) < 1e-4));
  assert.ok(Math.abs(Math.min(...found) + 1.27) < 1e-6 && Math.abs(Math.max(...found) - 1.27) < 1e-6);
});

Deno.test("metadataOfONNX() reads back what toONNX() wrote, and onnxruntime shows it to people", async () => {
  const classNames = ["a cat", "日本の犬 🐕", 'quote " \n and \ud800'];
  const metadata = { ...smallMetadata, classNames };
  const onnx = toONNX(small, metadata, fp32);
  assert.deepEqual(metadataOfONNX(onnx), metadata);
  const [run] = await runONNX([{ onnx, input: noise([1, 3, 4, 4], 1) }]);
  assert.deepEqual({ ...run!.properties, whittle: undefined }, {
    model: "mobilenetv3_small_100.lamb_in1k",
    labels: JSON.stringify(classNames),
    mean: "123.675 116.28 103.53",
    scale: "58.395 57.12 57.375",
    input: "RGB (0..255 - mean) / scale, [batch, 3, height, width]",
    resize: "bilinear to 4 x 4, aspect ratio not kept",
    whittle: undefined,
  });
});

Deno.test("metadataOfONNX() says what is wrong with a file", () => {
  const onnx = toONNX(small, smallMetadata, fp32);
  const refused = {
    name: "SyntaxError",
    message: /^Cannot read the ONNX file: it is none, or only a part of one \(/,
  };
  assert.throws(() => metadataOfONNX(onnx.slice(0, -40)), refused);
  assert.throws(() => metadataOfONNX(new TextEncoder().encode("<?xml?><net/>")), refused);
  assert.throws(() => metadataOfONNX(new Uint8Array()), refused);
});
