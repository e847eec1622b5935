import type { NetworkLayer, Part } from "./find_layers.ts";

/** A value between layers that is quantised; all who read it read it quantised. */
export interface QuantizationPoint {
  /** `<layer>.input` by the first layer that reads it. */
  readonly name: string;
  readonly part: Part;
  /** Number of the value. */
  readonly value: number;
  /** Layers whose input it is; quantised while one of them is. */
  readonly readers: readonly string[];
}

/**
 * The values that are quantised: what layers read. Sums and products between layers are computed in float of what was
 * rounded before them; a runtime joins them to the layers around.
 *
 * @param layers Layers of one graph.
 * @returns The points in the order of the layers.
 */
export function findPoints(layers: readonly NetworkLayer[]): QuantizationPoint[] {
  const points = new Map<number, QuantizationPoint & { readers: string[] }>();
  for (const { input: value, part, name } of layers) {
    const point = points.get(value);
    if (point === undefined) points.set(value, { name: `${name}.input`, part, value, readers: [name] });
    else point.readers.push(name);
  }
  return [...points.values()];
}
