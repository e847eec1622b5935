import assert from "node:assert/strict";
import type { Graph } from "../../lib/graph/graph.ts";
import type { HostTensor } from "../../lib/graph/host_tensor.ts";
import { printGraph, printSpec } from "../../lib/graph/print_graph.ts";
import { input, node } from "./_graphs.ts";

const constant = (value: HostTensor): Graph["nodes"][0] => ({
  op: "Const",
  inputs: [],
  attributes: { dtype: { kind: "dtype", value: value.dtype }, value: { kind: "tensor", value } },
  outputs: [{ id: 9, dtype: value.dtype, shape: value.shape }],
});
const printNode = (node: Graph["nodes"][0]) =>
  printGraph({ name: "g", inputs: [], nodes: [node], outputs: [] }).split("\n")[1]!.trim();

Deno.test("printGraph() prints inputs, nodes with their attributes, and outputs, one a line", () => {
  const convolution = node("Conv2D", [0, 1], 2, [1, 2, 2, 4], {
    T: { kind: "dtype", value: "float32" },
    strides: { kind: "ints", value: [1, 2, 2, 1] },
    padding: { kind: "string", value: "SAME" },
    explicit: { kind: "bool", value: false },
    epsilon: { kind: "float", value: 0.001 },
  });
  const graph: Graph = {
    name: "stem",
    inputs: [input("images", 0, [1, 4, 4, 3]), input("parameters/stem.weight", 1, [3, 3, 3, 4])],
    nodes: [convolution],
    outputs: [{ name: "y", value: 2 }],
  };
  assert.equal(
    printGraph(graph),
    `graph stem
  %0 = input images: float32[1,4,4,3]
  %1 = input parameters/stem.weight: float32[3,3,3,4]
  %2 = Conv2D(%0, %1) {strides: [1,2,2,1], padding: "SAME", explicit: false, epsilon: 0.001}: float32[1,2,2,4]
  return y: %2`,
  );
});

Deno.test("printGraph() prints all outputs of a node", () => {
  const split = {
    ...node("Split", [0], 1, [1]),
    outputs: [{ id: 1, dtype: "int32", shape: [1] }, { id: 2, dtype: "bool", shape: [] }] as const,
  };
  assert.equal(printNode(split), "%1, %2 = Split(%0): int32[1], bool[]");
});

Deno.test("printGraph() prints constants of each dtype, the first eight values of long ones", () => {
  const print = (value: HostTensor) => printNode(constant(value));
  assert.equal(
    print({ dtype: "float32", shape: [], data: new Float32Array([0.1]) }),
    "%9 = Const {value: [0.1]}: float32[]",
  );
  assert.equal(
    print({ dtype: "int64", shape: [2], data: new BigInt64Array([-1n, 2n]) }),
    "%9 = Const {value: [-1,2]}: int64[2]",
  );
  assert.equal(
    print({ dtype: "bool", shape: [1], data: new Uint8Array([1]) }),
    "%9 = Const {value: [1]}: bool[1]",
  );
  assert.equal(
    print({ dtype: "int32", shape: [0], data: new Int32Array() }),
    "%9 = Const {value: []}: int32[0]",
  );
  assert.equal(
    print({ dtype: "uint8", shape: [3, 3], data: Uint8Array.from({ length: 9 }, (_, i) => i) }),
    "%9 = Const {value: [0,1,2,3,4,5,6,7,...]}: uint8[3,3]",
  );
  assert.equal(
    print({ dtype: "float32", shape: [3], data: new Float32Array([NaN, Infinity, -Infinity]) }),
    "%9 = Const {value: [NaN,Infinity,-Infinity]}: float32[3]",
  );
});

Deno.test("printSpec() prints dtype and shape", () => {
  assert.equal(printSpec({ dtype: "float32", shape: [2, 0, 3] }), "float32[2,0,3]");
  assert.equal(printSpec({ dtype: "bool", shape: [] }), "bool[]");
});
