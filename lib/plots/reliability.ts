import type { ReliabilityBin } from "../metrics/calibration_error.ts";
import { Figure, type Trace } from "./figure.ts";
import { percent } from "../metrics/percent.ts";
import { axis, baseLayout, colors } from "./theme.ts";

/**
 * How far a model's confidence can be believed: accuracy against confidence, with the distance to the diagonal in
 * orange; below, how many pictures have that confidence. After Guo et al., "On Calibration of Modern Neural Networks"
 * (2017).
 *
 * @param bins The bins of the calibration error, in order.
 * @param calibrationError The expected calibration error, 0..1.
 * @returns The figure.
 *
 * @example One bin
 * ```ts
 * import assert from "node:assert/strict";
 * const figure = reliabilityDiagram([{ lower: 0, upper: 1, count: 10, confidence: 0.9, accuracy: 0.7 }], 0.2);
 * assert.equal(figure.data.length, 4);
 * ```
 */
export function reliabilityDiagram(bins: readonly ReliabilityBin[], calibrationError: number): Figure {
  const filled = bins.filter((bin) => bin.count > 0);
  const total = filled.reduce((sum, bin) => sum + bin.count, 0);
  const mean = (key: "confidence" | "accuracy") =>
    filled.reduce((sum, bin) => sum + bin[key] * bin.count, 0) / total;
  const confidence = mean("confidence"), accuracy = mean("accuracy");
  const verdict = Math.abs(confidence - accuracy) < 0.02
    ? "on the average as sure as it is right"
    : confidence > accuracy
    ? "over-confident"
    : "under-confident";
  const subtitle = total > 0
    ? `calibration error ${percent(calibrationError)}; ${verdict}: mean confidence ${
      percent(confidence)
    }, accuracy ${percent(accuracy)}`
    : "no pictures";

  const x = filled.map((bin) => (bin.lower + bin.upper) / 2);
  const width = filled.map((bin) => bin.upper - bin.lower);
  const outline = { color: colors.background, width: 1 };
  const gap = filled.map((bin) => bin.confidence - bin.accuracy);
  const data: Trace[] = [
    {
      type: "bar",
      name: "accuracy",
      x,
      y: filled.map((bin) => bin.accuracy),
      width,
      marker: { color: colors.validationLight, line: outline },
      hoverinfo: "skip",
    },
    {
      type: "scatter",
      mode: "markers",
      cliponaxis: false,
      name: "gap to the confidence",
      x: filled.map((bin) => bin.confidence),
      y: filled.map((bin) => bin.accuracy),
      error_y: {
        type: "data",
        symmetric: false,
        array: gap.map((value) => Math.max(0, value)),
        arrayminus: gap.map((value) => Math.max(0, -value)),
        color: colors.error,
        thickness: 2.5,
        width: 0,
      },
      marker: { color: colors.error, size: 6 },
      customdata: filled.map((bin) => bin.count),
      hovertemplate: "confidence %{x:.1%}, accuracy %{y:.1%}<br>%{customdata} pictures<extra></extra>",
    },
    {
      type: "scatter",
      mode: "lines",
      name: "as sure as right",
      x: [0, 1],
      y: [0, 1],
      line: { color: colors.mutedText, width: 1.5, dash: "dash" },
      hoverinfo: "skip",
    },
    {
      type: "bar",
      name: "pictures",
      showlegend: false,
      x,
      y: filled.map((bin) => bin.count / total),
      width,
      xaxis: "x",
      yaxis: "y2",
      marker: { color: colors.line, line: outline },
      customdata: filled.map((bin) => bin.count),
      hovertemplate: "%{customdata} pictures, %{y:.1%}<extra></extra>",
    },
  ];
  return new Figure({
    data,
    layout: {
      ...baseLayout("Reliability", subtitle, { width: 600, height: 560 }),
      margin: { l: 72, r: 28, t: 112, b: 60 },
      barmode: "overlay",
      bargap: 0,
      xaxis: axis("confidence (probability of the predicted class)", {
        range: [0, 1],
        dtick: 0.2,
        tickformat: ".0%",
        anchor: "y2",
        showgrid: false,
      }),
      yaxis: axis("accuracy", { range: [0, 1], dtick: 0.2, tickformat: ".0%", domain: [0.27, 1] }),
      yaxis2: axis("pictures", { rangemode: "tozero", nticks: 3, tickformat: ".0%", domain: [0, 0.2] }),
      showlegend: true,
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1.01, yanchor: "bottom", font: { size: 12 } },
    },
  });
}
