/** Exported files for tests: a small network with random weights, as every kind of file. */
import type { ExportInput, ExportMetadata } from "../../lib/export/export_metadata.ts";
import { withInput } from "../../lib/export/model_input.ts";
import { toONNX } from "../../lib/export/onnx.ts";
import { toOpenVINO } from "../../lib/export/openvino_ir.ts";
import { toExportGraph } from "../../lib/export/to_export_graph.ts";
import { loadModel } from "../../lib/load_model.ts";
import { createModel, type Model } from "../../lib/models/model.ts";
import { modelRecord } from "../../lib/models/registry.ts";
import { shapeNames } from "../training/_shapes.ts";

/** How {@linkcode exportSmall} writes. */
export interface SmallExportOptions {
  readonly input?: ExportInput;
  /** Rows of the batch, or a batch of any size. @default {"dynamic"} */
  readonly batch?: number | "dynamic";
}

/** The small network for pictures of 32 x 32 pixels, with random weights that give scores of some size. */
export async function smallModel(): Promise<Model> {
  const id = "mobilenetv3_small_100";
  const classNames = shapeNames;
  const { weights, preprocessing } = await loadModel(id, {
    weights: null,
    seed: 1,
    classNames,
    imageSize: 32,
  });
  const louder = Object.fromEntries(
    Object.entries(weights).map(([name, value]) =>
      name === "classifier.weight"
        ? [name, { ...value, data: (value.data as Float32Array).map((weight) => weight * 1e4) }]
        : [name, value]
    ),
  );
  return createModel({ record: modelRecord(id), classNames, weights: louder, preprocessing });
}

/** The model as OpenVINO's two files and as an ONNX file. */
export function exportSmall(model: Model, options: SmallExportOptions = {}): {
  xml: string;
  bin: Uint8Array<ArrayBuffer>;
  onnx: Uint8Array<ArrayBuffer>;
  metadata: ExportMetadata;
} {
  const { input = { channelOrder: "bgr", values: "raw" }, batch = "dynamic" } = options;
  const { id, classNames, preprocessing, complexity } = model;
  const { graph } = toExportGraph(model, batch === "dynamic" ? 1 : batch);
  const metadata: ExportMetadata = {
    format: 1,
    model: id,
    classNames,
    preprocessing,
    input,
    precision: "fp32",
    complexity,
  };
  const fed = withInput(graph, preprocessing, input);
  const settings = { precision: "fp32", dynamicBatch: batch === "dynamic" } as const;
  return { ...toOpenVINO(fed, metadata, settings), onnx: toONNX(fed, metadata, settings), metadata };
}
