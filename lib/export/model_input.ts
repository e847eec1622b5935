import type { Preprocessing } from "../data/preprocessing.ts";
import type { ExportGraph, ExportNode, ExportTensor, ExportValue } from "./export_graph.ts";
import type { ExportInput } from "./export_metadata.ts";

/**
 * Gives a graph another input. For raw values, 0..255, a multiplication and an addition come first, as the trained model
 * has them: `x * (1 / (255 std)) - mean / std`; they cannot go into the first convolution, whose padding is of
 * normalised zeros. For BGR the input channels of the first convolution change places in its weights, so that it costs
 * nothing when the file is run.
 *
 * @param graph From normalised RGB pictures, as `toExportGraph` makes it.
 * @param preprocessing Mean and standard deviation of the weights.
 * @param input What the new graph is fed.
 * @returns The new graph; the same one for normalised RGB.
 * @throws {TypeError} If BGR is wanted and something else than convolutions of constant weights reads the input.
 *
 * @example
 * ```ts
 * import { withInput } from "./model_input.ts";
 * const images = { id: 0, name: "images", dtype: "float32", shape: [1, 3, 4, 4] } as const;
 * const rectifier = { ...images, id: 1, name: "relu" };
 * const graph = withInput({
 *   name: "rectifier",
 *   input: images,
 *   nodes: [{ op: "relu", inputs: [0], output: rectifier }],
 *   output: 1,
 *   outputName: "logits",
 * }, {
 *   size: { height: 4, width: 4 },
 *   interpolation: "bilinear",
 *   channelOrder: "rgb",
 *   mean: [0.5, 0.5, 0.5],
 *   std: [0.25, 0.25, 0.25],
 * }, { channelOrder: "rgb", values: "raw" });
 * console.log(graph.nodes.map(({ op }) => op).join()); // constant,multiply,constant,add,relu
 * ```
 */
export function withInput(
  graph: ExportGraph,
  preprocessing: Preprocessing,
  input: ExportInput,
): ExportGraph {
  const reordered = input.channelOrder === "bgr" ? withReversedChannels(graph) : graph;
  return input.values === "raw" ? withNormalization(reordered, preprocessing, input) : reordered;
}

function withNormalization(
  graph: ExportGraph,
  { mean, std }: Preprocessing,
  { channelOrder }: ExportInput,
): ExportGraph {
  let nextId = Math.max(graph.input.id, ...graph.nodes.map(({ output }) => output.id)) + 1;
  const { name, dtype, shape } = graph.input;
  const perChannel = (of: string, values: readonly number[]): Extract<ExportNode, { op: "constant" }> => {
    const data = Float32Array.from(channelOrder === "bgr" ? values.toReversed() : values);
    const value = { dtype: "float32", shape: [1, 3, 1, 1], data } as const;
    const output = { id: nextId++, name: `${name}/${of}`, dtype: "float32", shape: value.shape } as const;
    return { op: "constant", inputs: [], value, output };
  };
  const raw: ExportValue = { id: nextId++, name, dtype, shape };
  const scale = perChannel("scale", std.map((deviation) => 1 / (255 * deviation)));
  const scaled: ExportValue = { id: nextId++, name: `${name}/scaled`, dtype, shape };
  const offset = perChannel("offset", mean.map((value, channel) => -value / std[channel]!));
  const normalized: ExportValue = { ...graph.input, name: `${name}/normalized` };
  return {
    ...graph,
    input: raw,
    nodes: [
      scale,
      { op: "multiply", inputs: [raw.id, scale.output.id], output: scaled },
      offset,
      { op: "add", inputs: [scaled.id, offset.output.id], output: normalized },
      ...graph.nodes,
    ],
  };
}

function withReversedChannels(graph: ExportGraph): ExportGraph {
  const nodes = new Map(graph.nodes.map((node) => [node.output.id, node]));
  /** The input, and what is computed from it channel by channel alike: these come in the other order now. */
  const inOtherOrder = new Set([graph.input.id]);
  /** The constants whose order makes up for it, and the nodes that may read them. */
  const weights = new Set<number>();
  const readers = new Set<ExportNode>();
  for (const node of graph.nodes) {
    if (!inOtherOrder.has(node.inputs[0]!)) continue;
    if (node.op === "fakeQuantize") {
      inOtherOrder.add(node.output.id);
      readers.add(node);
    } else if (node.op === "convolution" && node.groups === 1) {
      const kernel = nodes.get(node.inputs[1]!);
      const stored = kernel?.op === "dequantize" ? nodes.get(kernel.inputs[0]!) : kernel;
      if (stored?.op !== "constant") continue;
      weights.add(kernel!.output.id).add(stored.output.id);
      readers.add(node).add(kernel!);
    }
  }
  const touched = (id: number) => inOtherOrder.has(id) || weights.has(id);
  refuseOthers(graph.nodes.filter((node) => !readers.has(node) && node.inputs.some(touched)));
  return {
    ...graph,
    input: withoutRecorded(graph.input),
    nodes: graph.nodes.map((node) => {
      const { output } = node;
      if (inOtherOrder.has(output.id)) return { ...node, output: withoutRecorded(output) };
      if (node.op !== "constant" || !weights.has(output.id)) return node;
      return { ...node, value: withReversedAxis(node.value), output: withoutRecorded(output) };
    }),
  };
}

function refuseOthers(nodes: readonly ExportNode[]): void {
  if (nodes.length === 0) return;
  const lines = nodes.map(({ op, output }) => `\n  ${output.name}: ${op}`).join("");
  throw new TypeError(
    `Cannot export for BGR pictures: the order of the channels changes in the weights of the first convolution, and ` +
      `${
        nodes.length === 1 ? "another operation reads" : "other operations read"
      } the picture or these weights${lines}\n` +
      `  help: pass { channelOrder: "rgb" }`,
  );
}

/** The recorded value has the same numbers in another order. */
function withoutRecorded({ recorded: _, ...value }: ExportValue): ExportValue {
  return value;
}

/** Weights `[out, in, height, width]` with their input channels in the other order. */
function withReversedAxis(tensor: ExportTensor): ExportTensor {
  const [out, channels, height, width] = tensor.shape as [number, number, number, number];
  const area = height * width;
  const { data } = tensor;
  const reversed = data.slice() as typeof data;
  for (let start = 0; start < out * channels; start += channels) {
    for (let channel = 0; channel < channels; channel++) {
      const from = (start + channels - 1 - channel) * area;
      const to = (start + channel) * area;
      for (let i = 0; i < area; i++) reversed[to + i] = data[from + i]!;
    }
  }
  return { ...tensor, data: reversed } as ExportTensor;
}
