import type { Preprocessing } from "../data/preprocessing.ts";
import type { ExportGraph } from "./export_graph.ts";
import type { ExportInput, ExportMetadata } from "./export_metadata.ts";

/** What a file says of the model it was made from. */
export interface DescribedModel {
  readonly id: string;
  readonly classNames: readonly string[];
  readonly preprocessing: Preprocessing;
  readonly complexity: { readonly gflops: number; readonly megaParams: number };
}

/**
 * The record that a file gets.
 *
 * @param model The trained model.
 * @param graph What the file computes: with weights in int8 its precision is `int8`, whatever else is stored how.
 * @param options What it is fed, and how its other weights are stored.
 * @returns Plain data.
 *
 * @example
 * ```ts
 * import { toExportMetadata } from "./to_export_metadata.ts";
 * const images = { id: 0, name: "images", dtype: "float32", shape: [1, 3, 4, 4] } as const;
 * const graph = { name: "nothing", input: images, nodes: [], output: 0, outputName: "logits" };
 * const model = {
 *   id: "nothing",
 *   classNames: ["cat", "dog"],
 *   preprocessing: {
 *     size: { height: 4, width: 4 },
 *     interpolation: "bilinear",
 *     channelOrder: "rgb",
 *     mean: [0, 0, 0],
 *     std: [1, 1, 1],
 *   } as const,
 *   complexity: { gflops: 0, megaParams: 0 },
 * };
 * const input = { channelOrder: "bgr", values: "raw" } as const;
 * console.log(toExportMetadata(model, graph, { input, precision: "fp16" }).precision); // fp16
 * ```
 */
export function toExportMetadata(
  model: DescribedModel,
  graph: ExportGraph,
  options: { readonly input: ExportInput; readonly precision: "fp32" | "fp16" },
): ExportMetadata {
  const { id, classNames, preprocessing, complexity } = model;
  const isQuantized = graph.nodes.some(({ op }) => op === "dequantize");
  return {
    format: 1,
    model: id,
    classNames,
    preprocessing,
    input: options.input,
    precision: isQuantized ? "int8" : options.precision,
    complexity,
  };
}
