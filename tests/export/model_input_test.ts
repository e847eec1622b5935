import assert from "node:assert/strict";
import type { ExportInput } from "../../lib/export/export_metadata.ts";
import { withInput } from "../../lib/export/model_input.ts";
import { fed } from "./_networks.ts";
import { type GraphBuilder, noise, smallGraph, smallMetadata } from "./_small_graphs.ts";
import { computeGraph, type Values } from "./compute_graph.ts";

const { preprocessing } = smallMetadata;
const shape = [2, 3, 4, 4];

/** RGB bytes `[2, 4, 4, 3]`. */
const pictures: Values = {
  shape: [2, 4, 4, 3],
  data: noise([2, 4, 4, 3], 1, 127).data.map((value) => Math.round(value + 127)),
};

const convolution = { op: "convolution", strides: [2, 2], pads: [1, 1, 1, 1], groups: 1 } as const;

const stems: Record<string, (graph: GraphBuilder) => number> = {
  "weights in float32": ({ node, weights }) =>
    node(convolution, [0, weights([5, 3, 3, 3]), weights([5])], [2, 5, 2, 2], "stem"),
  "a rounded input and weights in int8": ({ constant, node }) => {
    const rounded = node({ op: "fakeQuantize", levels: 256, low: -2.2, high: 2.7 }, [0], shape, "rounded");
    const data = Int8Array.from(noise([5, 3, 3, 3], 4, 60).data, Math.round);
    const stored = constant({ dtype: "int8", shape: [5, 3, 3, 3], data });
    const scales = Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5);
    const kernel = node({ op: "dequantize", scales }, [stored], [5, 3, 3, 3]);
    return node(convolution, [rounded, kernel], [2, 5, 2, 2], "stem");
  },
  "two convolutions of the picture": ({ node, weights }) => {
    const one = node(convolution, [0, weights([5, 3, 3, 3])], [2, 5, 2, 2], "one");
    const other = node(convolution, [0, weights([5, 3, 3, 3])], [2, 5, 2, 2], "other");
    return node({ op: "add" }, [one, other], [2, 5, 2, 2], "sum");
  },
};

const inputs: ExportInput[] = (["bgr", "rgb"] as const).flatMap((channelOrder) =>
  (["raw", "normalized"] as const).map((values) => ({ channelOrder, values }))
);

for (const [words, build] of Object.entries(stems)) {
  for (const input of inputs) {
    Deno.test(`withInput() computes the same from ${input.values} ${input.channelOrder}: ${words}`, () => {
      const graph = smallGraph(shape, build);
      const rgb = fed(pictures, preprocessing, { channelOrder: "rgb", values: "normalized" });
      const wanted = computeGraph(graph, rgb).get(graph.output)!.data;
      const fitting = withInput(graph, preprocessing, input);
      const found = computeGraph(fitting, fed(pictures, preprocessing, input)).get(fitting.output)!.data;
      const worst = Math.max(...wanted.map((value, i) => Math.abs(value - found[i]!)));
      // A value between two levels may be rounded to either.
      assert.ok(
        worst < (words.includes("rounded") ? 0.02 * Math.max(...wanted.map(Math.abs)) : 1e-5),
        `${worst}`,
      );
      assert.deepEqual([fitting.input.name, fitting.input.shape], ["images", shape]);
      const ids = [fitting.input, ...fitting.nodes.map(({ output }) => output)].map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
    });
  }
}

Deno.test("withInput() leaves the picture's channels in place at no cost", () => {
  const graph = smallGraph(shape, stems["weights in float32"]!);
  const ops = (input: ExportInput) => withInput(graph, preprocessing, input).nodes.map(({ op }) => op).join();
  assert.equal(withInput(graph, preprocessing, { channelOrder: "rgb", values: "normalized" }), graph);
  assert.equal(ops({ channelOrder: "bgr", values: "normalized" }), "constant,constant,convolution");
  const raw = "constant,multiply,constant,add,constant,constant,convolution";
  assert.equal(ops({ channelOrder: "rgb", values: "raw" }), raw);
  assert.equal(ops({ channelOrder: "bgr", values: "raw" }), raw);
});

Deno.test("withInput() keeps the recorded number of a value only where it has the same numbers", () => {
  const graph = smallGraph(shape, stems["weights in float32"]!);
  const recorded = { ...graph, input: { ...graph.input, recorded: 12 } };
  const normalised = (channelOrder: "bgr" | "rgb") => {
    const { input, nodes } = withInput(recorded, preprocessing, { channelOrder, values: "raw" });
    return [input.recorded, nodes.find(({ op }) => op === "add")!.output.recorded];
  };
  assert.deepEqual(normalised("rgb"), [undefined, 12]);
  assert.deepEqual(normalised("bgr"), [undefined, undefined]);
});

Deno.test("withInput() refuses BGR where something else depends on the order of the channels", () => {
  const graph = smallGraph(shape, ({ node, weights }) => {
    const kernel = weights([5, 3, 3, 3]);
    const stem = node(convolution, [0, kernel], [2, 5, 2, 2], "stem");
    const grey = node({ op: "mean", axes: [1] }, [0], [2, 1, 4, 4], "grey");
    const norm = node({ op: "sum", axes: [1, 2, 3] }, [kernel], [5, 1, 1, 1], "norm");
    const both = node({ op: "multiply" }, [grey, norm], [5, 1, 4, 4], "both");
    return node({ op: "add" }, [stem, both], [2, 5, 2, 2]);
  });
  assert.throws(() => withInput(graph, preprocessing, { channelOrder: "bgr", values: "raw" }), {
    name: "TypeError",
    message:
      "Cannot export for BGR pictures: the order of the channels changes in the weights of the first convolution, " +
      "and other operations read the picture or these weights\n" +
      "  grey: mean\n  norm: sum\n" +
      '  help: pass { channelOrder: "rgb" }',
  });
});
