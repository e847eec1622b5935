import { Figure, type Trace } from "../../lib/plots/figure.ts";
import { axis, baseLayout, colors, escapeLabel } from "../../lib/plots/theme.ts";
import type { Result } from "./results.ts";
import { type DataName, dataNames, type NetworkName, networks } from "./runs.ts";
import { type Row, summarise } from "./summary.ts";
import { dataTitles, titleOf } from "./tables.ts";

/** Height of a configuration's line, and of what a panel has besides, in pixels. */
const lineHeight = 22, panelExtra = 92, top = 84;
/** Share of the width that names of configurations have. */
const labelShare = 0.2;

/**
 * Test top-1 of every run, a panel for each network and data set, configurations from the best mean down.
 *
 * @param results All results.
 * @returns Dots for seeds, a line for their mean, a dotted line where the adaptive recipe's mean is.
 */
export function ablationFigure(results: readonly Result[]): Figure {
  const names = Object.keys(networks) as NetworkName[];
  const panels = names.map((network) =>
    dataNames.map((data) => ({
      network,
      data,
      rows: summarise(results, network, data).sort((a, b) => a.top1 - b.top1),
    }))
  );
  const heights = panels.map((row) =>
    panelExtra + lineHeight * Math.max(...row.map(({ rows }) => rows.length))
  );
  const height = top + heights.reduce((sum, value) => sum + value, 0);
  const traces: Trace[] = [], axes: Record<string, unknown> = {};
  const shapes: unknown[] = [], annotations: unknown[] = [];
  panels.forEach((row, line) => {
    const above = heights.slice(0, line).reduce((sum, value) => sum + value, 0);
    const plotHeight = height - top;
    const domain = [
      1 - (above + heights[line]! - 44) / plotHeight,
      1 - (above + panelExtra - 44) / plotHeight,
    ];
    row.forEach(({ network, data, rows }, column) => {
      if (rows.length === 0) return;
      const suffix = line * row.length + column === 0 ? "" : `${line * row.length + column + 1}`;
      traces.push(...panelTraces(rows, suffix));
      const adaptive = rows.find(({ configuration }) => configuration === "adaptive");
      if (adaptive !== undefined) shapes.push(adaptiveLine(adaptive, suffix));
      const left = column === 0 ? labelShare : 0.52 + labelShare, right = column === 0 ? 0.48 : 1;
      axes[`xaxis${suffix}`] = axis("test top-1, %", { domain: [left, right], anchor: `y${suffix}` });
      axes[`yaxis${suffix}`] = axis("", {
        domain,
        anchor: `x${suffix}`,
        type: "category",
        categoryarray: rows.map(({ configuration }) => escapeLabel(configuration)),
        range: [-0.6, rows.length - 0.4],
        ticks: "",
        showline: false,
        tickfont: { size: 11, color: colors.text },
      });
      annotations.push(heading(network, data, left, domain[1]!));
    });
  });
  return new Figure({
    data: traces,
    layout: {
      ...baseLayout(
        "What each part of the adaptive recipe does",
        "dots: one run each; bars: mean of the seeds; dotted: the adaptive recipe's mean",
        { width: 1080, height },
      ),
      margin: { l: 20, r: 24, t: top, b: 0 },
      ...axes,
      shapes,
      annotations,
    },
  });
}

function panelTraces(rows: readonly Row[], suffix: string): Trace[] {
  const place = { xaxis: `x${suffix}`, yaxis: `y${suffix}`, type: "scatter", mode: "markers" };
  const colorOf = ({ configuration }: Row) =>
    configuration === "adaptive"
      ? colors.highlight
      : configuration === "baseline"
      ? colors.training
      : colors.validation;
  const dots = rows.flatMap((row) => row.results.map(({ testTop1 }) => ({ row, x: 100 * testTop1 })));
  return [
    {
      ...place,
      name: "a run",
      x: dots.map(({ x }) => x),
      y: dots.map(({ row }) => escapeLabel(row.configuration)),
      marker: { size: 8, opacity: 0.55, color: dots.map(({ row }) => colorOf(row)) },
    },
    {
      ...place,
      name: "mean",
      x: rows.map(({ top1 }) => 100 * top1),
      y: rows.map(({ configuration }) => escapeLabel(configuration)),
      marker: {
        symbol: "line-ns",
        size: 14,
        line: { width: 2.5, color: rows.map(colorOf) },
      },
    },
  ];
}

function adaptiveLine({ top1 }: Row, suffix: string): unknown {
  return {
    type: "line",
    xref: `x${suffix}`,
    yref: `y${suffix} domain`,
    x0: 100 * top1,
    x1: 100 * top1,
    y0: 0,
    y1: 1,
    line: { color: colors.mutedText, width: 1, dash: "dot" },
    layer: "below",
  };
}

function heading(network: NetworkName, data: DataName, x: number, y: number): unknown {
  return {
    text: `<b>${dataTitles[data]}</b>, ${titleOf(network)}`,
    xref: "paper",
    yref: "paper",
    x: x - labelShare,
    y,
    xanchor: "left",
    yanchor: "bottom",
    yshift: 6,
    showarrow: false,
    font: { size: 12, color: colors.text },
  };
}
