import type { ClassEvaluation } from "../metrics/evaluation.ts";
import { Figure, type Trace } from "./figure.ts";
import { axis, baseLayout, colors, escapeLabel, plural, shorten } from "./theme.ts";

/** The part of a class's evaluation that the plot shows. */
export type ClassScores = Pick<ClassEvaluation, "className" | "support" | "precision" | "recall" | "f1">;

/**
 * F1 of each class as a bar, with precision and recall as marks on it; the worst class is at the top.
 *
 * @param perClass Scores of the classes, 0..1.
 * @param options `limit`: how many classes are drawn, the worst first.
 * @default {40}
 * @returns The figure; its height follows the number of classes drawn.
 *
 * @example Two classes
 * ```ts
 * import assert from "node:assert/strict";
 * const figure = perClassScores([
 *   { className: "cat", support: 10, precision: 0.9, recall: 0.8, f1: 0.85 },
 *   { className: "dog", support: 10, precision: 0.8, recall: 0.9, f1: 0.84 },
 * ]);
 * assert.deepEqual(figure.data[0].y, [0, 1]);
 * ```
 */
export function perClassScores(
  perClass: readonly ClassScores[],
  options: { limit?: number } = {},
): Figure {
  const sorted = [...perClass].sort((a, b) => a.f1 - b.f1 || b.support - a.support);
  const shown = sorted.slice(0, options.limit ?? 40);
  const names = shown.map((score) => shorten(score.className, 28));
  const rows = [...shown.keys()];
  const meanF1 = perClass.reduce((sum, score) => sum + score.f1, 0) / perClass.length;
  const subtitle = `mean F1 ${meanF1.toFixed(3)} over ${plural(perClass.length, "class")}` +
    (shown.length < perClass.length ? `; the ${shown.length} lowest are shown` : "; lowest first");

  const marks = (name: string, key: "precision" | "recall", color: string, symbol: string): Trace => ({
    type: "scatter",
    mode: "markers",
    name,
    x: shown.map((score) => score[key]),
    y: rows,
    cliponaxis: false,
    marker: { color, symbol, size: 9, line: { color: colors.background, width: 1 } },
    customdata: names.map(escapeLabel),
    hovertemplate: `%{customdata}: ${name} %{x:.3f}<extra></extra>`,
  });
  const data: Trace[] = [
    {
      type: "bar",
      orientation: "h",
      name: "F1",
      x: shown.map((score) => score.f1),
      y: rows,
      width: 0.68,
      marker: { color: colors.validationLight },
      customdata: shown.map((score) => [escapeLabel(score.className), score.support]),
      hovertemplate: "%{customdata[0]}: F1 %{x:.3f}, %{customdata[1]} pictures<extra></extra>",
    },
    marks("precision", "precision", colors.error, "diamond"),
    marks("recall", "recall", colors.validation, "circle"),
  ];
  const labelSpace = Math.max(4, ...names.map((name) => name.length)) * 6.9;
  return new Figure({
    data,
    layout: {
      ...baseLayout("Classes", subtitle, { width: 720, height: 168 + 22 * Math.max(2, shown.length) }),
      margin: { l: Math.round(labelSpace) + 28, r: 72, t: 112, b: 56 },
      xaxis: axis("precision, recall, F1", { range: [0, 1.015], dtick: 0.2, showline: false }),
      yaxis: axis("", {
        tickvals: rows,
        ticktext: names.map(escapeLabel),
        tickfont: { size: 11, color: colors.text },
        range: [shown.length - 0.4, -0.6],
        showgrid: false,
        ticks: "",
      }),
      annotations: shown.map((score, row) => ({
        x: 1.02,
        xref: "paper",
        xanchor: "left",
        y: row,
        text: `n ${score.support}`,
        showarrow: false,
        font: { size: 10, color: colors.mutedText },
      })),
      showlegend: true,
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1, yanchor: "bottom", font: { size: 12 } },
    },
  });
}
