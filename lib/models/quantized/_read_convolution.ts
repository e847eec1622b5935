import type { GraphNode } from "../../graph/graph.ts";
import type { GraphView } from "../../graph/graph_view.ts";
import type { Padding } from "../../operators/padding.ts";

/** A convolution as `conv2d` and `depthwiseConv2d` take it. */
export interface ConvolutionCall {
  /** Number of the value it reads, before zeros are put around it. */
  readonly input: number;
  readonly stride: number;
  readonly padding: Padding;
}

/**
 * Reads how a recorded convolution was called.
 *
 * @param node A `Conv2D` or `DepthwiseConv2dNative`.
 * @param view Its graph.
 * @returns The call, or in words what no call would record.
 */
export function readConvolution(
  { inputs, attributes }: GraphNode,
  view: GraphView,
): ConvolutionCall | string {
  const [, ...strides] = attributes["strides"]!.value as number[];
  const dilations = attributes["dilations"]?.value as readonly number[] | undefined;
  const [height, width] = view.spec(inputs[1]!).shape, stride = strides[0]!;
  if (strides[1] !== stride) return `has the strides ${stride} and ${strides[1]}, wanted one`;
  if (dilations?.some((dilation) => dilation !== 1)) return "is dilated";
  if (height !== width || height! % 2 === 0) {
    return `has filters of ${height} x ${width}, wanted squares of an odd side`;
  }
  const mode = attributes["padding"]!.value;
  const before = view.producer(inputs[0]!);
  if (before?.op === "PadV2" || before?.op === "Pad") {
    const side = (height! - 1) / 2;
    const widths = [...view.constant(before.inputs[1]!)?.data ?? []].map(Number);
    const value = before.op === "Pad" ? 0 : Number(view.constant(before.inputs[2]!)?.data[0]);
    const isSymmetric = widths.join() === [0, 0, side, side, side, side, 0, 0].join();
    return mode === "VALID" && isSymmetric && value === 0
      ? { input: before.inputs[0]!, stride, padding: "symmetric" }
      : `reads a picture padded by [${widths}] with ${value}, then ${mode}; wanted ${side} zeros on every side, then VALID`;
  }
  // Filters of one number need no zeros.
  if (mode === "SAME" || mode === "VALID" && height === 1) {
    return { input: inputs[0]!, stride, padding: "same" };
  }
  return `has the padding ${mode} without zeros around its picture`;
}
