import type { Graph, GraphNode, GraphValue, TensorSpec } from "./graph.ts";
import type { HostTensor } from "./host_tensor.ts";

/** A graph, for looking things up. */
export interface GraphView {
  /** The node that defines a value; none for an input. */
  producer(id: number): GraphNode | undefined;
  /** Dtype and shape of a value. */
  spec(id: number): TensorSpec;
  /** How many inputs of nodes read a value. */
  users(id: number): number;
  /** Name of an input. */
  name(id: number): string | undefined;
  /** A constant, or an input whose value is known. */
  constant(id: number): HostTensor | undefined;
}

/**
 * Makes a graph easy to look things up in.
 *
 * @param graph Any graph.
 * @param known Values of inputs that are known, by their names.
 * @returns The view.
 */
export function createGraphView(graph: Graph, known: Readonly<Record<string, HostTensor>> = {}): GraphView {
  const producers = new Map<number, GraphNode>();
  const specs = new Map<number, GraphValue>(graph.inputs.map((value) => [value.id, value]));
  const users = new Map<number, number>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) {
      producers.set(output.id, node);
      specs.set(output.id, output);
    }
    for (const id of node.inputs) users.set(id, (users.get(id) ?? 0) + 1);
  }
  const names = new Map(graph.inputs.map(({ id, name }) => [id, name]));
  return {
    producer: (id) => producers.get(id),
    spec: (id) => specs.get(id)!,
    users: (id) => users.get(id) ?? 0,
    name: (id) => names.get(id),
    constant(id) {
      const name = names.get(id);
      if (name !== undefined) return known[name];
      const value = producers.get(id)?.attributes["value"];
      return producers.get(id)?.op === "Const" && value?.kind === "tensor" ? value.value : undefined;
    },
  };
}
