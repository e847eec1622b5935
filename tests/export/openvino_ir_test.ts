import assert from "node:assert/strict";
import { resize } from "../../lib/data/resize.ts";
import { type OpenVINOOptions, toOpenVINO } from "../../lib/export/openvino_ir.ts";
import { metadataOfIR } from "../../lib/export/read_ir_metadata.ts";
import { runOpenVINO } from "./_openvino.ts";
import { int8Weights, operations } from "./_operations.ts";
import { noise, smallGraph, smallMetadata } from "./_small_graphs.ts";
import { computeGraph } from "./compute_graph.ts";

const fp32: OpenVINOOptions = { precision: "fp32", dynamicBatch: false };

Deno.test("toOpenVINO() gives each operation its meaning in OpenVINO", async (t) => {
  const input = noise([2, 4, 6, 5], 1, 4);
  const graphs = Object.values(operations).map((build) => smallGraph(input.shape, build));
  const runs = await runOpenVINO(
    graphs.map((graph) => ({ files: toOpenVINO(graph, smallMetadata, fp32), input })),
  );
  for (const [index, name] of Object.keys(operations).entries()) {
    await t.step(name, () => {
      const graph = graphs[index]!;
      const { shape, data } = computeGraph(graph, input).get(graph.output)!;
      const { output } = runs[index]!;
      assert.deepEqual(output.shape, shape);
      const worst = Math.max(...data.map((value, i) => Math.abs(value - output.data[i]!)));
      const largest = Math.max(...data.map(Math.abs));
      assert.ok(worst <= 2e-6 * largest, `off by ${worst} of ${largest}`);
    });
  }
});

/** A convolution with its bias and activation, depthwise or not, with weights in int8 or not. */
const golden = smallGraph([1, 3, 4, 4], ({ constant, node }) => {
  const data = Float32Array.from({ length: 6 }, (_, i) => i);
  const weights = constant({ dtype: "float32", shape: [2, 3, 1, 1], data }, "stem.weight");
  const bias = constant({ dtype: "float32", shape: [2], data: Float32Array.of(0.5, -0.5) }, "stem.bias");
  const convolution = { op: "convolution", pads: [0, 0, 0, 0] } as const;
  const stem = node({ ...convolution, strides: [2, 2], groups: 1 }, [0, weights, bias], [1, 2, 2, 2], "stem");
  const act = node({ op: "hardSwish" }, [stem], [1, 2, 2, 2], "act");
  const rounded = node({ op: "fakeQuantize", levels: 256, low: 0, high: 6 }, [act], [1, 2, 2, 2], "act/int8");
  const stored = constant(
    { dtype: "int8", shape: [2, 1, 1, 1], data: Int8Array.of(-64, 63) },
    "dw.weight/int8",
  );
  const scales = Float32Array.of(0.5, 0.25);
  const depthwise = node({ op: "dequantize", scales }, [stored], [2, 1, 1, 1], "dw.weight");
  const dw = node({ ...convolution, strides: [1, 1], groups: 2 }, [rounded, depthwise], [1, 2, 2, 2], "dw");
  return node({ op: "mean", axes: [2, 3] }, [dw], [1, 2, 1, 1], "pool");
});

Deno.test("toOpenVINO() writes this text", async () => {
  const { xml, bin } = toOpenVINO(golden, smallMetadata, { precision: "fp16", dynamicBatch: true });
  const stored = new URL("./golden/openvino_ir.txt", import.meta.url);
  if (Deno.env.has("UPDATE_GOLDEN")) await Deno.writeTextFile(stored, xml);
  assert.equal(xml, await Deno.readTextFile(stored));
  const at = (offset: number, size: number) => bin.buffer.slice(offset, offset + size);
  assert.deepEqual(new Float16Array(at(0, 12)), Float16Array.of(0, 1, 2, 3, 4, 5));
  assert.deepEqual(new Float32Array(at(64, 8)), Float32Array.of(0.5, -0.5));
});

Deno.test("toOpenVINO() writes the same bytes for the same graph", () => {
  assert.deepEqual(toOpenVINO(golden, smallMetadata, fp32), toOpenVINO(golden, smallMetadata, fp32));
});

Deno.test("toOpenVINO() stores constants of the same numbers once, at multiples of 64", () => {
  const graph = smallGraph([1, 3, 4, 4], ({ constant, node }) => {
    const plane = () =>
      constant({ dtype: "float32", shape: [1, 1, 4, 4], data: new Float32Array(16).fill(2) });
    const five = constant({ dtype: "float32", shape: [1], data: Float32Array.of(5) });
    const once = node({ op: "multiply" }, [0, plane()], [1, 3, 4, 4]);
    const shifted = node({ op: "add" }, [once, five], [1, 3, 4, 4]);
    return node({ op: "multiply" }, [shifted, plane()], [1, 3, 4, 4]);
  });
  const { xml, bin } = toOpenVINO(graph, smallMetadata, fp32);
  assert.deepEqual([...xml.matchAll(/offset="(\d+)"/g)].map(([, offset]) => offset), ["0", "64", "0"]);
  assert.deepEqual(new Float32Array(bin.buffer), Float32Array.of(...Array(16).fill(2), 5));
});

Deno.test("toOpenVINO() keeps weights that half precision cannot hold, and what is no weight", async () => {
  const input = noise([1, 3, 2, 2], 1);
  const graph = (largest: number) =>
    smallGraph(input.shape, ({ constant, node, weights }) => {
      const data = Float32Array.of(largest, 1, 1 / 3);
      const kernel = constant({ dtype: "float32", shape: [1, 3, 1, 1], data });
      const convolution = { op: "convolution", strides: [1, 1], pads: [0, 0, 0, 0], groups: 1 } as const;
      const y = node(convolution, [0, kernel, weights([1])], [1, 1, 2, 2]);
      return node({ op: "multiply" }, [y, weights([1, 1, 1, 1])], [1, 1, 2, 2]);
    });
  const fp16 = { precision: "fp16", dynamicBatch: false } as const;
  const fitting = toOpenVINO(graph(65504), smallMetadata, fp16);
  const large = toOpenVINO(graph(70000), smallMetadata, fp16);
  const types = ({ xml }: { xml: string }) =>
    [...xml.matchAll(/element_type="(f16|f32)" shape="[^"]*" offset/g)].map(([, type]) => type);
  assert.deepEqual(types(fitting), ["f16", "f32", "f32"]);
  assert.deepEqual(types(large), ["f32", "f32", "f32"]);
  assert.match(fitting.xml, /type="Convert"[^]*name="decompression"/);
  const [run] = await runOpenVINO([{ files: large, input }]);
  const { data } = computeGraph(graph(70000), input).get(graph(70000).output)!;
  assert.ok(data.every((value, i) => Math.abs(value - run!.output.data[i]!) <= 1e-6 * Math.abs(value)));
});

Deno.test("toOpenVINO() keeps names that XML and OpenVINO have other uses for", async () => {
  const name = `a,b<c>&"d"\n\u{1f415}`;
  const metadata = { ...smallMetadata, classNames: [name, "\u0000\ufffe\ud800", "e\u2028f"] };
  const graph = smallGraph([1, 3, 2, 2], ({ node }) => node({ op: "relu" }, [0], [1, 3, 2, 2]));
  const named = { ...graph, name, outputName: name };
  const files = toOpenVINO(named, metadata, fp32);
  assert.deepEqual(metadataOfIR(files.xml), metadata);
  const [run] = await runOpenVINO([{ files, input: noise([1, 3, 2, 2], 1) }]);
  assert.deepEqual(run!.outputs[0]!.names, [name]);
});

Deno.test("toOpenVINO() writes what the runtime joins and computes in int8", async () => {
  const shape = [1, 16, 8, 8];
  const graph = smallGraph([1, 3, 16, 16], ({ constant, node, weights }) => {
    const int8 = (shape: number[]) => int8Weights({ constant, node, weights }, shape);
    const rounded = (x: number, shape: number[], low: number, high: number) =>
      node({ op: "fakeQuantize", levels: 256, low, high }, [x], shape);
    const convolution = { op: "convolution", strides: [1, 1], pads: [1, 1, 1, 1] } as const;
    const pixels = rounded(0, [1, 3, 16, 16], -2, 2 * 127 / 128);
    const inputs = [pixels, int8([16, 3, 3, 3]), weights([16])];
    const stem = node({ ...convolution, strides: [2, 2], groups: 1 }, inputs, shape, "stem");
    const active = rounded(node({ op: "hardSwish" }, [stem], shape, "stem/act"), shape, -0.375, 25);
    const dw = node(
      { ...convolution, groups: 16 },
      [active, int8([16, 1, 3, 3]), weights([16])],
      shape,
      "dw",
    );
    const swished = node({ op: "swish" }, [dw], shape, "dw/act");
    const free = node(
      { ...convolution, groups: 1 },
      [swished, weights([16, 16, 3, 3]), weights([16])],
      shape,
      "fp32",
    );
    return node({ op: "clamp", low: 0, high: 6 }, [free], shape, "fp32/act");
  });
  const input = noise([1, 3, 16, 16], 1, 2);
  const [run] = await runOpenVINO([{ files: toOpenVINO(graph, smallMetadata, fp32), input }]);
  const convolutions = run!.layers.filter(({ type }) => type === "Convolution");
  const kernels = convolutions.map(({ kernel }) => kernel.split("_").at(-1));
  assert.deepEqual(kernels, ["I8", "I8", "f32"], JSON.stringify(run!.layers));
  for (const [index, name] of ["stem/act", "dw/act", "fp32/act"].entries()) {
    assert.ok(convolutions[index]!.from.split(",").includes(name), convolutions[index]!.from);
  }
});

for (const interpolation of ["bilinear", "bicubic"] as const) {
  Deno.test(`toOpenVINO() resizes pictures of any size as the model does: ${interpolation}`, async () => {
    const size = { height: 24, width: 20 };
    const metadata = {
      ...smallMetadata,
      preprocessing: { ...smallMetadata.preprocessing, size, interpolation },
      input: { channelOrder: "rgb", values: "raw" } as const,
    };
    const graph = smallGraph([1, 3, 24, 20], ({ node }) => node({ op: "relu" }, [0], [1, 3, 24, 20]));
    const files = toOpenVINO(graph, metadata, { ...fp32, anySize: true });
    const sizes = [[24, 20], [61, 47], [24, 90], [10, 30]] as const;
    const pictures = sizes.map(([height, width]) => noise([1, 3, height, width], 5, 127.5));
    for (const { data } of pictures) data.forEach((value, i) => data[i] = Math.round(value + 127.5));
    const runs = await runOpenVINO(pictures.map((input) => ({ files, input })));
    for (const [index, [height, width]] of sizes.entries()) {
      const pixels = toInterleaved(pictures[index]!.data);
      const wanted = resize(pixels, { height, width }, size, interpolation);
      const found = toInterleaved(runs[index]!.output.data);
      const differences = wanted.map((value, i) => Math.abs(value - found[i]!));
      // A value half-way between two whole numbers may be rounded to either, twice.
      assert.ok(
        Math.max(...differences) <= (index === 0 ? 0 : 2),
        `${height} x ${width}: ${Math.max(...differences)}`,
      );
      const share = differences.filter((difference) => difference > 0).length / differences.length;
      assert.ok(share < 0.03, `${height} x ${width}: ${share} of the values differ`);
    }
    assert.equal(runs[0]!.inputs[0]!.shape, "[1,3,?,?]");
  });
}

/** Planes of channels as bytes `[height, width, 3]`. */
function toInterleaved(planes: Float32Array): Uint8Array {
  const area = planes.length / 3;
  return Uint8Array.from({ length: planes.length }, (_, i) => planes[(i % 3) * area + Math.floor(i / 3)]!);
}
