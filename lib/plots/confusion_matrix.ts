import { Figure, type Trace } from "./figure.ts";
import { percent } from "../metrics/percent.ts";
import { axis, baseLayout, colors, escapeLabel, plural, shorten } from "./theme.ts";

/** How {@linkcode confusionMatrixPlot} draws. */
export interface ConfusionMatrixPlotOptions {
  /**
   * What a cell says: `"share"` of the pictures of its true class (each row sums to 100 %), or the `"count"` of
   * pictures. Colour is always the share, so that rare classes stay readable.
   *
   * @default {"count"}
   */
  cells?: "count" | "share";
  /** @default {"Confusion matrix"} */
  title?: string;
}

/** White to dark blue for right answers, white to dark orange for mistakes: told apart with any colour vision. */
const rightScale = [[0, "#ffffff"], [0.35, "#b5d4ec"], [0.7, "#3f88c1"], [1, "#0b4f86"]];
const wrongScale = [[0, "#ffffff"], [0.08, "#fde6d3"], [0.3, "#f7a868"], [0.6, "#d9661b"], [1, "#8f3a02"]];

/**
 * Which classes a model takes for which: rows are true classes, columns are predicted ones. Right answers are blue,
 * mistakes are orange, the darker the larger their share of the row.
 *
 * @param matrix Counts, `[classes, classes]`: row = true class, column = predicted class.
 * @param classNames Names of the classes, `[classes]`.
 * @param options What the cells say.
 * @returns The figure; its size follows the number of classes.
 * @throws {RangeError} If the matrix is not square or the names do not fit.
 *
 * @example Two classes
 * ```ts
 * import assert from "node:assert/strict";
 * const figure = confusionMatrixPlot([[9, 1], [3, 7]], ["cat", "dog"]);
 * assert.equal((figure.layout.title as { text: string }).text, "<b>Confusion matrix</b>");
 * ```
 */
export function confusionMatrixPlot(
  matrix: readonly (readonly number[])[],
  classNames: readonly string[],
  options: ConfusionMatrixPlotOptions = {},
): Figure {
  const n = classNames.length;
  const lengths = [matrix.length, ...matrix.map((row) => row.length)];
  const odd = lengths.find((length) => length !== n);
  if (odd !== undefined || n === 0) {
    throw new RangeError(
      `Cannot draw confusion matrix: found ${lengths.length - 1} rows of ${
        [...new Set(lengths.slice(1))].join(" and ")
      } counts and ${n} class names, wanted classes x classes counts`,
    );
  }
  const isShare = options.cells === "share";
  const rowSums = matrix.map((row) => row.reduce((sum, count) => sum + count, 0));
  const share = (row: number, column: number) => rowSums[row] ? matrix[row][column] / rowSums[row] : 0;

  const cell = cellSize(n);
  const hasText = cell >= 24;
  const names = classNames.map((name) => shorten(name, 22));
  const cellText = (row: number, column: number): string => {
    const count = matrix[row][column];
    if (!hasText || count === 0) return "";
    return isShare ? `${Math.round(share(row, column) * 100)}` : `${count}`;
  };
  const layer = (isShown: (row: number, column: number) => boolean, colorscale: unknown): Trace => ({
    type: "heatmap",
    z: matrix.map((row, i) => row.map((_, j) => isShown(i, j) ? share(i, j) : null)),
    text: matrix.map((row, i) => row.map((_, j) => isShown(i, j) ? cellText(i, j) : "")),
    customdata: matrix.map((row, i) =>
      row.map((count, j) => [escapeLabel(classNames[i]), escapeLabel(classNames[j]), count])
    ),
    x: [...classNames.keys()],
    y: [...classNames.keys()],
    ...(hasText
      ? { texttemplate: "%{text}", textfont: { size: Math.min(13, Math.round(cell * 0.34)) } }
      : {}),
    colorscale,
    zmin: 0,
    zmax: 1,
    showscale: false,
    hoverongaps: false,
    xgap: cell >= 12 ? 1 : 0,
    ygap: cell >= 12 ? 1 : 0,
    hovertemplate: "true %{customdata[0]}<br>predicted %{customdata[1]}<br>" +
      "%{customdata[2]} pictures, %{z:.1%} of the row<extra></extra>",
  });

  const total = rowSums.reduce((a, b) => a + b, 0);
  const right = matrix.reduce((sum, row, i) => sum + row[i], 0);
  const worst = mostConfused(matrix);
  const subtitle = `${right} of ${total} right (${percent(right / total)})` +
    (worst
      ? `<br>most confused: ${shorten(classNames[worst.row], 18)} taken for ${
        shorten(classNames[worst.column], 18)
      }, ${plural(worst.count, "time")}`
      : "");

  const tickSize = Math.max(6, Math.min(11, Math.round(cell * 0.8)));
  const labelSpace = Math.max(...names.map((name) => name.length)) * tickSize * 0.62;
  const side = cell * n;
  const isFlat = n <= 4; // the names below fit side by side
  const margin = {
    l: Math.round(labelSpace) + 56,
    t: 100,
    r: 40,
    b: isFlat ? 64 : Math.round(labelSpace) + 52,
  };
  const ticks = {
    tickvals: [...classNames.keys()],
    ticktext: names.map(escapeLabel),
    tickfont: { size: tickSize, color: colors.text },
    range: [-0.5, n - 0.5],
    showgrid: false,
    showline: false,
    ticks: "",
    ticklabelstandoff: 5,
  };
  return new Figure({
    data: [layer((i, j) => i !== j, wrongScale), layer((i, j) => i === j, rightScale)],
    layout: {
      ...baseLayout(
        options.title ?? (isShare ? "Confusion matrix, % of each true class" : "Confusion matrix"),
        subtitle,
        {
          width: Math.max(side + margin.l + margin.r, 560),
          height: side + margin.t + margin.b,
        },
      ),
      margin: { ...margin, r: Math.max(margin.r, 560 - side - margin.l) },
      plot_bgcolor: cell >= 12 ? colors.grid : colors.background,
      xaxis: axis("predicted class", { ...ticks, tickangle: isFlat ? 0 : -90, constrain: "domain" }),
      yaxis: axis("true class", { ...ticks, range: [n - 0.5, -0.5], scaleanchor: "x", constrain: "domain" }),
    },
  });
}

/** Pixels a cell gets: large for few classes, at least 8 so that 100 classes stay readable. */
function cellSize(classes: number): number {
  return Math.round(Math.max(8, Math.min(96, 520 / classes)));
}

/** The largest count beside the diagonal. */
function mostConfused(matrix: readonly (readonly number[])[]) {
  let worst: { row: number; column: number; count: number } | undefined;
  for (const [row, counts] of matrix.entries()) {
    for (const [column, count] of counts.entries()) {
      if (row !== column && count > (worst?.count ?? 0)) worst = { row, column, count };
    }
  }
  return worst;
}
