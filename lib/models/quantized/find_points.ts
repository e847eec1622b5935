import type { Graph } from "../../graph/graph.ts";
import { createGraphView } from "../../graph/graph_view.ts";
import { matchActivation } from "../../graph/match_activation.ts";
import type { NetworkLayer, Part } from "./find_layers.ts";

/** A value between layers that can be quantised; all who read it read it quantised. */
export interface QuantizationPoint {
  /** `<layer>.input` by the first layer that reads it, or `<layer>.output` by the layer it comes from. */
  readonly name: string;
  readonly part: Part;
  /** Number of the value. */
  readonly value: number;
  /** Layers whose input it is; quantised while one of them is. */
  readonly readers: readonly string[];
}

/**
 * Finds the values of a folded graph that are quantised: what layers read, and both sides of sums and products of whole
 * pictures (residuals, squeeze-and-excite), so that nothing large is stored in float between two layers.
 *
 * @param graph The graph.
 * @param part Which it is.
 * @param layers Its layers.
 */
export function findPoints(graph: Graph, part: Part, layers: readonly NetworkLayer[]): QuantizationPoint[] {
  const view = createGraphView(graph);
  const readers = new Map<number, string[]>();
  for (const { input, name } of layers) readers.set(input, [...readers.get(input) ?? [], name]);
  const points = new Map<number, QuantizationPoint>();
  for (const [value, names] of readers) {
    points.set(value, { name: `${names[0]}.input`, part, value, readers: names });
  }
  const isPicture = (id: number) => {
    const { shape } = view.spec(id);
    return shape.length === 4 && shape[1]! * shape[2]! > 1;
  };
  /** The layer a value comes from: the nearest one before it. */
  const origin = (id: number): NetworkLayer | undefined => {
    const found = layers.find(({ output }) => output === id);
    if (found !== undefined) return found;
    const activation = matchActivation(id, view);
    const before = activation?.input ?? view.producer(id)?.inputs[0];
    return before === undefined ? undefined : origin(before);
  };
  for (const { op, inputs, outputs } of graph.nodes) {
    const id = outputs[0]!.id;
    const isOfTwo = (op === "Add" || op === "Mul") &&
      inputs.every((input) => view.constant(input) === undefined);
    if (!isOfTwo || !isPicture(id) || matchActivation(id, view) !== undefined) continue;
    for (const input of inputs) {
      const layer = isPicture(input) && !points.has(input) ? origin(input) : undefined;
      if (layer === undefined) continue;
      points.set(input, { name: `${layer.name}.output`, part, value: input, readers: [layer.name] });
    }
  }
  return [...points.values()].sort((a, b) => a.value - b.value);
}
