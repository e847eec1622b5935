import type { Graph, GraphNode } from "../../graph/graph.ts";
import { createGraphView, type GraphView } from "../../graph/graph_view.ts";

/** Which graph of a folded network. */
export type Part = "body" | "classifier";

/** A convolution or linear layer of a folded graph. */
export interface NetworkLayer {
  /** Name of its weights without `.weight`, e.g. `blocks.0.0.conv_dw`. */
  readonly name: string;
  readonly kind: "convolution" | "depthwise" | "linear";
  /** The graph it is in. */
  readonly part: Part;
  /** Outputs of the layer: convolutions' filters have one scale each. */
  readonly outChannels: number;
  /** Name of its weights among the folded parameters. */
  readonly weight: string;
  /** Name of its bias, if it has one. */
  readonly bias?: string;
  /** Number of the value it reads; zeros put around it are part of the layer. */
  readonly input: number;
  /** Number of its result, with the bias. */
  readonly output: number;
}

const kinds: Readonly<Record<string, NetworkLayer["kind"]>> = {
  Conv2D: "convolution",
  DepthwiseConv2dNative: "depthwise",
  BatchMatMulV2: "linear",
  MatMul: "linear",
};

/**
 * Finds the convolutions and linear layers of a folded graph.
 *
 * @param graph The graph.
 * @param part Which it is.
 */
export function findLayers(graph: Graph, part: Part): NetworkLayer[] {
  const view = createGraphView(graph);
  return graph.nodes.flatMap((node) => {
    const kind = kinds[node.op];
    const weight = parameterName(node.inputs[1], view);
    if (kind === undefined || weight === undefined) return [];
    const result = node.outputs[0]!.id;
    const added = graph.nodes.find(({ op, inputs }) =>
      (op === "BiasAdd" || op === "Add") && inputs[0] === result
    );
    const bias = added && parameterName(added.inputs[1], view);
    return [{
      name: weight.replace(/\.weight$/, ""),
      kind,
      part,
      outChannels: kind === "depthwise"
        ? view.spec(node.inputs[1]!).shape[2]!
        : node.outputs[0]!.shape.at(-1)!,
      weight,
      ...(bias === undefined ? {} : { bias }),
      input: unpadded(node, view),
      output: bias === undefined ? result : added!.outputs[0]!.id,
    }];
  });
}

/** What a convolution reads before zeros are put around it. */
function unpadded({ inputs }: GraphNode, { producer }: GraphView): number {
  const padding = producer(inputs[0]!);
  return padding?.op === "PadV2" || padding?.op === "Pad" ? padding.inputs[0]! : inputs[0]!;
}

/** Name of a parameter, if a value is one. */
export function parameterName(id: number | undefined, view: GraphView): string | undefined {
  const name = id === undefined ? undefined : view.name(id);
  return name?.startsWith("params/") ? name.slice("params/".length) : undefined;
}
