import type { Attribute, Graph, GraphNode, GraphValue } from "./graph.ts";

/** Zeros before and after each axis. */
type Paddings = readonly number[];

const readers = new Set([
  "Conv2D",
  "Conv2DBackpropFilter",
  "DepthwiseConv2dNative",
  "DepthwiseConv2dNativeBackpropFilter",
]);
const inputGradients = new Set(["Conv2DBackpropInput", "DepthwiseConv2dNativeBackpropInput"]);

/**
 * Puts zeros around pictures into the convolutions that read them: `Conv2D(Pad(x))` without padding is `Conv2D(x)` with
 * explicit padding, and so are its gradients. TensorFlow's own kernels are slower that way; oneDNN's are not.
 *
 * @param graph Any graph.
 * @returns A graph that computes the same. Nodes nobody needs any more are still in it.
 */
export function fusePadding(graph: Graph): Graph {
  const producer = new Map<number, GraphNode>();
  const users = new Map<number, GraphNode[]>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) producer.set(output.id, node);
    for (const id of node.inputs) users.set(id, [...users.get(id) ?? [], node]);
  }
  const returned = new Set(graph.outputs.map(({ value }) => value));
  const numbersOf = (id: number | undefined): number[] | undefined => {
    const attribute = id === undefined ? undefined : producer.get(id)?.attributes["value"];
    return attribute?.kind === "tensor"
      ? Array.from(attribute.value.data as ArrayLike<number>, Number)
      : undefined;
  };
  let next = Math.max(...graph.inputs.map(({ id }) => id), ...producer.keys()) + 1;
  const dropped = new Set<GraphNode>();

  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    const { op, attributes } = node;
    if (dropped.has(node)) continue;
    const unpadded = attributes["padding"]?.value === "VALID";
    if (unpadded && readers.has(op)) {
      const pad = producer.get(node.inputs[0]!);
      const paddings = pad === undefined ? undefined : zerosAround(pad, numbersOf);
      if (paddings !== undefined) {
        nodes.push({
          ...node,
          inputs: [pad!.inputs[0]!, ...node.inputs.slice(1)],
          attributes: { ...attributes, ...explicit(paddings) },
        });
        continue;
      }
    }
    if (unpadded && inputGradients.has(op) && !returned.has(node.outputs[0]!.id)) {
      const [slice, ...others] = users.get(node.outputs[0]!.id) ?? [];
      const cut = slice?.op === "Slice" && others.length === 0 ? slice : undefined;
      const begin = numbersOf(cut?.inputs[1]);
      const whole = node.outputs[0]!.shape, shape = cut?.outputs[0]?.shape;
      const cutsPicturesOnly = [0, 3].every((axis) => begin?.[axis] === 0 && shape?.[axis] === whole[axis]);
      if (cut !== undefined && shape !== undefined && begin !== undefined && cutsPicturesOnly) {
        const paddings = whole.flatMap((
          length,
          axis,
        ) => [begin[axis]!, length - begin[axis]! - shape[axis]!]);
        const sizes: GraphValue = { id: next++, dtype: "int32", shape: [4] };
        nodes.push({
          op: "Const",
          inputs: [],
          attributes: {
            dtype: { kind: "dtype", value: "int32" },
            value: { kind: "tensor", value: { dtype: "int32", shape: [4], data: Int32Array.from(shape) } },
          },
          outputs: [sizes],
        }, {
          ...node,
          inputs: [sizes.id, ...node.inputs.slice(1)],
          attributes: { ...attributes, ...explicit(paddings) },
          outputs: cut.outputs,
        });
        dropped.add(cut);
        continue;
      }
    }
    nodes.push(node);
  }
  return { ...graph, nodes };
}

/** How many zeros a node puts around the rows and columns of pictures, if that is what it does. */
function zerosAround(
  node: GraphNode,
  numbersOf: (id: number | undefined) => number[] | undefined,
): Paddings | undefined {
  if (node.op !== "Pad" && node.op !== "PadV2" || node.outputs[0]!.shape.length !== 4) return undefined;
  if (node.op === "PadV2" && numbersOf(node.inputs[2])?.[0] !== 0) return undefined;
  const paddings = numbersOf(node.inputs[1]);
  return paddings !== undefined && [0, 1, 6, 7].every((index) => paddings[index] === 0)
    ? paddings
    : undefined;
}

function explicit(paddings: Paddings): Record<string, Attribute> {
  return {
    padding: { kind: "string", value: "EXPLICIT" },
    explicit_paddings: { kind: "ints", value: paddings },
  };
}
