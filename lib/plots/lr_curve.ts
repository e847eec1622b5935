import type { RangeTestPoint } from "../lr_finder/range_test.ts";
import { Figure, type Trace } from "./figure.ts";
import type { SearchCaption } from "./lr_trials.ts";
import { axis, baseLayout, colors } from "./theme.ts";

/** How {@linkcode learningRateCurve} draws. */
export interface CurveCaption extends SearchCaption {
  /** Bounds of the range test, so that a growing figure keeps its scale. */
  readonly bounds: readonly [number, number];
  /** Points at either end from which nothing is suggested; they are drawn pale. @default {[0, 0]} */
  readonly leftAside?: readonly [number, number];
}

/**
 * The curve of a range test: the loss of each step against its rate, the smoothed loss, and where that falls most
 * steeply. Smith, "Cyclical learning rates for training neural networks" (2017, https://arxiv.org/abs/1506.01186).
 *
 * @param points The steps.
 * @param caption Suggestion and texts.
 * @returns The figure.
 *
 * @example Three steps
 * ```ts
 * import assert from "node:assert/strict";
 * const points = [3, 2, 4].map((loss, step) => ({ learningRate: 0.001 * 10 ** step, loss, smoothedLoss: loss }));
 * const figure = learningRateCurve(points, { lines: ["nothing is suggested"], bounds: [0.001, 0.1] });
 * assert.deepEqual(figure.data[0].y, [3, 2, 4]);
 * ```
 */
export function learningRateCurve(points: readonly RangeTestPoint[], caption: CurveCaption): Figure {
  const { suggestion, lines, bounds: [low, high], leftAside: [first, last] = [0, 0] } = caption;
  const rates = points.map(({ learningRate }) => learningRate);
  const smoothed = points.map(({ smoothedLoss }) => smoothedLoss);
  const line = (name: string, from: number, to: number, color: string, showlegend: boolean): Trace => ({
    type: "scatter",
    mode: "lines",
    name,
    legendgroup: name,
    showlegend,
    x: rates.slice(from, to),
    y: smoothed.slice(from, to),
    line: { color, width: 2.5 },
    hovertemplate: "rate %{x:.4g}, smoothed loss %{y:.4f}<extra></extra>",
  });
  const end = points.length - last;
  const data: Trace[] = [
    {
      type: "scatter",
      mode: "lines",
      name: "loss of each step",
      x: rates,
      y: points.map(({ loss }) => loss),
      line: { color: colors.trainingLight, width: 1 },
      hoverinfo: "skip",
    },
    ...(first > 0 ? [line("left aside", 0, first + 1, colors.line, true)] : []),
    line("smoothed loss", first, end, colors.training, true),
    ...(last > 0 ? [line("left aside", end - 1, points.length, colors.line, false)] : []),
  ];
  const at = points.find(({ learningRate }) => learningRate === suggestion);
  if (at !== undefined) {
    data.push({
      type: "scatter",
      mode: "markers",
      name: "suggestion",
      x: [at.learningRate],
      y: [at.smoothedLoss],
      marker: { symbol: "circle", size: 11, color: colors.highlight },
      hovertemplate: "suggestion %{x:.4g}<extra></extra>",
    });
  }
  const margin = 0.03 * Math.log10(high / low);
  return new Figure({
    data,
    layout: {
      ...baseLayout(caption.title ?? "Learning rate", lines.join("<br>"), { width: 760, height: 430 }),
      margin: { l: 64, r: 24, t: 92 + 16 * lines.length, b: 56 },
      xaxis: axis("learning rate", {
        type: "log",
        range: [Math.log10(low) - margin, Math.log10(high) + margin],
        showgrid: false,
        ...logTicks(low, high),
      }),
      yaxis: axis(
        "training loss",
        points.length === 0
          ? { range: [0, 1], showticklabels: false }
          : { range: lossRange(points, smoothed.slice(first, end)) },
      ),
      shapes: at === undefined ? [] : [{
        type: "line",
        xref: "x",
        yref: "paper",
        x0: at.learningRate,
        x1: at.learningRate,
        y0: 0,
        y1: 1,
        line: { color: colors.highlight, width: 1, dash: "dot" },
      }],
      showlegend: true,
      legend: { orientation: "h", x: 1, xanchor: "right", y: 1.02, yanchor: "bottom", font: { size: 12 } },
      uirevision: "keep",
    },
  });
}

/** Ticks at 1, 2 and 5 times powers of ten; at powers of ten only, where there are many. */
function logTicks(low: number, high: number): { tickvals: number[]; ticktext: string[] } {
  const factors = high / low <= 1000 ? [1, 2, 5] : [1];
  const tickvals: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    for (const factor of factors) tickvals.push(Number(`${factor}e${power}`));
  }
  const shown = tickvals.filter((value) => value >= low / 1.1 && value <= high * 1.1);
  return { tickvals: shown, ticktext: shown.map(String) };
}

/** Where the curve that counts is seen well: a loss that diverges at the end leaves it at the top. */
function lossRange(all: readonly RangeTestPoint[], kept: readonly number[]): [number, number] {
  const lowest = Math.min(...all.flatMap(({ loss, smoothedLoss }) => [loss, smoothedLoss]));
  const highest = Math.max(...kept, all[0]!.smoothedLoss);
  const room = 0.1 * (highest - lowest) || 0.1;
  return [lowest - room, highest + room];
}
