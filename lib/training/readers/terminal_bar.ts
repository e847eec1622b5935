import { onOneLine } from "../../data/dataset_error.ts";
import type { EpochEvent, FeaturesEvent, StartEvent, StepEvent, TrainingEvent } from "../events.ts";
import { percent } from "../../metrics/percent.ts";
import { formatDuration, formatLoss } from "./format.ts";
import type { EventReader } from "./reader.ts";
import { drawBar, openTerminalLine, type TerminalBarOptions } from "./terminal_line.ts";

/**
 * A progress bar for terminals: while an epoch runs one line with bar, loss, speed and time left; after each epoch one
 * line that stays. Where the output is not a terminal (a log file) only the lines that stay are written.
 *
 * @param options Where to write; the defaults suit a command line.
 * @returns A reader of events.
 *
 * @example Two lines of an imagined run
 * ```ts
 * import assert from "node:assert/strict";
 * let text = "";
 * const bar = terminalBar({ interactive: false, write: (part) => text += part });
 * bar({ type: "warning", message: "class sizes differ 12-fold" });
 * bar({ type: "end", stopped: "completed", bestEpoch: 3, bestTop1: 0.91, elapsedSeconds: 75 });
 * bar.close();
 * assert.equal(text, "warning: class sizes differ 12-fold\ndone in 1:15, best epoch 4: top-1 91.0 %\n");
 * ```
 */
export function terminalBar(options: TerminalBarOptions = {}): EventReader {
  const { keep, draw, close } = openTerminalLine(options);
  let epochs = 0;
  let smoothedLoss = NaN;

  const read = (event: TrainingEvent) => {
    switch (event.type) {
      case "start":
        epochs = event.epochs;
        keep(describeStart(event));
        break;
      case "features":
        draw((width) => featuresLine(event, width), event.done === event.total);
        break;
      case "step": {
        smoothedLoss = event.step === 0 || Number.isNaN(smoothedLoss)
          ? event.loss
          : 0.9 * smoothedLoss + 0.1 * event.loss;
        const isLast = event.step === event.stepsPerEpoch - 1;
        draw((width) => stepLine(event, epochs, smoothedLoss, width), isLast);
        break;
      }
      case "epoch":
        keep(epochLine(event));
        break;
      case "checkpoint":
        break; // the epoch's line marks a new best; a line for each file would be noise
      case "warning":
        keep(`warning: ${onOneLine(event.message)}`);
        break;
      case "end": {
        const how = {
          completed: "done",
          "early-stopping": "stopped early",
          interrupted: "interrupted",
          "after-search": "ended",
        };
        const best = event.bestEpoch < 0
          ? "no epoch was finished"
          : `best epoch ${event.bestEpoch + 1}: top-1 ${percent(event.bestTop1)}`;
        keep(
          `${how[event.stopped]} ${event.stopped === "interrupted" ? "after" : "in"} ` +
            `${formatDuration(event.elapsedSeconds)}, ${best}`,
        );
      }
    }
  };
  return Object.assign(read, { close });
}

function describeStart(event: StartEvent): string {
  const { model, device, trainSize, validationSize, classNames, batchSize, epochs, epoch, step } = event;
  const { freezeEpochs = 0 } = event;
  const frozen = freezeEpochs === 0
    ? ""
    : `, the first ${freezeEpochs === 1 ? "" : `${freezeEpochs} `}frozen`;
  const resumed = epoch >= epochs
    ? ", all done before"
    : epoch > 0 || step > 0
    ? `, resumed at epoch ${epoch + 1} step ${step + 1}`
    : "";
  return `${model} on ${device}: ${trainSize} training and ${validationSize} validation pictures, ` +
    `${classNames.length} classes, batch ${batchSize}, ${epochs} ${
      epochs === 1 ? "epoch" : "epochs"
    }${frozen}${resumed}`;
}

/** E.g. `epoch  3/30 ━━━━━━━━━━────────── 41/80  loss 1.234  46.1 img/s  left 12:05`, as wide as the terminal lets it. */
function stepLine(event: StepEvent, epochs: number, loss: number, width: number): string {
  const done = event.step + 1;
  const head = `epoch ${String(event.epoch + 1).padStart(String(epochs).length)}/${epochs} `;
  const parts = [
    ` ${String(done).padStart(String(event.stepsPerEpoch).length)}/${event.stepsPerEpoch}`,
    `loss ${formatLoss(loss)}`,
    `${event.imagesPerSecond.toFixed(event.imagesPerSecond < 100 ? 1 : 0)} img/s`,
    `left ${formatDuration(event.remainingSeconds)}`,
  ];
  return barLine(head, done / event.stepsPerEpoch, parts, width);
}

/** E.g. `features ━━━━━━━━━━────────── 320/800  left 0:12`. */
function featuresLine({ done, total, remainingSeconds }: FeaturesEvent, width: number): string {
  const parts = [
    ` ${String(done).padStart(String(total).length)}/${total}`,
    `left ${formatDuration(remainingSeconds)}`,
  ];
  return barLine("features ", done / total, parts, width);
}

/** A bar between its name and what is to tell of it; without the bar where there is no room. */
function barLine(head: string, share: number, parts: readonly string[], width: number): string {
  const tail = parts.join("  ");
  const barWidth = Math.min(30, width - head.length - tail.length);
  return (barWidth >= 5 ? head + drawBar(share, barWidth) + tail : head + tail.trimStart()).slice(0, width);
}

function epochLine(event: EpochEvent): string {
  const digits = String(event.epochs).length;
  return [
    `epoch ${String(event.epoch + 1).padStart(digits)}/${event.epochs}`,
    `train loss ${formatLoss(event.trainLoss)} top-1 ${percent(event.trainTop1).padStart(7)}`,
    `validation loss ${formatLoss(event.validationLoss)} top-1 ${percent(event.validationTop1).padStart(7)}`,
    `${formatDuration(event.durationSeconds)}, left ${formatDuration(event.remainingSeconds)}` +
    (event.phase === "frozen" ? "  frozen" : "") + (event.best ? "  * best" : ""),
  ].join("  ");
}
