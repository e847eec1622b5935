import type { Graph, GraphNode } from "./graph.ts";

/**
 * Drops the nodes no output depends on (what a recording computed and did not return, such as the gradients of inputs
 * nobody asked for) and numbers the values anew. Inputs stay, used or not: they are the graph's signature.
 *
 * @param graph Any graph.
 * @returns A graph with the same inputs and outputs.
 */
export function prune(graph: Graph): Graph {
  const producer = new Map<number, GraphNode>();
  for (const node of graph.nodes) for (const output of node.outputs) producer.set(output.id, node);
  const needed = new Set<GraphNode>();
  const open = graph.outputs.map((output) => output.value);
  while (open.length > 0) {
    const node = producer.get(open.pop()!);
    if (node === undefined || needed.has(node)) continue;
    needed.add(node);
    open.push(...node.inputs);
  }
  const renumbered = new Map<number, number>();
  const number = (id: number) => {
    if (!renumbered.has(id)) renumbered.set(id, renumbered.size);
    return renumbered.get(id)!;
  };
  const inputs = graph.inputs.map((input) => ({ ...input, id: number(input.id) }));
  const nodes = graph.nodes.filter((node) => needed.has(node)).map((node) => ({
    ...node,
    inputs: node.inputs.map(number),
    outputs: node.outputs.map((output) => ({ ...output, id: number(output.id) })),
  }));
  const outputs = graph.outputs.map((output) => ({ ...output, value: number(output.value) }));
  return { name: graph.name, inputs, nodes, outputs };
}
