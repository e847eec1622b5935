import type { Attribute, GraphNode } from "../graph/graph.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import type { ExportTensor } from "./export_graph.ts";

/** `[batch, height, width, channels]` to `[batch, channels, height, width]`; other ranks stay. */
export function channelsFirst(shape: readonly number[]): number[] {
  return shape.length === 4 ? [0, 3, 1, 2].map((axis) => shape[axis]!) : [...shape];
}

/** Where axes, negative ones too, are once channels are first; in order. */
export function axesChannelsFirst(axes: readonly number[], rank: number): number[] {
  return axes
    .map((axis) => (axis + rank) % rank)
    .map((axis) => rank === 4 ? [0, 2, 3, 1][axis]! : axis)
    .toSorted((a, b) => a - b);
}

/**
 * A number, or one for each channel, with as many axes as what it meets.
 *
 * @param rank How many those are.
 * @param tensor Of shape `[]` or `[channels]`.
 */
export function alignedTo(rank: number, { shape, data }: HostTensor): ExportTensor {
  const channels = shape.length === 0 ? [] : rank === 4 ? [1, shape[0]!, 1, 1] : [
    ...Array(rank - 1).fill(1),
    shape[0]!,
  ];
  return { dtype: "float32", shape: channels, data: Float32Array.from(data as Float32Array) };
}

/** Zeros at the top, left, bottom and right of a convolution's input. */
export function padsOf(
  { attributes }: GraphNode,
  sizes: Record<"input" | "output" | "kernel" | "strides", readonly [number, number]>,
): [number, number, number, number] {
  const padding = (attributes["padding"] as Attribute).value;
  if (padding === "EXPLICIT") {
    const [, , top, bottom, left, right] = attributes["explicit_paddings"]!.value as number[];
    return [top!, left!, bottom!, right!];
  }
  if (padding === "VALID") return [0, 0, 0, 0];
  const [[top, bottom], [left, right]] = [0, 1].map((axis) => {
    const { input, output, kernel, strides } = sizes;
    const total = Math.max(0, (output[axis]! - 1) * strides[axis]! + kernel[axis]! - input[axis]!);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  }) as [[number, number], [number, number]];
  return [top, left, bottom, right];
}
