import type { EpochRecord, FeaturesEvent, StartEvent, StepEvent, TrainingEvent } from "../training/events.ts";
import type { Figure } from "../plots/figure.ts";
import { type StepLoss, trainingCurves } from "../plots/training_curves.ts";
import { percent } from "../metrics/percent.ts";
import { formatDuration, formatLoss } from "../training/readers/format.ts";
import type { EventReader } from "../training/readers/reader.ts";
import { type DisplayFunction, liveOutput, type MimeBundle, notebookDisplay } from "./display.ts";
import { type Html, html } from "./html.ts";

/** The most step losses that are drawn; every second one is dropped when there are more. */
const maxSteps = 600;

/** What the view knows of the run so far. */
interface RunState {
  start?: StartEvent;
  step?: StepEvent;
  /** While features are computed. */
  features?: FeaturesEvent;
  loss: number;
  history: EpochRecord[];
  best?: EpochRecord;
  remainingSeconds: number;
  warnings: string[];
  ending?: string;
}

/**
 * Shows a run in a notebook while it goes: a progress bar with loss, speed and time left, and below it the curves of
 * loss and accuracy. Both update in place, at most five times a second.
 *
 * @param options `display`: the kernel's display function. `history`: epochs of an earlier part of the run.
 * @returns A reader of events; close it before the cell ends.
 * @throws {Error} If this is not a notebook.
 */
export function notebookView(
  options: { display?: DisplayFunction; history?: readonly EpochRecord[] } = {},
): EventReader {
  const display = options.display ?? notebookDisplay();
  if (!display) {
    throw new Error(
      "Cannot open the notebook view: this is not a notebook kernel\n  help: use terminalBar() in a terminal",
    );
  }
  const status = liveOutput(display);
  const curves = createCurves(display);
  const { history = [] } = options;
  const state: RunState = {
    loss: NaN,
    history: [...history],
    best: [...history].sort((a, b) => b.validationTop1 - a.validationTop1).at(0), // the first of equals
    remainingSeconds: NaN,
    warnings: [],
  };
  const steps = createStepLosses();

  const read = async (event: TrainingEvent) => {
    switch (event.type) {
      case "start":
        state.start = event;
        break;
      case "features":
        state.features = event.done < event.total ? event : undefined;
        break;
      case "step":
        state.loss = event.step === 0 || Number.isNaN(state.loss)
          ? event.loss
          : 0.9 * state.loss + 0.1 * event.loss;
        state.step = event;
        state.remainingSeconds = event.remainingSeconds;
        steps.add({ epochs: event.epoch + (event.step + 1) / event.stepsPerEpoch, loss: event.loss });
        break;
      case "epoch":
        state.history.push(event);
        state.remainingSeconds = event.remainingSeconds;
        if (event.best) state.best = event;
        break;
      case "warning":
        state.warnings.push(event.message);
        break;
      case "end":
        state.ending = {
          completed: "Done",
          "early-stopping": "Stopped early",
          interrupted: "Interrupted",
          "after-search": "Ended",
        }[event.stopped] +
          ` after ${formatDuration(event.elapsedSeconds)}`;
    }
    if (event.type === "checkpoint") return;
    status.show(() => statusBundle(state));
    if (event.type === "step" || event.type === "epoch" || event.type === "end") {
      curves.show(state, steps.list);
    }
    if (event.type === "end") await close();
  };
  const close = async () => {
    await status.flush();
    await curves.close();
  };
  return Object.assign(read, { close });
}

/** The curves of a run that goes on. */
interface Curves {
  show(state: RunState, steps: readonly StepLoss[]): void;
  /** Sends the last state, with a picture of it. */
  close(): Promise<void>;
}

/**
 * Curves are an SVG while they grow, and a figure of plotly in the end: JupyterLab's extension for plotly does not draw
 * a figure again once the mouse was over it. An SVG costs a quarter of a second of a busy core, which all threads that
 * train wait for: at most one part in twenty of the time goes there.
 */
function createCurves(display: DisplayFunction): Curves {
  const output = liveOutput(display, { interval: 1000, effort: 0.05 });
  let last: (() => Figure) | undefined;
  return {
    show(state, steps) {
      if (steps.length < 2 && state.history.length === 0) return;
      const draw = () =>
        trainingCurves(state.history, { epochs: state.start?.epochs, steps, title: state.start?.model });
      last = draw;
      output.show(async () => ({ "text/html": await draw().svg(), "text/plain": "training curves" }));
    },
    async close() {
      const draw = last;
      last = undefined;
      if (draw) output.show(() => draw().mimeBundle());
      await output.flush();
    },
  };
}

/** Keeps the losses of all steps, thinned out evenly when there are too many to draw. */
function createStepLosses(): { list: readonly StepLoss[]; add(step: StepLoss): void } {
  let list: StepLoss[] = [];
  let stride = 1, seen = 0;
  return {
    get list() {
      return list;
    },
    add(step) {
      if (seen++ % stride !== 0) return;
      list.push(step);
      if (list.length <= maxSteps) return;
      list = list.filter((_, i) => i % 2 === 0);
      stride *= 2;
    },
  };
}

function statusBundle(state: RunState): MimeBundle {
  return { "text/html": statusHtml(state).markup, "text/plain": statusText(state) };
}

/** The facts below the bar, as label and value. */
function facts(state: RunState): [string, string][] {
  const { start, step, best, features } = state;
  const epoch = (step?.epoch ?? start?.epoch ?? 0) + 1;
  const frozen = epoch <= (start?.freezeEpochs ?? 0) ? " (frozen)" : "";
  return [
    ["epoch", `${epoch} of ${start?.epochs ?? "?"}${frozen}`],
    ...(features ? [["features", `${features.done} of ${features.total}`]] as [string, string][] : []),
    ...(step && !state.ending
      ? [["step", `${step.step + 1} of ${step.stepsPerEpoch}`]] as [string, string][]
      : []),
    ["loss", step ? formatLoss(state.loss) : "?"],
    ["best top-1", best ? `${percent(best.validationTop1)} (epoch ${best.epoch + 1})` : "none yet"],
    ["speed", step ? `${step.imagesPerSecond.toFixed(1)} img/s` : "?"],
    state.ending ? ["state", state.ending] : ["left", formatDuration(state.remainingSeconds)],
  ];
}

/** The share of all steps that are done, 0..1. */
function progress({ start, step, ending }: RunState): number {
  if (ending?.startsWith("Done")) return 1;
  if (!start || !step) return 0;
  return (step.epoch + (step.step + 1) / step.stepsPerEpoch) / start.epochs;
}

function statusText(state: RunState): string {
  const line = `${state.start?.model ?? "run"}: ${
    facts(state).map(([name, value]) => `${name} ${value}`).join(", ")
  }`;
  return [line, ...state.warnings.map((warning) => `warning: ${warning}`)].join("\n");
}

function statusHtml(state: RunState): Html {
  const { start } = state;
  const color = state.ending ? "#009E73" : "#0072B2";
  const percent = (100 * progress(state)).toFixed(1);
  return html`<div style="font-family:system-ui,sans-serif;font-size:13px;max-width:840px;margin:4px 0 0 20px">
<div><b style="font-size:15px">${start?.model ?? "Run"}</b>
<span style="opacity:.65"> ${
    start &&
    `${start.trainSize} training, ${start.validationSize} validation pictures, ${start.classNames.length} classes, ` +
      `batch ${start.batchSize}, ${start.device}`
  }</span></div>
<div style="height:8px;border-radius:4px;background:rgba(128,140,150,.25);margin:8px 0">
<div style="height:8px;border-radius:4px;background:${color};width:${percent}%"></div></div>
<div style="display:flex;flex-wrap:wrap;gap:4px 24px">${
    facts(state).map(([name, value]) =>
      html`<span><span style="opacity:.65">${name}</span> <b style="font-variant-numeric:tabular-nums">${value}</b></span>`
    )
  }</div>${
    state.warnings.map((warning) =>
      html`
        <div
          style="margin-top:6px;padding:4px 10px;border-left:3px solid #D55E00;white-space:pre-wrap">${warning}</div>
      `
    )
  }</div>`;
}
