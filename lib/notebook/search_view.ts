import { bestTrial } from "../lr_finder/best_trial.ts";
import type {
  LRSearchEvent,
  SearchEndEvent,
  SearchStartEvent,
  SearchStepEvent,
} from "../lr_finder/events.ts";
import { type RangeTestPoint, smoothLosses } from "../lr_finder/range_test.ts";
import type { SearchReader } from "../lr_finder/reader.ts";
import type { Trial } from "../lr_finder/trial.ts";
import { percent } from "../metrics/percent.ts";
import type { Figure } from "../plots/figure.ts";
import { learningRateCurve } from "../plots/lr_curve.ts";
import { learningRateTrials } from "../plots/lr_trials.ts";
import { formatDuration, formatLoss, formatRate } from "../training/readers/format.ts";
import { type DisplayFunction, liveOutput, type MimeBundle, notebookDisplay } from "./display.ts";
import { drawSearch } from "./find_lr_view.ts";
import { html } from "./html.ts";

/** What the view knows of the search so far. */
interface ViewState {
  start?: SearchStartEvent;
  step?: SearchStepEvent;
  trials: Trial[];
  points: RangeTestPoint[];
  loss: number;
  warnings: string[];
  end?: SearchEndEvent;
}

/** How a view of a search begins. */
export interface SearchViewOptions {
  /** The kernel's display function. */
  readonly display?: DisplayFunction;
  /** Trials of an earlier part of the search. */
  readonly trials?: readonly Trial[];
  /** Of a range test. @default {0.05} */
  readonly smoothing?: number;
}

/**
 * Shows a search in a notebook while it goes: what it will cost, a progress bar with the trial, the best so far and the
 * time left, and below it the trials or the curve. Both update in place.
 *
 * @param options See {@linkcode SearchViewOptions}.
 * @returns A reader of events; close it before the cell ends.
 * @throws {Error} If this is not a notebook.
 */
export function searchView(options: SearchViewOptions = {}): SearchReader {
  const display = options.display ?? notebookDisplay();
  if (!display) {
    throw new Error(
      "Cannot open the search's view: this is not a notebook kernel\n  help: use searchBar() in a terminal",
    );
  }
  const status = liveOutput(display);
  const curve = liveOutput(display, { interval: 1000, effort: 0.05 });
  const { smoothing = 0.05 } = options;
  const state: ViewState = { trials: [...options.trials ?? []], points: [], loss: NaN, warnings: [] };

  const read = async (event: LRSearchEvent) => {
    switch (event.type) {
      case "search-start":
        state.start = event;
        break;
      case "search-step": {
        const { loss, learningRate } = event;
        state.step = event;
        state.loss = event.step === 0 || Number.isNaN(state.loss) ? loss : 0.9 * state.loss + 0.1 * loss;
        if (event.isRangeTest && Number.isFinite(loss)) {
          const before = state.points.at(-1)?.smoothedLoss ?? loss;
          state.points.push({
            learningRate,
            loss,
            smoothedLoss: smoothLosses([before, loss], smoothing)[1]!,
          });
        }
        break;
      }
      case "search-trial":
        state.trials.push(event.trial);
        break;
      case "warning":
        state.warnings.push(event.message);
        break;
      case "search-end":
        state.end = event;
    }
    if (state.start === undefined) return; // a search that was done already has nothing to show
    status.show(() => statusBundle(state));
    const grew = event.type === "search-trial" || (event.type === "search-step" && event.isRangeTest);
    // While it grows the curve is an SVG, see the curves of a run.
    if (grew) {
      curve.show(async () => ({ "text/html": await draw(state).svg(), "text/plain": "learning rates" }));
    }
    if (event.type === "search-end") {
      if (state.trials.length + state.points.length > 0) curve.show(() => draw(state).mimeBundle());
      await close();
    }
  };
  const close = async () => {
    await status.flush();
    await curve.flush();
  };
  return Object.assign(read, { close });
}

/** The figure of what is known so far, and in the end with the answer. */
function draw({ start, trials, points, end }: ViewState): Figure {
  const { minLearningRate, maxLearningRate, model, mode, validationSize } = start!;
  if (end !== undefined) {
    const search = { mode, minLearningRate, maxLearningRate };
    return drawSearch({ ...end, model, search, trials, points, validationSize });
  }
  const caption = {
    title: `Learning rate of ${model}`,
    bounds: [minLearningRate, maxLearningRate] as const,
    lines: ["the search goes on"],
  };
  return mode === "fast_ai" ? learningRateCurve(points, caption) : learningRateTrials(trials, caption);
}

/** How a search ended, in words. */
function ending({ suggestion, verdict, stopped }: SearchEndEvent): string {
  const how = stopped === "completed" ? verdict : "interrupted";
  return suggestion === undefined
    ? `no suggestion (${how})`
    : `suggestion ${formatRate(suggestion)} (${how})`;
}

/** The share of the search that is done, 0..1. */
function progress({ start, step, trials, end }: ViewState): number {
  if (end?.stopped === "completed") return 1;
  if (start === undefined) return 0;
  const within = step === undefined || step.trial !== trials.length
    ? 0
    : (step.epoch + (step.step + 1) / step.stepsPerEpoch) / start.epochs;
  return Math.min(1, (trials.length + within) / start.trials);
}

/** The facts below the bar, as label and value. */
function facts(state: ViewState): [string, string][] {
  const { start, step, trials, end } = state;
  const best = bestTrial(trials);
  const where: [string, string] = start!.mode === "fast_ai"
    ? ["part", step === undefined ? "beginning" : step.isRangeTest ? "range test" : "warm-up"]
    : ["trial", `${Math.min(trials.length + 1, start!.trials)} of ${start!.trials}`];
  return [
    where,
    ...(step && !end
      ? [
        ["epoch", `${step.epoch + 1} of ${Math.ceil(start!.epochs)}`],
        ["rate", formatRate(step.learningRate)],
        ["loss", formatLoss(state.loss)],
        ["speed", `${step.imagesPerSecond.toFixed(1)} img/s`],
      ] as [string, string][]
      : []),
    ...(start!.mode === "fast_ai" ? [] : [
      [
        "best so far",
        best ? `${formatRate(best.learningRate)} (top-1 ${percent(best.values.at(-1)!)})` : "none yet",
      ] as [string, string],
    ]),
    end
      ? [
        "state",
        `${end.stopped === "completed" ? "Done" : "Interrupted"} after ${formatDuration(end.elapsedSeconds)}`,
      ]
      : ["left", `at most ${formatDuration(step?.remainingSeconds ?? start!.estimatedSeconds)}`],
    ...(end ? [["learning rate", ending(end)] as [string, string]] : []),
  ];
}

function statusBundle(state: ViewState): MimeBundle {
  const { start, warnings, end } = state;
  const list = facts(state);
  const text = [
    start!.message,
    list.map(([name, value]) => `${name} ${value}`).join(", "),
    ...warnings.map((warning) => `warning: ${warning}`),
  ].join("\n");
  const markup =
    html`<div style="font-family:system-ui,sans-serif;font-size:13px;max-width:840px;margin:4px 0 0 20px">
<div><b style="font-size:15px">${start!.model}</b>
<span style="opacity:.65"> ${start!.message}</span></div>
<div style="height:8px;border-radius:4px;background:rgba(128,140,150,.25);margin:8px 0">
<div style="height:8px;border-radius:4px;background:${end ? "#009E73" : "#0072B2"};width:${
      (100 * progress(state)).toFixed(1)
    }%"></div></div>
<div style="display:flex;flex-wrap:wrap;gap:4px 24px">${
      list.map(([name, value]) =>
        html`<span><span style="opacity:.65">${name}</span> <b style="font-variant-numeric:tabular-nums">${value}</b></span>`
      )
    }</div>${
      warnings.map((warning) =>
        html`
          <div
            style="margin-top:6px;padding:4px 10px;border-left:3px solid #D55E00;white-space:pre-wrap">${warning}</div>
        `
      )
    }</div>`;
  return { "text/html": markup.markup, "text/plain": text };
}
