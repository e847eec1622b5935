import { onOneLine } from "../data/dataset_error.ts";
import type { EpochRecord, StopReason } from "../training/events.ts";
import type { Figure } from "../plots/figure.ts";
import { percent } from "../metrics/percent.ts";
import { plural } from "../plots/theme.ts";
import { trainingCurves } from "../plots/training_curves.ts";
import { formatDuration, formatLoss } from "../training/readers/format.ts";
import { type Displayed, type MimeBundle, withLook } from "./display.ts";
import { drawSearch, searchAnswer, type SearchSummary } from "./find_lr_view.ts";
import { headlineHtml, type HeadlineNumber } from "./headline.ts";
import { type Table, tableHtml, tableText } from "./table.ts";
import { html } from "./html.ts";

/** What the views read of a result of `fineTune`. */
export interface RunSummary {
  /** The trained model. */
  readonly model: {
    readonly id: string;
    readonly classNames: readonly string[];
    readonly complexity?: { readonly gflops: number; readonly megaParams: number };
  };
  /** The best epoch, by validation top-1; undefined if no epoch was finished. */
  readonly best?: EpochRecord | undefined;
  /** One record an epoch. */
  readonly history: readonly EpochRecord[];
  /** Path of the saved weights. */
  readonly checkpoint?: string | undefined;
  /** Why the run ended. */
  readonly stopped: StopReason;
  /** The search for its learning rate, if there was one. */
  readonly lr?: SearchSummary;
  /** How long it took. */
  readonly durationSeconds?: number;
  /** Settings of the training, by name. */
  readonly recipe?: object;
  /** Decides everything random. */
  readonly seed?: number;
  /** Library, device and machine, by name. */
  readonly environment?: object;
}

/** The figures of a run. */
export interface RunFigures {
  /** Loss and accuracy by epoch. */
  readonly trainingCurves: Figure;
}

/**
 * Makes a result of `fineTune` show itself: in a notebook with its curves and numbers, in a terminal as text.
 *
 * @param run The result.
 * @returns The same object.
 */
export function withRunView<T extends RunSummary>(run: T): Displayed<T, RunFigures> {
  return withLook<T, RunFigures>(run, { figures: runFigures, outputs: runOutputs, text: runText });
}

/** Draws the figures of a run. */
export function runFigures(run: RunSummary): RunFigures {
  return {
    get trainingCurves() {
      return trainingCurves(run.history, { title: run.model.id });
    },
  };
}

/** How a run ended, in words. */
export function describeStop(stopped: StopReason): string {
  return {
    completed: "all epochs done",
    "early-stopping": "stopped early",
    interrupted: "interrupted",
    "after-search": "ended after the search for the learning rate",
  }[stopped];
}

/** The numbers of a run that a reader looks for first. */
export function runHeadline(run: RunSummary): HeadlineNumber[] {
  const { best, model } = run;
  return [
    {
      name: "best validation top-1",
      value: best ? percent(best.validationTop1) : "none",
      note: best ? `epoch ${best.epoch + 1} of ${run.history.length}` : "no epoch was finished",
    },
    ...(best
      ? [
        { name: "validation top-5", value: percent(best.validationTop5), note: "same epoch" },
        { name: "validation loss", value: formatLoss(best.validationLoss), note: "same epoch" },
      ]
      : []),
    ...(run.durationSeconds === undefined ? [] : [{
      name: "time",
      value: formatDuration(run.durationSeconds),
      note: describeStop(run.stopped),
    }]),
    ...(model.complexity
      ? [{
        name: "model",
        value: `${model.complexity.gflops.toFixed(3)} GFLOPs`,
        note: `${model.complexity.megaParams.toFixed(2)} million parameters`,
      }]
      : []),
  ];
}

/** The history as a table, a row an epoch. */
export function historyTable(history: readonly EpochRecord[]): Table {
  const names = [
    "epoch",
    "training loss",
    "training top-1",
    "validation loss",
    "validation top-1",
    "validation top-5",
  ];
  return {
    columns: [...names, "learning rate"].map((name) => ({ name, align: "right" as const })),
    rows: history.map((record) => [
      record.phase === "frozen" ? `${record.epoch + 1} frozen` : record.epoch + 1,
      formatLoss(record.trainLoss),
      percent(record.trainTop1),
      formatLoss(record.validationLoss),
      percent(record.validationTop1),
      percent(record.validationTop5),
      record.learningRate.toPrecision(3),
    ]),
  };
}

/** What a terminal shows of a run. */
export function runText(run: RunSummary): string {
  const { best } = run;
  return [
    `${run.model.id}, ${plural(run.model.classNames.length, "class")}: ${describeStop(run.stopped)}` +
    (run.durationSeconds === undefined ? "" : ` in ${formatDuration(run.durationSeconds)}`),
    best
      ? `best epoch ${best.epoch + 1} of ${run.history.length}: validation top-1 ${
        percent(best.validationTop1)
      }, loss ${formatLoss(best.validationLoss)}`
      : "no epoch was finished",
    ...(run.lr ? [`learning rate: ${searchAnswer(run.lr)}. ${onOneLine(run.lr.reason)}`] : []),
    ...(run.checkpoint ? [`checkpoint ${onOneLine(run.checkpoint)}`] : []),
    ...(run.history.length > 0 ? ["", tableText(historyTable(run.history))] : []),
  ].join("\n");
}

async function runOutputs(run: RunSummary): Promise<MimeBundle[]> {
  const details = html`<div style="font-family:system-ui,sans-serif;font-size:13px">${
    headlineHtml(runHeadline(run))
  }
<details><summary>Each epoch</summary>${tableHtml(historyTable(run.history))}</details>${
    run.checkpoint && html`<p>Saved as <code>${run.checkpoint}</code></p>`
  }</div>`;
  const { lr } = run;
  return [
    ...(lr && lr.trials.length + lr.points.length > 0 ? [await drawSearch(lr).mimeBundle()] : []),
    ...(run.history.length > 0 || !lr ? [await runFigures(run).trainingCurves.mimeBundle()] : []),
    { "text/html": details.markup, "text/plain": runText(run) },
  ];
}
