import type { Graph, TensorSpec } from "./graph.ts";

/**
 * Dtype and shape of every value of a graph, by its number.
 *
 * @param graph Any graph.
 * @returns A map from the numbers of inputs and of nodes' outputs to their specs.
 */
export function valueSpecs(graph: Graph): Map<number, TensorSpec> {
  const specs = new Map<number, TensorSpec>();
  for (const input of graph.inputs) specs.set(input.id, input);
  for (const node of graph.nodes) for (const output of node.outputs) specs.set(output.id, output);
  return specs;
}
