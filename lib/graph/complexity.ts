import type { Graph, GraphNode, TensorSpec } from "./graph.ts";
import { sizeOf } from "./host_tensor.ts";
import { valueSpecs } from "./value_specs.ts";

/**
 * Counts the floating-point operations of a graph: two for each multiply-accumulate of convolutions and dense layers;
 * everything else is left out, as usual for published figures.
 *
 * @param graph A recorded forward pass.
 * @returns Operations of one run.
 */
export function countOperations(graph: Graph): number {
  const specs = valueSpecs(graph);
  let operations = 0;
  for (const node of graph.nodes) {
    operations += 2 * multiplyAccumulates(node, node.inputs.map((id) => specs.get(id)!));
  }
  return operations;
}

function multiplyAccumulates(node: GraphNode, inputs: readonly TensorSpec[]): number {
  const outputs = () => sizeOf(node.outputs[0]!.shape);
  switch (node.op) {
    case "Conv2D": {
      const [height, width, inChannels] = inputs[1]!.shape as [number, number, number, number];
      return outputs() * height * width * inChannels;
    }
    case "DepthwiseConv2dNative": {
      const [height, width] = inputs[1]!.shape as [number, number, number, number];
      return outputs() * height * width;
    }
    case "MatMul":
    case "BatchMatMulV2": {
      const left = inputs[0]!.shape;
      const transposed = node.attributes[node.op === "MatMul" ? "transpose_a" : "adj_x"]?.value === true;
      return outputs() * left[left.length - (transposed ? 2 : 1)]!;
    }
    default:
      return 0;
  }
}
