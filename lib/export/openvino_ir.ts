import { createHash } from "node:crypto";
import type { ExportGraph } from "./export_graph.ts";
import type { ExportMetadata } from "./export_metadata.ts";
import { createIRLayers } from "./_ir_layers.ts";
import { addOperations } from "./_ir_operations.ts";
import { writeXML, type XMLElement } from "./_xml.ts";
import { toMetadataJSON } from "./metadata_json.ts";
import { modelAPIInfo } from "./model_api_info.ts";

/** How {@linkcode toOpenVINO} writes. */
export interface OpenVINOOptions {
  /**
   * `fp16` stores the weights of convolutions and linear layers in half precision; the runtime turns them back and
   * computes as it would. Other constants, and weights beyond 65504, stay as they are.
   */
  readonly precision: "fp32" | "fp16";
  /** Whether a batch of any size can be fed; else it is that of the graph. */
  readonly dynamicBatch: boolean;
  /**
   * Whether the file takes pictures of any size and resizes them itself, as Pillow does; only for raw values.
   * @default {false}
   */
  readonly anySize?: boolean;
}

/** The two files of an OpenVINO model. */
export interface OpenVINOFiles {
  /** What is computed; text. */
  readonly xml: string;
  /** The numbers it is computed with. */
  readonly bin: Uint8Array<ArrayBuffer>;
}

/**
 * Writes a graph as OpenVINO's intermediate representation, version 11. Activations are the runtime's own operations,
 * so that it joins them to the convolutions before them; depthwise convolutions are its group convolutions; int8
 * weights stay int8, with their scales. Values are found by the names of the graph; the output by its `outputName`.
 *
 * `rt_info` holds `model_info`, which OpenVINO's ModelAPI reads, and `whittle`: the record as JSON, and size and SHA-256
 * of the weights.
 *
 * @param graph What is computed.
 * @param metadata What the file says of itself.
 * @param options Precision and batch.
 * @returns The texts of `model.xml` and `model.bin`: the same bytes for the same graph.
 *
 * @example A graph of one operation
 * ```ts
 * import { toOpenVINO } from "./openvino_ir.ts";
 * const images = { id: 0, name: "images", dtype: "float32", shape: [1, 3, 4, 4] } as const;
 * const { xml } = toOpenVINO({
 *   name: "rectifier",
 *   input: images,
 *   nodes: [{ op: "relu", inputs: [0], output: { ...images, id: 1, name: "relu" } }],
 *   output: 1,
 *   outputName: "logits",
 * }, {
 *   format: 1,
 *   model: "rectifier",
 *   classNames: ["a", "b", "c"],
 *   preprocessing: {
 *     size: { height: 4, width: 4 },
 *     interpolation: "bilinear",
 *     channelOrder: "rgb",
 *     mean: [0, 0, 0],
 *     std: [1, 1, 1],
 *   },
 *   input: { channelOrder: "rgb", values: "normalized" },
 *   precision: "fp32",
 * }, { precision: "fp32", dynamicBatch: false });
 * console.log(xml.includes('type="ReLU"')); // true
 * ```
 */
export function toOpenVINO(
  graph: ExportGraph,
  metadata: ExportMetadata,
  options: OpenVINOOptions,
): OpenVINOFiles {
  const layers = createIRLayers();
  addOperations(graph, layers, {
    halfPrecision: options.precision === "fp16",
    dynamicBatch: options.dynamicBatch,
    resize: options.anySize ? metadata.preprocessing : undefined,
  });
  const bin = layers.bytes();
  const information: XMLElement = {
    tag: "rt_info",
    children: [
      { tag: "model_info", children: valueElements(modelAPIInfo(metadata)) },
      {
        tag: "whittle",
        children: valueElements({
          metadata: xmlSafe(toMetadataJSON(metadata)),
          weights_bytes: String(bin.length),
          weights_sha256: createHash("sha256").update(bin).digest("hex"),
        }),
      },
    ],
  };
  const attributes = { name: graph.name, version: 11 };
  return { xml: writeXML({ tag: "net", attributes, children: [...layers.elements(), information] }), bin };
}

function valueElements(values: Readonly<Record<string, string>>): XMLElement[] {
  return Object.entries(values).map(([tag, value]) => ({ tag, attributes: { value } }));
}

/** JSON may hold two characters that XML cannot, outside of its own escapes. */
function xmlSafe(json: string): string {
  return json.replace(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}
