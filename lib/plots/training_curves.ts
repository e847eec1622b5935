import type { EpochRecord } from "../training/events.ts";
import { Figure, type Trace } from "./figure.ts";
import { percent } from "../metrics/percent.ts";
import { axis, baseLayout, colors } from "./theme.ts";

/** The loss of one step. */
export interface StepLoss {
  /** Where the step ends, in epochs from 0: the last step of the first epoch is 1. */
  readonly epochs: number;
  readonly loss: number;
}

/** How {@linkcode trainingCurves} draws. */
export interface TrainingCurvesOptions {
  /** How many epochs the run will have, so that a growing curve keeps its scale. @default {as many as there are} */
  epochs?: number;
  /** Losses of single steps, drawn pale behind the means of the epochs. @default {none} */
  steps?: readonly StepLoss[];
  /** @default {"Training"} */
  title?: string;
}

/**
 * Loss and accuracy over the epochs of a run, side by side; the best epoch is marked.
 *
 * @param history One record an epoch, in order; may be empty or hold only the epochs so far.
 * @param options The epochs to come, the losses of steps, the title.
 * @returns The figure.
 *
 * @example The curves of three epochs
 * ```ts
 * import assert from "node:assert/strict";
 * const record = (epoch: number, top1: number) => ({
 *   epoch, trainLoss: 1 - top1, trainTop1: top1, validationLoss: 1 - top1,
 *   validationTop1: top1, validationTop5: 1, learningRate: 0.01,
 * });
 * const figure = trainingCurves([record(0, 0.4), record(1, 0.7), record(2, 0.8)]);
 * assert.equal(figure.data.length, 5); // two curves a panel, and the mark of the best epoch
 * ```
 */
export function trainingCurves(
  history: readonly EpochRecord[],
  options: TrainingCurvesOptions = {},
): Figure {
  const epochs = history.map((record) => record.epoch + 1);
  const last = Math.max(options.epochs ?? 0, epochs.at(-1) ?? 1);
  const best = bestRecord(history);
  const subtitle = best
    ? `best epoch ${best.epoch + 1}: validation top-1 ${percent(best.validationTop1)}, loss ${
      best.validationLoss.toFixed(3)
    }`
    : "no epoch is finished yet";

  const curve = (name: string, y: number[], color: string, axisNumber: "" | "2", hover: string): Trace => ({
    type: "scatter",
    mode: history.length > 60 ? "lines" : "lines+markers",
    name,
    legendgroup: name,
    showlegend: axisNumber === "",
    x: epochs,
    y,
    xaxis: `x${axisNumber}`,
    yaxis: `y${axisNumber}`,
    line: { color, width: 2 },
    marker: { color, size: 5 },
    hovertemplate: `${name} ${hover}<extra>epoch %{x}</extra>`,
  });
  const data: Trace[] = [
    curve("training", history.map((r) => r.trainLoss), colors.training, "", "%{y:.4f}"),
    curve("validation", history.map((r) => r.validationLoss), colors.validation, "", "%{y:.4f}"),
    curve("training", history.map((r) => r.trainTop1), colors.training, "2", "%{y:.2%}"),
    curve("validation", history.map((r) => r.validationTop1), colors.validation, "2", "%{y:.2%}"),
  ];
  if (options.steps?.length) data.unshift(stepCurve(options.steps));
  if (best) data.push(bestMarker(best));
  const frozen = history.filter(({ phase }) => phase === "frozen").length;

  const epochAxis = {
    range: [(options.steps?.length ? 0 : 1) - 0.03 * last, last + 0.03 * last],
    ...(last <= 10 ? { dtick: 1 } : { nticks: 8 }),
    tickformat: "d",
    showgrid: false,
  };
  return new Figure({
    data,
    layout: {
      ...baseLayout(options.title ?? "Training", subtitle, { width: 760, height: 350 }),
      xaxis: axis("epoch", { ...epochAxis, domain: [0, 0.45] }),
      xaxis2: axis("epoch", { ...epochAxis, domain: [0.55, 1], anchor: "y2" }),
      yaxis: axis(
        "loss",
        best || options.steps?.length ? { rangemode: "tozero" } : { range: [0, 1], showticklabels: false },
      ),
      yaxis2: axis("top-1 accuracy", {
        anchor: "x2",
        tickformat: ".0%",
        ...(best ? {} : { range: [0, 1] }),
      }),
      ...(frozen === 0 ? {} : frozenBand(epochAxis.range[0]!, options.steps?.length ? frozen : frozen + 0.5)),
      showlegend: true,
      legend: { orientation: "h", x: 1, xanchor: "right", y: 1.02, yanchor: "bottom", font: { size: 12 } },
      hovermode: "x unified",
      uirevision: "keep", // an update in place keeps the user's zoom
    },
  });
}

/** Marks the epochs in which only the classifier learned, in both panels. */
function frozenBand(from: number, to: number): { shapes: object[]; annotations: object[] } {
  const panels = ["", "2"];
  return {
    shapes: panels.map((panel) => ({
      type: "rect",
      layer: "below",
      xref: `x${panel}`,
      yref: `y${panel} domain`,
      x0: from,
      x1: to,
      y0: 0,
      y1: 1,
      fillcolor: colors.grid,
      line: { width: 0 },
    })),
    // Where curves of losses, and of accuracies, hardly ever are.
    annotations: ([["", 0, "bottom"], ["2", 1, "top"]] as const).map(([panel, y, yanchor]) => ({
      text: "frozen",
      xref: `x${panel}`,
      yref: `y${panel} domain`,
      x: from,
      y,
      xanchor: "left",
      yanchor,
      showarrow: false,
      font: { size: 11, color: colors.mutedText },
    })),
  };
}

/** The record with the highest validation top-1, the earliest of equals. */
function bestRecord(history: readonly EpochRecord[]): EpochRecord | undefined {
  let best: EpochRecord | undefined;
  for (const record of history) if (!best || record.validationTop1 > best.validationTop1) best = record;
  return best;
}

function stepCurve(steps: readonly StepLoss[]): Trace {
  return {
    type: "scatter",
    mode: "lines",
    name: "training steps",
    showlegend: false,
    x: steps.map((step) => step.epochs),
    y: steps.map((step) => step.loss),
    line: { color: colors.trainingLight, width: 1 },
    hoverinfo: "skip",
  };
}

function bestMarker(best: EpochRecord): Trace {
  return {
    type: "scatter",
    mode: "markers",
    name: "best",
    showlegend: false,
    x: [best.epoch + 1],
    y: [best.validationTop1],
    xaxis: "x2",
    yaxis: "y2",
    marker: { symbol: "circle-open", size: 14, color: colors.highlight, line: { width: 2.5 } },
    hoverinfo: "skip",
  };
}
