import type { Attribute, Graph, GraphNode } from "../../lib/graph/graph.ts";
import type { DType } from "../../lib/graph/host_tensor.ts";

/** A node with one float32 output. */
export function node(
  op: string,
  inputs: number[],
  id: number,
  shape: number[],
  attributes: Record<string, Attribute> = {},
): GraphNode {
  return { op, inputs, attributes, outputs: [{ id, dtype: "float32", shape }] };
}

/** An input; float32 unless told otherwise. */
export function input(
  name: string,
  id: number,
  shape: number[],
  dtype: DType = "float32",
): Graph["inputs"][0] {
  return { name, id, dtype, shape };
}
