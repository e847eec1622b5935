import type { LayerReport } from "../quantization/layer_report.ts";
import { Figure, type Trace } from "./figure.ts";
import { axis, baseLayout, colors } from "./theme.ts";

/**
 * The layers of a quantised network, in its order: above, how far each one's result is from float (decibels, more is
 * better); below, its own share of what rounding changes in the logits. Layers in float are green.
 *
 * @param layers The layers.
 * @param subtitle A line under the title.
 * @returns The figure.
 *
 * @example Two layers
 * ```ts
 * import assert from "node:assert/strict";
 * const figure = quantizedLayers([
 *   { name: "conv_stem", kind: "convolution", precision: "int8", decibels: 40, share: 0.7 },
 *   { name: "classifier", kind: "linear", precision: "float", decibels: 30, share: 0.3 },
 * ], "two layers");
 * assert.deepEqual(figure.data[0].y as number[], [40, 30]);
 * ```
 */
export function quantizedLayers(
  layers: readonly Pick<LayerReport, "name" | "kind" | "precision" | "decibels" | "share">[],
  subtitle: string,
): Figure {
  const names = layers.map(({ name }) => name);
  const color = layers.map(({ precision }) => precision === "int8" ? colors.validation : colors.highlight);
  const customdata = layers.map(({ kind, precision }) => [kind, precision]);
  const data: Trace[] = [{
    type: "scatter",
    mode: "lines+markers",
    x: names,
    y: layers.map(({ decibels }) => Number(decibels.toFixed(2))),
    customdata,
    line: { color: colors.line, width: 1 },
    marker: { color, size: 6 },
    hovertemplate: "%{x} (%{customdata[0]}, %{customdata[1]})<br>%{y:.1f} dB<extra></extra>",
    yaxis: "y",
  }, {
    type: "bar",
    x: names,
    y: layers.map(({ share }) => share),
    customdata,
    marker: { color },
    hovertemplate: "%{x} (%{customdata[0]}, %{customdata[1]})<br>%{y:.1%} of the change<extra></extra>",
    yaxis: "y2",
  }];
  return new Figure({
    data,
    layout: {
      ...baseLayout("Layers in int8", subtitle, { width: 860, height: 560 }),
      margin: { l: 72, r: 24, t: 76, b: 190 },
      xaxis: axis("", {
        type: "category",
        tickangle: -60,
        tickfont: { size: 9 },
        showgrid: false,
        anchor: "y2",
      }),
      yaxis: axis("signal to noise, dB", { domain: [0.56, 1] }),
      yaxis2: axis("share of the change", { domain: [0, 0.46], tickformat: ".0%", rangemode: "tozero" }),
      bargap: 0.25,
    },
  });
}
