import type { ExportOperation } from "../../lib/export/export_graph.ts";
import { type GraphBuilder, noise } from "./_small_graphs.ts";

/** Graphs of an operation each, from `[2, 4, 6, 5]`; what each computes is what both formats must mean. */
export const operations: Record<string, (graph: GraphBuilder) => number> = {
  ...Object.fromEntries(
    ([
      { op: "relu" },
      { op: "sigmoid" },
      { op: "swish" },
      { op: "hardSwish" },
      { op: "hardSigmoid" },
      { op: "square" },
      { op: "clamp", low: 0, high: 6 },
      { op: "clamp", low: -1.5, high: 2.25 },
      { op: "fakeQuantize", levels: 256, low: -1.28, high: 1.27 },
      { op: "fakeQuantize", levels: 256, low: 0, high: 3 },
      { op: "fakeQuantize", levels: 128, low: 0, high: 3 },
    ] satisfies ExportOperation[]).map((operation) => [
      JSON.stringify(operation),
      ({ node }) => node(operation, [0], [2, 4, 6, 5]),
    ]),
  ),
  "sqrt of a square": ({ node }) =>
    node({ op: "sqrt" }, [node({ op: "square" }, [0], [2, 4, 6, 5])], [2, 4, 6, 5]),
  "mean over the picture": ({ node }) => node({ op: "mean", axes: [2, 3] }, [0], [2, 4, 1, 1]),
  "sum over the channels": ({ node }) => node({ op: "sum", axes: [1] }, [0], [2, 1, 6, 5]),
  "reshape to rows": ({ node }) => node({ op: "reshape", rest: [-1] }, [0], [2, 120]),
  "reshape to known lengths": ({ node }) => node({ op: "reshape", rest: [8, 15] }, [0], [2, 8, 15]),
  "add of a constant per channel": ({ node, weights }) =>
    node({ op: "add" }, [0, weights([1, 4, 1, 1])], [2, 4, 6, 5]),
  "multiply by a value per channel": ({ node }) => {
    const factors = node({ op: "mean", axes: [2, 3] }, [0], [2, 4, 1, 1]);
    return node({ op: "multiply" }, [0, factors], [2, 4, 6, 5]);
  },
  "divide by a constant": ({ node, constant }) => {
    const data = Float32Array.of(3);
    return node({ op: "divide" }, [0, constant({ dtype: "float32", shape: [1], data })], [2, 4, 6, 5]);
  },
  "convolution": ({ node, weights }) =>
    node(
      { op: "convolution", strides: [2, 1], pads: [0, 1, 2, 3], groups: 1 },
      [0, weights([3, 4, 3, 2]), weights([3])],
      [2, 3, 3, 8],
    ),
  "convolution without bias": ({ node, weights }) =>
    node({ op: "convolution", strides: [1, 1], pads: [0, 0, 0, 0], groups: 1 }, [0, weights([3, 4, 1, 1])], [
      2,
      3,
      6,
      5,
    ]),
  "depthwise convolution": ({ node, weights }) =>
    node(
      { op: "convolution", strides: [1, 1], pads: [1, 1, 1, 1], groups: 4 },
      [0, weights([4, 1, 3, 3]), weights([4])],
      [2, 4, 6, 5],
    ),
  "convolution in two groups": ({ node, weights }) =>
    node(
      { op: "convolution", strides: [2, 2], pads: [1, 1, 1, 1], groups: 2 },
      [0, weights([6, 2, 3, 3]), weights([6])],
      [2, 6, 3, 3],
    ),
  "convolution of weights in int8": ({ node, constant, weights }) =>
    node(
      { op: "convolution", strides: [1, 1], pads: [1, 1, 1, 1], groups: 1 },
      [0, int8Weights({ node, constant, weights }, [3, 4, 3, 3]), weights([3])],
      [2, 3, 6, 5],
    ),
  "depthwise convolution of weights in int8": ({ node, constant, weights }) =>
    node(
      { op: "convolution", strides: [1, 1], pads: [1, 1, 1, 1], groups: 4 },
      [0, int8Weights({ node, constant, weights }, [4, 1, 3, 3])],
      [2, 4, 6, 5],
    ),
  "linear": ({ node, weights }) => {
    const rows = node({ op: "reshape", rest: [-1] }, [0], [2, 120]);
    return node({ op: "linear" }, [rows, weights([3, 120]), weights([3])], [2, 3]);
  },
  "linear without bias, weights in int8": ({ node, constant, weights }) => {
    const rows = node({ op: "reshape", rest: [-1] }, [0], [2, 120]);
    return node({ op: "linear" }, [rows, int8Weights({ node, constant, weights }, [3, 120])], [2, 3]);
  },
  "weights that are computed": ({ node, weights }) => {
    const computed = node({ op: "square" }, [weights([4, 1, 3, 3])], [4, 1, 3, 3]);
    const bias = node({ op: "sqrt" }, [node({ op: "square" }, [weights([4])], [4])], [4]);
    return node(
      { op: "convolution", strides: [1, 1], pads: [1, 1, 1, 1], groups: 4 },
      [0, computed, bias],
      [2, 4, 6, 5],
    );
  },
  "the same weights read twice": ({ node, weights }) => {
    const factors = weights([2, 4, 6, 5]);
    return node({ op: "add" }, [node({ op: "multiply" }, [0, factors], [2, 4, 6, 5]), factors], [2, 4, 6, 5]);
  },
};

/** Weights in int8 with a scale a row. */
export function int8Weights({ node, constant }: GraphBuilder, shape: readonly number[]): number {
  const data = Int8Array.from(noise(shape, 7, 127.4).data, Math.round);
  const scales = Float32Array.from({ length: shape[0]! }, (_, row) => 0.003 * (row + 1));
  return node({ op: "dequantize", scales }, [constant({ dtype: "int8", shape, data })], shape);
}
