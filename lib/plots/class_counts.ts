import { Figure, type Trace } from "./figure.ts";
import { axis, baseLayout, colors, escapeLabel, plural, shorten } from "./theme.ts";

/** The number of pictures of each class in one part of the data. */
export interface SplitCounts {
  /** E.g. `training`. */
  readonly name: string;
  /** Pictures per class, `[classes]`. */
  readonly counts: readonly number[];
}

/** Colours of the parts, in order. */
const splitColors = [colors.training, colors.validation, colors.highlight];

/**
 * How many pictures each class has, in each part of the data; the largest class first.
 *
 * @param classNames Names of the classes, `[classes]`.
 * @param splits One to three parts, e.g. training and validation.
 * @returns The figure: horizontal bars, or upright ones for more than 30 classes.
 *
 * @example Two parts
 * ```ts
 * import assert from "node:assert/strict";
 * const figure = classCounts(["cat", "dog"], [
 *   { name: "training", counts: [80, 120] },
 *   { name: "validation", counts: [20, 30] },
 * ]);
 * assert.equal(figure.data.length, 2);
 * ```
 */
export function classCounts(classNames: readonly string[], splits: readonly SplitCounts[]): Figure {
  const totals = classNames.map((_, index) => splits.reduce((sum, split) => sum + split.counts[index], 0));
  const order = [...classNames.keys()].sort((a, b) => totals[b] - totals[a] || a - b);
  const names = order.map((index) => shorten(classNames[index], 28));
  const rows = [...order.keys()];
  const isUpright = classNames.length > 30;
  const largest = totals[order[0]] ?? 0, smallest = totals[order.at(-1)!] ?? 0;
  const subtitle =
    `${splits.map((split) => `${split.counts.reduce((a, b) => a + b, 0)} ${split.name}`).join(", ")}; ` +
    `${plural(classNames.length, "class")}, ${
      smallest === largest ? `${largest} each` : `${smallest} to ${largest} each`
    }`;

  const data: Trace[] = splits.map((split, index) => {
    const counts = order.map((label) => split.counts[label]);
    return {
      type: "bar",
      name: split.name,
      orientation: isUpright ? "v" : "h",
      x: isUpright ? rows : counts,
      y: isUpright ? counts : rows,
      marker: { color: splitColors[index % splitColors.length] },
      customdata: order.map((label) => escapeLabel(classNames[label])),
      hovertemplate: `%{customdata}: %{${isUpright ? "y" : "x"}} ${escapeLabel(split.name)}<extra></extra>`,
    };
  });
  const labelSpace = Math.round(Math.max(4, ...names.map((name) => name.length)) * (isUpright ? 5.6 : 6.9)) +
    28;
  const classAxis = axis("", {
    tickvals: rows,
    ticktext: names.map(escapeLabel),
    tickfont: { size: isUpright ? 9 : 11, color: colors.text },
    showgrid: false,
    ticks: "",
    ...(isUpright
      ? { range: [-0.6, rows.length - 0.4], tickangle: -90 }
      : { range: [rows.length - 0.4, -0.6] }),
  });
  const countAxis = axis("pictures", { rangemode: "tozero", tickformat: "d", showline: false });
  const size = isUpright
    ? { width: Math.min(1400, 120 + 12 * rows.length), height: 320 + labelSpace }
    : { width: 720, height: 168 + 24 * Math.max(2, rows.length) };
  return new Figure({
    data,
    layout: {
      ...baseLayout("Pictures per class", subtitle, { ...size, width: Math.max(560, size.width) }),
      margin: isUpright ? { l: 68, r: 24, t: 112, b: labelSpace } : { l: labelSpace, r: 28, t: 112, b: 56 },
      barmode: "stack",
      bargap: 0.28,
      xaxis: isUpright ? classAxis : countAxis,
      yaxis: isUpright ? countAxis : classAxis,
      showlegend: splits.length > 1,
      legend: {
        orientation: "h",
        traceorder: "normal",
        x: 0,
        xanchor: "left",
        y: 1,
        yanchor: "bottom",
        font: { size: 12 },
      },
    },
  });
}
