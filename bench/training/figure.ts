import { Figure, type Trace } from "../../lib/plots/figure.ts";
import { axis, baseLayout, colors, escapeLabel } from "../../lib/plots/theme.ts";
import { type ContestantId, contestantLabels, hasModel } from "./contestants.ts";
import type { Results } from "./results.ts";
import { type Spread, summarise } from "./statistics.ts";
import { presentIds, ratioOf } from "./tables.ts";

/** Blue for Whittle (green in bf16), orange for PyTorch, grey for Keras; the stronger tone for the faster of two. */
const contestantColors: Readonly<Record<ContestantId, string>> = {
  "onednn": colors.validation,
  "onednn-bf16": colors.highlight,
  "tensorflow": colors.validationLight,
  "pytorch": colors.trainingLight,
  "pytorch-tuned": colors.training,
  "keras": colors.line,
};

/**
 * Training speed relative to PyTorch with tuned malloc, and peak memory, of all contestants.
 *
 * @param results What was measured; each network once.
 * @returns Two rows of bars, grouped by network.
 */
export function trainingFigure(results: Results): Figure {
  const { measured } = results;
  const { batchSize, size, threads } = measured[0]!;
  const models = measured.map(({ model }) => escapeLabel(model));
  const ids = presentIds(measured);
  const lacking = measured.map(({ model }) => model).filter((model) =>
    ids.includes("keras") && !hasModel("keras", model)
  );
  const bars = (id: ContestantId, row: 1 | 2, figures: readonly (Spread | undefined)[]): Trace => ({
    type: "bar",
    name: contestantLabels[id],
    legendgroup: id,
    showlegend: row === 1,
    x: models,
    y: figures.map((figure) => figure?.median ?? null),
    yaxis: row === 1 ? "y" : "y2",
    xaxis: row === 1 ? "x" : "x2",
    marker: { color: contestantColors[id] },
    error_y: {
      type: "data",
      symmetric: false,
      array: figures.map((figure) => figure === undefined ? 0 : figure.max - figure.median),
      arrayminus: figures.map((figure) => figure === undefined ? 0 : figure.median - figure.min),
      color: colors.mutedText,
      thickness: 1,
      width: 2,
    },
    text: figures.map((figure) => figure === undefined ? "" : figure.median.toFixed(row === 1 ? 2 : 1)),
    textposition: "inside",
    insidetextanchor: "start",
    textangle: -90,
    textfont: { size: 10, color: id.startsWith("onednn") ? colors.background : colors.text },
    cliponaxis: false,
  });
  const gigabytes = (spread: Spread | undefined): Spread | undefined =>
    spread && { median: spread.median / 1e9, min: spread.min / 1e9, max: spread.max / 1e9 };
  const columns = { showline: false, showgrid: false, ticks: "", tickfont: { size: 11, color: colors.text } };
  return new Figure({
    data: ids.flatMap((id) => [
      bars(id, 1, measured.map((one) => ratioOf(one, id, "pytorch-tuned", "training"))),
      bars(
        id,
        2,
        measured.map(({ outcomes }) =>
          gigabytes(summarise(outcomes[id]?.rounds ?? [], "peakMemory", batchSize))
        ),
      ),
    ]),
    layout: {
      ...baseLayout(
        "Training beside PyTorch and Keras",
        `batch ${batchSize}, ${size} px, ${threads} threads; medians of rounds in turns, lines from least to ` +
          `greatest` + (lacking.length === 0 ? "" : `; Keras has no ${lacking.join(", ")}`),
        { width: 960, height: 640 },
      ),
      barmode: "group",
      bargap: 0.18,
      bargroupgap: 0.06,
      margin: { l: 64, r: 24, t: 112, b: 40 },
      xaxis: axis("", { ...columns, anchor: "y", domain: [0, 1] }),
      yaxis: axis("images/s, tuned PyTorch = 1", { domain: [0.55, 1], rangemode: "tozero" }),
      xaxis2: axis("", { ...columns, anchor: "y2", domain: [0, 1] }),
      yaxis2: axis("peak memory, GB", { domain: [0, 0.43], rangemode: "tozero" }),
      shapes: [{
        type: "line",
        xref: "paper",
        x0: 0,
        x1: 1,
        yref: "y",
        y0: 1,
        y1: 1,
        line: { color: colors.mutedText, width: 1, dash: "dot" },
      }],
      showlegend: true,
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", font: { size: 12 } },
    },
  });
}
