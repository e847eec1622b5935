import type { ExportMetadata } from "./export_metadata.ts";

/**
 * What OpenVINO's ModelAPI wants to know of a classifier, in its words: a program that uses ModelAPI opens the file
 * without being told anything. ModelAPI takes pictures as OpenCV decodes them, in BGR.
 *
 * @param metadata The record of the file.
 * @returns Names and values of `rt_info/model_info`.
 *
 * @example
 * ```ts
 * import { modelAPIInfo } from "./model_api_info.ts";
 * const info = modelAPIInfo({
 *   format: 1,
 *   model: "mobilenetv3_small_100.lamb_in1k",
 *   classNames: ["guinea pig", "cat"],
 *   preprocessing: {
 *     size: { height: 224, width: 224 },
 *     interpolation: "bilinear",
 *     channelOrder: "rgb",
 *     mean: [0.5, 0.5, 0.5],
 *     std: [0.25, 0.25, 0.25],
 *   },
 *   input: { channelOrder: "rgb", values: "normalized" },
 *   precision: "fp32",
 * });
 * console.log(info.labels, info.reverse_input_channels, info.mean_values); // guinea_pig cat True 127.5 127.5 127.5
 * ```
 */
export function modelAPIInfo(metadata: ExportMetadata): Readonly<Record<string, string>> {
  const { classNames, input, preprocessing: { interpolation, mean, std } } = metadata;
  const inOrder = (values: readonly number[]) =>
    (input.channelOrder === "rgb" ? [...values] : values.toReversed())
      .map((value) => Number((255 * value).toPrecision(9))).join(" ");
  return {
    model_type: "Classification",
    labels: classNames.map(toLabel).join(" "),
    multilabel: "False",
    hierarchical: "False",
    topk: String(Math.min(5, classNames.length)),
    output_raw_scores: "True",
    embedded_processing: "False", // resizing is the caller's
    resize_type: "standard",
    interpolation_mode: interpolation === "bicubic" ? "CUBIC" : "LINEAR",
    reverse_input_channels: input.channelOrder === "rgb" ? "True" : "False",
    ...(input.values === "normalized" ? { mean_values: inOrder(mean), scale_values: inOrder(std) } : {}),
  };
}

/** ModelAPI parts labels at white space; its own exporters write `_` for it. */
function toLabel(className: string): string {
  return className.replace(/[\s\p{Cc}]/gu, "_") || "_";
}
