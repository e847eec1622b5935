import assert from "node:assert/strict";
import { countOperations } from "../../lib/graph/complexity.ts";
import type { Graph } from "../../lib/graph/graph.ts";
import { valueSpecs } from "../../lib/graph/value_specs.ts";
import { input, node } from "./_graphs.ts";

const graphOf = (inputs: Graph["inputs"], nodes: Graph["nodes"]): Graph => ({
  name: "g",
  inputs,
  nodes,
  outputs: [],
});

Deno.test("countOperations() counts two for each multiply-accumulate of a convolution", () => {
  // Each of 5 x 5 x 8 outputs sums 3 x 3 x 4 products.
  const dense = graphOf(
    [input("x", 0, [1, 5, 5, 4]), input("w", 1, [3, 3, 4, 8])],
    [node("Conv2D", [0, 1], 2, [1, 5, 5, 8])],
  );
  assert.equal(countOperations(dense), 2 * 5 * 5 * 8 * 3 * 3 * 4);
  // One input channel for each output channel.
  const depthwise = graphOf(
    [input("x", 0, [1, 5, 5, 4]), input("w", 1, [3, 3, 4, 1])],
    [node("DepthwiseConv2dNative", [0, 1], 2, [1, 5, 5, 4])],
  );
  assert.equal(countOperations(depthwise), 2 * 5 * 5 * 4 * 3 * 3);
});

Deno.test("countOperations() counts dense layers, transposed or not, and grows with the batch", () => {
  const dense = (left: number[], attributes: Graph["nodes"][0]["attributes"]) =>
    countOperations(
      graphOf([input("x", 0, left), input("w", 1, [7, 3])], [node("MatMul", [0, 1], 2, [2, 3], attributes)]),
    );
  assert.equal(dense([2, 7], {}), 2 * 2 * 7 * 3);
  assert.equal(dense([7, 2], { transpose_a: { kind: "bool", value: true } }), 2 * 2 * 7 * 3);
  const batched = graphOf(
    [input("x", 0, [4, 2, 7]), input("w", 1, [4, 7, 3])],
    [node("BatchMatMulV2", [0, 1], 2, [4, 2, 3])],
  );
  assert.equal(countOperations(batched), 4 * 2 * 2 * 7 * 3);
});

Deno.test("countOperations() adds up nodes and leaves everything else out", () => {
  const graph = graphOf([input("x", 0, [2, 7]), input("w", 1, [7, 7])], [
    node("MatMul", [0, 1], 2, [2, 7]),
    node("Relu", [2], 3, [2, 7]),
    node("MatMul", [3, 1], 4, [2, 7]),
    node("Softmax", [4], 5, [2, 7]),
  ]);
  assert.equal(countOperations(graph), 2 * (2 * 2 * 7 * 7));
  assert.equal(countOperations(graphOf([], [])), 0);
});

Deno.test("valueSpecs() knows inputs and every output of a node", () => {
  const graph = graphOf([input("x", 3, [2], "uint8")], [{
    ...node("Split", [3], 4, [1]),
    outputs: [{ id: 4, dtype: "float32", shape: [1] }, { id: 6, dtype: "bool", shape: [] }],
  }]);
  const specs = [...valueSpecs(graph)].map(([id, { dtype, shape }]) => [id, dtype, shape]);
  assert.deepEqual(specs, [[3, "uint8", [2]], [4, "float32", [1]], [6, "bool", []]]);
});
