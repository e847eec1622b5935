import type { Graph, GraphNode, GraphValue } from "./graph.ts";
import { prune } from "./prune.ts";

/**
 * Takes explicit padding out of convolutions, into a `Pad` before them: what `fusePadding` does, undone. TensorFlow ends
 * the process where it joins a bias to a depthwise convolution with explicit padding.
 *
 * @param graph Any graph.
 * @returns A graph that computes the same; its values are numbered anew.
 */
export function splitPadding(graph: Graph): Graph {
  const specs = new Map<number, GraphValue>(
    [...graph.inputs, ...graph.nodes.flatMap(({ outputs }) => outputs)].map((value) => [value.id, value]),
  );
  let next = Math.max(...specs.keys()) + 1;
  const nodes = graph.nodes.flatMap((node): GraphNode[] => {
    const { explicit_paddings: paddings, ...attributes } = node.attributes;
    if (attributes["padding"]?.value !== "EXPLICIT" || paddings?.kind !== "ints") return [node];
    if (node.op !== "Conv2D" && node.op !== "DepthwiseConv2dNative") return [node];
    const [first, ...others] = node.inputs;
    const { dtype, shape } = specs.get(first!)!;
    const widths: GraphValue = { id: next++, dtype: "int32", shape: [4, 2] };
    const padded: GraphValue = {
      id: next++,
      dtype,
      shape: shape.map((length, axis) => length + paddings.value[2 * axis]! + paddings.value[2 * axis + 1]!),
    };
    const value = { dtype: "int32", shape: [4, 2], data: Int32Array.from(paddings.value) } as const;
    return [
      {
        op: "Const",
        inputs: [],
        attributes: { dtype: { kind: "dtype", value: "int32" }, value: { kind: "tensor", value } },
        outputs: [widths],
      },
      {
        op: "Pad",
        inputs: [first!, widths.id],
        attributes: { T: { kind: "dtype", value: dtype }, Tpaddings: { kind: "dtype", value: "int32" } },
        outputs: [padded],
      },
      {
        ...node,
        inputs: [padded.id, ...others],
        attributes: { ...attributes, padding: { kind: "string", value: "VALID" } },
      },
    ];
  });
  return prune({ ...graph, nodes });
}
