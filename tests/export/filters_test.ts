import assert from "node:assert/strict";
import { type FilterLayout, readFilter } from "../../lib/export/_filters.ts";
import { createGraphView, type GraphView } from "../../lib/graph/graph_view.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { fakeQuantizeChannels } from "../../lib/operators/fake_quantize.ts";
import { compile, record, tf } from "../../lib/tensorflow/mod.ts";
import { uniform } from "../models/hash_weights.ts";

const tensor = (shape: number[], data: ArrayLike<number>): HostTensor => ({
  dtype: "float32",
  shape,
  data: Float32Array.from(data),
});
const count = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);
const refuse = (problem: string) => new TypeError(problem);
const numbered = (shape: number[]) => tensor(shape, Array.from({ length: count(shape) }, (_, i) => i));

/** A graph that returns weights as they are. */
function plain(weights: HostTensor): { id: number; view: GraphView } {
  const graph = record(({ params }) => {
    const { w } = params as Record<string, tf.Tensor>;
    return { y: tf.mul(w!, 2) };
  }, { params: { w: { dtype: "float32", shape: [...weights.shape] } } });
  return { id: graph.inputs[0]!.id, view: createGraphView(graph, { "params/w": weights }) };
}

Deno.test("readFilter() puts outputs first: convolution, depthwise, linear", () => {
  const read = (shape: number[], layout: FilterLayout) => {
    const { id, view } = plain(numbered(shape));
    const { name, values, quantized } = readFilter(id, layout, view, { refuse });
    assert.deepEqual([name, quantized], ["params/w", undefined]);
    return { shape: values.shape, data: [...values.data] };
  };
  // [height 1, width 2, in 2, out 3]
  assert.deepEqual(read([1, 2, 2, 3], "convolution"), {
    shape: [3, 2, 1, 2],
    data: [0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11],
  });
  // [height 2, width 2, channels 3, 1]
  assert.deepEqual(read([2, 2, 3, 1], "depthwise"), {
    shape: [3, 1, 2, 2],
    data: [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11],
  });
  assert.deepEqual(read([2, 3], "linear"), { shape: [3, 2], data: [0, 3, 1, 4, 2, 5] });
});

/** A graph that returns weights quantised to `-range..range`, with TensorFlow's own result. */
async function quantised(
  weights: HostTensor,
  range: number[],
  { bits, depthwise }: { bits: number; depthwise: boolean },
): Promise<{ id: number; view: GraphView; wanted: Float32Array }> {
  const shape = [...weights.shape];
  // Depthwise filters are quantised as matrices; folding leaves a parameter of that shape.
  const given = depthwise ? [shape[0]! * shape[1]!, shape[2]!] : shape;
  const ends = { dtype: "float32" as const, shape: [range.length] };
  const graph = record(({ params, low }) => {
    const { w, range } = params as Record<string, tf.Tensor>;
    const y = fakeQuantizeChannels(w!, low as tf.Tensor, range!, { bits, narrow: true });
    return { y: depthwise ? tf.reshape(y, shape) : y };
  }, { params: { w: { dtype: "float32", shape: given }, range: ends }, low: ends });
  const inputs = {
    "params/w": { ...weights, shape: given },
    "params/range": tensor([range.length], range),
    low: tensor([range.length], range.map((value) => -value)),
  };
  await using compiled = compile(graph);
  const { y } = await compiled.run(inputs);
  const view = createGraphView(graph, inputs);
  return { id: graph.outputs[0]!.value, view, wanted: y!.data as Float32Array };
}

Deno.test("readFilter() gives whole numbers and scales by hand", async () => {
  // One input, three outputs: rows of one weight each are columns here.
  const weights = tensor([3, 2], [1, 0.5, -2, 0.26, 0.7, -0.75]);
  const { id, view } = await quantised(weights, [1.27, 0.635], { bits: 8, depthwise: false });
  const { quantized } = readFilter(id, "linear", view, { refuse });
  assert.deepEqual(quantized!.values.shape, [2, 3]);
  assert.deepEqual([...quantized!.values.data], [100, -127, 70, 100, 52, -127]);
  assert.deepEqual([...quantized!.scales].map((scale) => +scale.toFixed(7)), [0.01, 0.005]);
});

for (const bits of [7, 8]) {
  for (
    const [layout, shape] of [
      ["convolution", [3, 3, 5, 4]],
      ["depthwise", [3, 3, 40, 1]],
      ["linear", [64, 5]],
    ] as [FilterLayout, number[]][]
  ) {
    Deno.test(`readFilter() of ${layout} weights in ${bits} bits: scale times number is TensorFlow's`, async () => {
      const depthwise = layout === "depthwise";
      const outputs = depthwise ? shape[2]! : shape.at(-1)!;
      const weights = tensor(shape, uniform(`${layout}.${bits}`, count(shape)));
      // Some ranges cut weights off, some leave room.
      const range = [...uniform("range", outputs)].map((value) => 0.2 + 1.2 * Math.abs(value));
      const { id, view, wanted } = await quantised(weights, range, { bits, depthwise });
      const { quantized, values } = readFilter(id, layout, view, { refuse });
      const { data, shape: found } = quantized!.values;
      assert.deepEqual(found, values.shape);
      assert.equal(quantized!.scales.length, outputs);
      const largest = 2 ** (bits - 1) - 1;
      assert.deepEqual([Math.min(...data as Int8Array), Math.max(...data as Int8Array)], [-largest, largest]);
      // TensorFlow's in the layout of files.
      const result = plain(tensor(shape, wanted));
      const theirs = readFilter(result.id, layout, result.view, { refuse }).values.data;
      const perRow = data.length / outputs;
      data.forEach((number: number | bigint, index: number) => {
        const scale = quantized!.scales[Math.floor(index / perRow)]!;
        assert.ok(Math.abs(Number(number) * scale - theirs[index]!) < 1e-3 * scale, `${index}`);
      });
      assert.ok(
        values.data.some((value, index) => Math.abs(value - theirs[index]!) > 1e-3),
        "before rounding",
      );
    });
  }
}
