import { type HostTensor, sizeOf } from "../graph/host_tensor.ts";
import type { ExportTensor } from "./export_graph.ts";
import { fakeQuantizationRange } from "./fake_quantization.ts";
import type { GraphView } from "../graph/graph_view.ts";

/**
 * How weights are laid out in a recording: convolutions `[height, width, in, out]`, depthwise ones `[height, width,
 * channels, 1]`, linear layers `[in, out]`.
 */
export type FilterLayout = "convolution" | "depthwise" | "linear";

/** Weights of a layer as files have them, `[out, ...]`. */
export interface Filter {
  /** Name of the parameter. */
  readonly name: string;
  readonly values: ExportTensor & { dtype: "float32" };
  /** If they are quantised: whole numbers, and the size of one in each row. */
  readonly quantized?: { readonly values: ExportTensor; readonly scales: Float32Array };
}

/** What {@linkcode readFilter} needs beside the weights. */
export interface ReadFilterOptions {
  /** Makes an error of what is wrong with the layer, the rest of a sentence about it. */
  refuse(problem: string): Error;
  /**
   * The least scale a row may have. onnxruntime adds up whole numbers and rounds the bias to one of them too, as a
   * multiple of both scales, in 32 bits: beside weights near 0 it would be cut off.
   * @default {0}
   */
  leastScale?(row: number): number;
}

/**
 * Reads the weights of a layer, through the fake quantisation they may go through.
 *
 * @param id What the layer reads as its weights.
 * @param layout How they are laid out.
 * @param view The folded view.
 * @param options See {@linkcode ReadFilterOptions}.
 * @throws What `refuse` makes, if they are computed in another way, or cannot be laid out in files.
 */
export function readFilter(
  id: number,
  layout: FilterLayout,
  view: GraphView,
  { refuse, leastScale = () => 0 }: ReadFilterOptions,
): Filter {
  const { shape } = view.spec(id);
  if (layout === "depthwise" && shape[3] !== 1) {
    throw refuse(
      `has weights of shape [${shape}], wanted one filter a channel, [height, width, channels, 1]`,
    );
  }
  const found = view.constant(id);
  const toRows = (data: ArrayLike<number>) => rowsFirst(data, shape, layout);
  if (found !== undefined) {
    return {
      name: view.name(id) ?? "weight",
      values: tensor(toRows(found.data as Float32Array), shape, layout),
    };
  }
  let node = view.producer(id);
  if (node?.op === "Reshape") node = view.producer(node.inputs[0]!); // depthwise filters are quantised as matrices
  const [weights, lows, highs] = (node?.inputs ?? []).map((input) => view.constant(input));
  if (node?.op !== "FakeQuantWithMinMaxVarsPerChannel" || !weights || !lows || !highs) {
    throw refuse(`has weights of shape [${shape}] computed by ${node?.op ?? "an input"}, wanted a parameter`);
  }
  const bits = (node.attributes["num_bits"]?.value as number | undefined) ?? 8;
  const narrow = node.attributes["narrow_range"]?.value === true;
  const ranges = Array.from(lows.data as Float32Array, (low, row) => {
    const range = fakeQuantizationRange(low, highs.data[row] as number, { bits, narrow });
    const least = Math.fround(leastScale(row)), { levels } = range;
    if (range.step >= least) return range;
    const high = least * (levels - 1) / 2;
    return { low: -high, high, levels, step: least }; // the weights are nearly or wholly 0 beside the bias
  });
  if (ranges.some(({ low, high }) => low !== -high)) {
    throw refuse(
      `has weights of shape [${shape}] quantised to other ranges than -range..range, range above 0`,
    );
  }
  const rows = toRows((weights as HostTensor).data as Float32Array);
  const perRow = rows.length / ranges.length;
  const scales = Float32Array.from(ranges, ({ step }) => step);
  const whole = Int8Array.from(rows, (value, index) => {
    const { low, high, step } = ranges[Math.floor(index / perRow)]!;
    return Math.floor((Math.min(Math.max(value, low), high) - low) / step + 0.5) + Math.round(low / step);
  });
  return {
    name: view.name(node.inputs[0]!) ?? "weight",
    values: tensor(rows, shape, layout),
    quantized: { values: { dtype: "int8", shape: outputShape(shape, layout), data: whole }, scales },
  };
}

function tensor(data: Float32Array, shape: readonly number[], layout: FilterLayout): Filter["values"] {
  return { dtype: "float32", shape: outputShape(shape, layout), data };
}

function outputShape(shape: readonly number[], layout: FilterLayout): number[] {
  const axes = { convolution: [3, 2, 0, 1], depthwise: [2, 3, 0, 1], linear: [1, 0] }[layout];
  return axes.map((axis) => shape[axis]!);
}

/** The same numbers with the axis of the outputs first. */
function rowsFirst(data: ArrayLike<number>, shape: readonly number[], layout: FilterLayout): Float32Array {
  // In depthwise filters `[height, width, channels, 1]` the channels are the outputs: one row each.
  const [inputs, outputs] = layout === "linear"
    ? shape as [number, number]
    : layout === "depthwise"
    ? [1, shape[2]!]
    : [shape[2]!, shape[3]!];
  const points = layout === "linear" ? 1 : shape[0]! * shape[1]!;
  const result = new Float32Array(sizeOf(shape));
  let index = 0;
  for (let point = 0; point < points; point++) {
    for (let input = 0; input < inputs; input++) {
      for (let output = 0; output < outputs; output++) {
        result[(output * inputs + input) * points + point] = data[index++]!;
      }
    }
  }
  return result;
}
