import assert from "node:assert/strict";
import type { Graph } from "../../lib/graph/graph.ts";
import { printGraph } from "../../lib/graph/print_graph.ts";
import { prune } from "../../lib/graph/prune.ts";
import { input, node } from "./_graphs.ts";

Deno.test("prune() drops what no output needs and numbers the values anew", () => {
  const graph: Graph = {
    name: "g",
    inputs: [input("x", 10, [2]), input("unused", 11, [3])],
    nodes: [
      node("Neg", [10], 12, [2]), // dead
      node("Relu", [10], 13, [2]),
      node("Exp", [12], 14, [2]), // dead, and the only reader of a dead one
      node("Mul", [13, 10], 15, [2]),
    ],
    outputs: [{ name: "y", value: 15 }],
  };
  assert.equal(
    printGraph(prune(graph)),
    `graph g
  %0 = input x: float32[2]
  %1 = input unused: float32[3]
  %2 = Relu(%0): float32[2]
  %3 = Mul(%2, %0): float32[2]
  return y: %3`,
  );
});

Deno.test("prune() keeps a node of which one output is needed, with all its outputs", () => {
  const split: Graph["nodes"][0] = {
    op: "Split",
    inputs: [0],
    attributes: {},
    outputs: [{ id: 1, dtype: "float32", shape: [1] }, { id: 2, dtype: "float32", shape: [1] }],
  };
  const graph: Graph = {
    name: "g",
    inputs: [input("x", 0, [2])],
    nodes: [split, node("Neg", [2], 3, [1])],
    outputs: [{ name: "y", value: 3 }],
  };
  assert.deepEqual(prune(graph), graph);
});

Deno.test("prune() leaves inputs that are returned, values returned twice, and its argument, as they are", () => {
  const graph: Graph = {
    name: "g",
    inputs: [input("x", 0, [2])],
    nodes: [node("Neg", [0], 1, [2])],
    outputs: [{ name: "same", value: 0 }, { name: "a", value: 1 }, { name: "b", value: 1 }],
  };
  const before = structuredClone(graph);
  assert.deepEqual(prune(graph), graph);
  assert.deepEqual(graph, before);
  assert.deepEqual(prune(prune(graph)), prune(graph));
});

Deno.test("prune() of a graph whose outputs need no node leaves none", () => {
  const graph: Graph = {
    name: "g",
    inputs: [input("x", 0, [])],
    nodes: [node("Neg", [0], 1, [])],
    outputs: [{ name: "y", value: 0 }],
  };
  assert.deepEqual(prune(graph).nodes, []);
});
