import type { LayerReport } from "../quantization/layer_report.ts";
import { Figure, type Trace } from "./figure.ts";
import { axis, baseLayout, colors, escapeLabel } from "./theme.ts";

/**
 * The layers of a quantised network, in its order: above, how far each one's result is from float (decibels, more is
 * better); below, its own share of what rounding changes in the logits. Layers in float are green; the first layer of a
 * block bears its name, where there is room for it.
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
  const x = layers.map((_, index) => index);
  const color = layers.map(({ precision }) => precision === "int8" ? colors.validation : colors.highlight);
  const customdata = layers.map(({ name, kind, precision }) => [escapeLabel(name), kind, precision]);
  const data: Trace[] = [{
    type: "scatter",
    mode: "lines+markers",
    x,
    y: layers.map(({ decibels }) => Number(decibels.toFixed(2))),
    customdata,
    line: { color: colors.line, width: 1 },
    marker: { color, size: 6 },
    hovertemplate: "%{customdata[0]} (%{customdata[1]}, %{customdata[2]})<br>%{y:.1f} dB<extra></extra>",
    yaxis: "y",
  }, {
    type: "bar",
    x,
    y: layers.map(({ share }) => share),
    customdata,
    marker: { color },
    hovertemplate:
      "%{customdata[0]} (%{customdata[1]}, %{customdata[2]})<br>%{y:.1%} of the change<extra></extra>",
    yaxis: "y2",
  }];
  const blocks = firstOfBlocks(layers.map(({ name }) => name));
  const isGreen = layers.some(({ precision }) => precision === "float");
  return new Figure({
    data,
    layout: {
      ...baseLayout("Layers in int8", isGreen ? `${subtitle} (green)` : subtitle, {
        width: 760,
        height: 470,
      }),
      margin: { l: 72, r: 24, t: 76, b: 84 },
      xaxis: axis("", {
        range: [-0.75, layers.length - 0.25],
        tickvals: blocks.map(({ index }) => index),
        ticktext: blocks.map(({ name }) => escapeLabel(name)),
        tickangle: -45,
        tickfont: { size: 10, color: colors.mutedText },
        anchor: "y2",
      }),
      yaxis: axis("signal to noise, dB", { domain: [0.56, 1] }),
      yaxis2: axis("share of the change", { domain: [0, 0.46], tickformat: ".0%", rangemode: "tozero" }),
      bargap: 0.25,
    },
  });
}

/** How far apart two names are at least, as a share of the width. */
const roomOfName = 0.024;

/**
 * Where each block begins; a layer outside of blocks is one by itself. `blocks.0.1.conv_dw` is in `blocks.0.1`. Names
 * that would cover the one before are left out.
 */
function firstOfBlocks(names: readonly string[]): { name: string; index: number }[] {
  const first = new Map<string, number>();
  let last = -Infinity;
  for (const [index, name] of names.entries()) {
    const block = /^blocks\.\d+\.\d+/.exec(name)?.[0] ?? name;
    if (first.has(block) || index - last < roomOfName * names.length) continue;
    first.set(block, last = index);
  }
  return [...first].map(([name, index]) => ({ name, index }));
}
