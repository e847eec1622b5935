import type { ExportGraph, ExportNode, ExportValue } from "./export_graph.ts";
import type { ExportMetadata } from "./export_metadata.ts";
import { toMetadataJSON } from "./metadata_json.ts";
import { encodeModel, ONNX_TYPES, type ValueInfoProto } from "./_onnx_messages.ts";
import { toONNXNodes } from "./_onnx_nodes.ts";

/** How {@linkcode toONNX} writes. */
export interface ONNXOptions {
  /** Whether the file takes any number of pictures at once; else that of the graph's input. */
  readonly dynamicBatch: boolean;
  /**
   * `fp16` stores the weights of convolutions and linear layers in half precision; the runtime turns them back when it
   * opens the file, and computes as it would. Other constants, and weights beyond 65504, stay as they are.
   */
  readonly precision: "fp32" | "fp16";
}

/**
 * The operator set that files are written in, and the version of the format it came with: the last one in which what
 * files compute was defined anew (`Conv`, `HardSwish`, `HardSigmoid`, `GlobalAveragePool`). Sets up to 28, the newest of
 * onnx 1.23, add element types to `Reshape`, `Cast` and `QuantizeLinear` that files do not have, and onnxruntime 1.30
 * knows 27 at most.
 */
const OPSET = 22, IR_VERSION = 10;

const elementTypes: Readonly<Record<ExportValue["dtype"], number>> = {
  float32: ONNX_TYPES.float,
  int8: ONNX_TYPES.int8,
  int64: ONNX_TYPES.int64,
};

/**
 * Spells a graph as an ONNX file: operator set 22, every value with its shape. Values have the graph's names, and
 * quantised ones are written as pairs of `QuantizeLinear` and `DequantizeLinear`.
 *
 * The file's `metadata_props` hold the record under `whittle`, and the same for people: `model`, `labels` (a JSON list),
 * `mean` and `scale` (for values 0..255), `input` and `resize`.
 *
 * @param graph What to write.
 * @param metadata What the file says of itself.
 * @param options Batch and precision.
 * @returns The file's bytes; the same ones for the same input.
 * @throws {RangeError} If 0 is not among the values of a `fakeQuantize`.
 *
 * @example A network of one operation
 * ```ts
 * import assert from "node:assert/strict";
 * import { metadataOfONNX } from "./read_onnx_metadata.ts";
 *
 * const input = { id: 0, name: "images", dtype: "float32", shape: [1, 3, 8, 8] } as const;
 * const output = { id: 1, name: "relu", dtype: "float32", shape: [1, 3, 8, 8] } as const;
 * const graph = {
 *   name: "small",
 *   input,
 *   nodes: [{ op: "relu", inputs: [0], output } as const],
 *   output: 1,
 *   outputName: "logits",
 * };
 * const bytes = toONNX(graph, {
 *   format: 1,
 *   model: "small",
 *   classNames: ["a", "b", "c"],
 *   preprocessing: {
 *     size: { height: 8, width: 8 },
 *     interpolation: "bilinear",
 *     channelOrder: "rgb",
 *     mean: [0, 0, 0],
 *     std: [1, 1, 1],
 *   },
 *   input: { channelOrder: "rgb", values: "normalized" },
 *   precision: "fp32",
 * }, { dynamicBatch: false, precision: "fp32" });
 * assert.equal(metadataOfONNX(bytes)?.model, "small");
 * ```
 */
export function toONNX(
  graph: ExportGraph,
  metadata: ExportMetadata,
  options: ONNXOptions,
): Uint8Array<ArrayBuffer> {
  const { nodes, initializers, between, names } = toONNXNodes(graph, options.precision);
  const batched = options.dynamicBatch ? batchedValues(graph) : new Set<number>();
  const describe = (value: ExportValue, name = names.get(value.id)!, elemType = elementTypes[value.dtype]) =>
    valueInfo(name, elemType, value.shape, batched.has(value.id));
  const constants = new Set(initializers.map(({ name }) => name));
  const computed = graph.nodes.map(({ output }) => output).filter(({ id }) => !constants.has(names.get(id)!));
  const output = computed.find(({ id }) => id === graph.output) ?? graph.input;
  return encodeModel({
    irVersion: IR_VERSION,
    opsetImport: [{ domain: "", version: OPSET }],
    producerName: "whittle",
    graph: {
      name: graph.name,
      node: nodes,
      initializer: initializers,
      input: [describe(graph.input)],
      output: [describe(output)],
      valueInfo: [
        ...computed.filter(({ id }) => id !== graph.output).map((value) => describe(value)),
        ...between.map(({ name, elemType, like }) => describe(like, name, elemType)),
      ],
    },
    metadataProps: Object.entries(properties(metadata)).map(([key, value]) => ({ key, value })),
  });
}

function valueInfo(
  name: string,
  elemType: number,
  shape: readonly number[],
  isBatched: boolean,
): ValueInfoProto {
  const dim = shape.map((length, axis) =>
    isBatched && axis === 0 ? { dimParam: "batch" } : { dimValue: length }
  );
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

/** Values whose first axis is the batch: what is computed from the input. */
function batchedValues({ input, nodes }: ExportGraph): Set<number> {
  const batched = new Set([input.id]);
  const keepsBatch = (node: ExportNode) => !("axes" in node && node.axes.includes(0));
  for (const node of nodes) {
    if (node.inputs.some((id) => batched.has(id)) && keepsBatch(node)) batched.add(node.output.id);
  }
  return batched;
}

/** What the file says of itself: the record, and the same for people and other programs. */
function properties(metadata: ExportMetadata): Record<string, string> {
  const { classNames, input, model, preprocessing: { interpolation, mean, size, std } } = metadata;
  const bytes = (values: readonly number[]) => values.map((value) => +(255 * value).toPrecision(7)).join(" ");
  const order = input.channelOrder.toUpperCase();
  return {
    model,
    labels: JSON.stringify(classNames),
    mean: bytes(mean),
    scale: bytes(std),
    input: input.values === "raw"
      ? `${order} 0..255, [batch, 3, height, width]; mean and scale are applied inside`
      : `${order} (0..255 - mean) / scale, [batch, 3, height, width]`,
    resize: `${interpolation} to ${size.height} x ${size.width}, aspect ratio not kept`,
    whittle: toMetadataJSON(metadata),
  };
}
