import type {
  ExportGraph,
  ExportNode,
  ExportOperation,
  ExportTensor,
} from "../../lib/export/export_graph.ts";
import type { ExportMetadata } from "../../lib/export/export_metadata.ts";
import type { Values } from "./compute_graph.ts";

/** A graph under way: values are numbers. */
export interface GraphBuilder {
  constant(value: ExportTensor, name?: string): number;
  /** A constant of float32 numbers between -1 and 1. */
  weights(shape: readonly number[], name?: string): number;
  node(
    operation: ExportOperation,
    inputs: readonly number[],
    shape: readonly number[],
    name?: string,
  ): number;
}

/** Makes a graph: `build` adds nodes and returns the number of the output; the input has the number 0. */
export function smallGraph(shape: readonly number[], build: (graph: GraphBuilder) => number): ExportGraph {
  const nodes: ExportNode[] = [];
  const add = (
    operation: ExportOperation,
    inputs: readonly number[],
    shape: readonly number[],
    dtype: ExportTensor["dtype"],
    name?: string,
  ) => {
    const id = nodes.length + 1;
    const output = { id, name: name ?? `${operation.op}_${id}`, dtype, shape };
    nodes.push({ ...operation, inputs, output } as ExportNode);
    return id;
  };
  const builder: GraphBuilder = {
    constant: (value, name) => add({ op: "constant", value }, [], value.shape, value.dtype, name),
    weights: (shape, name) => builder.constant({ dtype: "float32", ...noise(shape, nodes.length + 1) }, name),
    node: (operation, inputs, shape, name) => add(operation, inputs, shape, "float32", name),
  };
  const input = { id: 0, name: "images", dtype: "float32", shape } as const;
  const output = build(builder);
  return { name: "small", input, nodes, output, outputName: "logits" };
}

/** Numbers between -`range` and `range`, always the same for the same seed. */
export function noise(shape: readonly number[], seed: number, range = 1): Values & { data: Float32Array } {
  const count = shape.reduce((product, length) => product * length, 1);
  const fraction = (x: number) => x - Math.floor(x);
  return {
    shape,
    data: Float32Array.from(
      { length: count },
      (_, i) => range * (2 * fraction(43758.5453 * Math.sin(i * 12.9898 + seed)) - 1),
    ),
  };
}

/** A record for small graphs. */
export const smallMetadata: ExportMetadata = {
  format: 1,
  model: "mobilenetv3_small_100.lamb_in1k",
  classNames: ["cat", "dog"],
  preprocessing: {
    size: { height: 4, width: 4 },
    interpolation: "bilinear",
    channelOrder: "rgb",
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  },
  input: { channelOrder: "rgb", values: "normalized" },
  precision: "fp32",
};
