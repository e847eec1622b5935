import type { Trial } from "../lr_finder/trial.ts";
import { percent } from "../metrics/percent.ts";
import { Figure, type Trace } from "./figure.ts";
import { axis, baseLayout, colors } from "./theme.ts";

/** What a figure of a search says besides its curve. */
export interface SearchCaption {
  /** What the figure shows, e.g. the model. @default {"Learning rate"} */
  readonly title?: string;
  /** The rate to train with; none if the search tells none. */
  readonly suggestion?: number | undefined;
  /** Lines of the subtitle: what is suggested, by which rule, and why. */
  readonly lines: readonly string[];
}

/** How {@linkcode learningRateTrials} draws. */
export interface TrialsCaption extends SearchCaption {
  /** Bounds of the search, so that a growing figure keeps its scale. */
  readonly bounds: readonly [number, number];
  /** Top-1 that chance does not tell from the best trial's, 0..1, drawn as a band. @default {no band} */
  readonly band?: readonly [number, number] | undefined;
}

/**
 * The trials of a search: their rates against the validation top-1 they ended with. Trials that were pruned are drawn
 * where they ended, pale; those that failed are crosses at the bottom.
 *
 * @param trials The trials; those that repeat a rate are left out.
 * @param caption Suggestion and texts.
 * @returns The figure.
 *
 * @example Two trials
 * ```ts
 * import assert from "node:assert/strict";
 * const trials = [
 *   { number: 0, learningRate: 0.01, values: [0.4, 0.6], state: "complete" as const },
 *   { number: 1, learningRate: 0.02, values: [0.5, 0.8], state: "complete" as const },
 * ];
 * const figure = learningRateTrials(trials, {
 *   suggestion: 0.02, lines: ["0.02, the best of 2 trials"], bounds: [0.01, 0.03],
 * });
 * assert.deepEqual((figure.data[0].x as number[]), [0.01, 0.02]);
 * ```
 */
export function learningRateTrials(trials: readonly Trial[], caption: TrialsCaption): Figure {
  const { suggestion, bounds: [low, high], band, lines } = caption;
  const top1 = trials.flatMap(({ values }) => values.slice(-1));
  const lowest = Math.min(...top1, band?.[0] ?? 1), highest = Math.max(...top1, band?.[1] ?? 0);
  const known = top1.length > 0, room = Math.max(0.02, 0.12 * (highest - lowest));
  const range = known ? [Math.max(-0.03, lowest - room), Math.min(1.03, highest + room)] : [0, 1];
  const of = (state: Trial["state"]) => trials.filter((trial) => trial.state === state);
  const marks = (
    name: string,
    shown: readonly Trial[],
    marker: Record<string, unknown>,
    heightOf: (trial: Trial) => number,
  ): Trace => ({
    type: "scatter",
    mode: "markers",
    name,
    x: shown.map(({ learningRate }) => learningRate),
    y: shown.map(heightOf),
    customdata: shown.map(({ number, values }) => [
      number + 1,
      values.map((value) => percent(value)).join(", ") || "none",
    ]),
    marker: { size: 9, line: { width: 1.5 }, ...marker },
    cliponaxis: false,
    hovertemplate: "rate %{x:.4g}<br>top-1 by epoch: %{customdata[1]}<extra>trial %{customdata[0]}</extra>",
  });
  const last = ({ values }: Trial) => values.at(-1)!;
  const data: Trace[] = [
    marks("complete", of("complete"), {
      color: colors.validation,
      line: { width: 1, color: colors.background },
    }, last),
    marks("pruned, where it ended", of("pruned"), {
      symbol: "circle-open",
      color: colors.mutedText,
    }, last),
    marks("failed", of("failed"), {
      symbol: "x-thin",
      color: colors.error,
      line: { width: 2, color: colors.error },
    }, () => range[0]! + 0.03 * (range[1]! - range[0]!)),
  ].filter(({ x }, index) => index === 0 || (x as number[]).length > 0);
  const best = of("complete").find(({ learningRate }) => learningRate === suggestion);
  if (best !== undefined) {
    data.push({
      type: "scatter",
      mode: "markers",
      name: "suggestion",
      x: [best.learningRate],
      y: [last(best)],
      marker: { symbol: "circle-open", size: 17, color: colors.highlight, line: { width: 2.5 } },
      cliponaxis: false,
      hoverinfo: "skip",
    });
  }
  const margin = 0.03 * (high - low);
  return new Figure({
    data,
    layout: {
      ...baseLayout(caption.title ?? "Learning rate", lines.join("<br>"), { width: 760, height: 430 }),
      margin: { l: 64, r: 24, t: 92 + 16 * lines.length, b: 56 },
      xaxis: axis("learning rate", { range: [low - margin, high + margin], showgrid: false }),
      yaxis: axis("validation top-1", { range, tickformat: ".0%" }),
      shapes: band === undefined ? [] : [{
        type: "rect",
        xref: "paper",
        yref: "y",
        x0: 0,
        x1: 1,
        y0: band[0],
        y1: band[1],
        fillcolor: colors.validationLight,
        opacity: 0.35,
        line: { width: 0 },
        layer: "below",
      }],
      showlegend: true,
      legend: { orientation: "h", x: 1, xanchor: "right", y: 1.02, yanchor: "bottom", font: { size: 12 } },
      uirevision: "keep",
    },
  });
}
