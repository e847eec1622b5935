import type { Graph, GraphNode } from "../graph/graph.ts";

/** What files can hold, by TensorFlow's names. */
const known = new Set(
  ("Add AddV2 BatchMatMulV2 BiasAdd Cast Const Conv2D DepthwiseConv2dNative FakeQuantWithMinMaxVars " +
    "FakeQuantWithMinMaxVarsPerChannel Identity MatMul Mean Mul RealDiv Relu Relu6 Reshape Sigmoid Sqrt Square Sum")
    .split(" "),
);

/**
 * Refuses a recording with operators that files cannot hold; all of them are named, with their places.
 *
 * @param graph The recording.
 * @param model Name of the model, for the message.
 * @throws {TypeError} If there are any.
 */
export function requireKnownOperators(graph: Graph, model: string): void {
  const unknown = graph.nodes.filter(({ op }) => !known.has(op));
  if (unknown.length === 0) return;
  const places = unknown.slice(0, 10).map((node) => `  ${placeOf(node, graph)}`);
  if (unknown.length > 10) places.push(`  (and ${unknown.length - 10} more)`);
  throw new TypeError(
    `Cannot export ${model}: ${unknown.length} of its ${graph.nodes.length} operators cannot be written to a file\n` +
      `${places.join("\n")}\n  help: the operators that can be are ${[...known].toSorted().join(", ")}`,
  );
}

/**
 * An error about what a file would compute differently.
 *
 * @param id The value of the recording whose operation it is about.
 * @param graph The recording.
 * @param model Name of the model.
 * @param problem What is wrong with it, as the rest of a sentence: `is dilated`.
 */
export function unsupported(id: number, graph: Graph, model: string, problem: string): TypeError {
  const node = graph.nodes.find(({ outputs }) => outputs.some((output) => output.id === id));
  const place = node === undefined
    ? `input ${graph.inputs.find((input) => input.id === id)?.name ?? id}`
    : placeOf(node, graph);
  return new TypeError(
    `Cannot export ${model}: ${place} ${problem}\n` +
      `  help: write that part of the network with the operators of lib/operators`,
  );
}

/** An operator with the last parameter before it, so that a person finds it in the network. */
function placeOf(node: GraphNode, graph: Graph): string {
  const names = new Map(graph.inputs.map(({ id, name }) => [id, name]));
  let after = "";
  for (const earlier of graph.nodes) {
    for (const input of earlier.inputs) {
      const name = names.get(input);
      if (name?.startsWith("params/")) after = name.slice("params/".length);
    }
    if (earlier === node) break;
  }
  const shape = `[${node.outputs[0]!.shape}]`;
  return `${node.op} ${shape}${after === "" ? "" : `, at or after ${after},`}`;
}
