import { onOneLine } from "../data/dataset_error.ts";
import { formatDuration, formatLoss, formatRate } from "../training/readers/format.ts";
import { drawBar, openTerminalLine, type TerminalBarOptions } from "../training/readers/terminal_line.ts";
import { describeTrial } from "./describe_trial.ts";
import type { LRSearchEvent, SearchEndEvent, SearchStartEvent, SearchStepEvent } from "./events.ts";
import type { SearchReader } from "./reader.ts";

/**
 * The progress of a search in a terminal: first what it will cost, then one line a trial that stays, and while a trial
 * runs one line with bar, loss, speed and time left.
 *
 * @param options Where to write; the defaults suit a command line.
 * @returns A reader of events.
 *
 * @example The last line of an imagined search
 * ```ts
 * import assert from "node:assert/strict";
 * let text = "";
 * const bar = searchBar({ interactive: false, write: (part) => text += part });
 * const end = { stopped: "completed", verdict: "clear", rule: "the best", reason: "It is the best of 15 trials." } as const;
 * bar({ type: "search-end", ...end, suggestion: 0.013, elapsedSeconds: 75 });
 * bar.close();
 * assert.equal(text, "learning rate 0.013, found in 1:15 (clear). It is the best of 15 trials.\n");
 * ```
 */
export function searchBar(options: TerminalBarOptions = {}): SearchReader {
  const { keep, draw, close } = openTerminalLine(options);
  let start: SearchStartEvent | undefined;
  const read = (event: LRSearchEvent) => {
    switch (event.type) {
      case "search-start": {
        start = event;
        const { model, device, trainSize, validationSize, batchSize } = event;
        keep(
          `${model} on ${device}: ${trainSize} training and ${validationSize} validation pictures, batch ${batchSize}`,
        );
        keep(event.message);
        break;
      }
      case "search-step":
        draw((width) => stepLine(event, start, width), event.step === event.stepsPerEpoch - 1);
        break;
      case "search-trial": {
        const { trial, best, remainingSeconds } = event;
        const total = start?.trials ?? 0, digits = String(total).length;
        const isBest = best?.number === trial.number;
        keep(
          `trial ${String(trial.number + 1).padStart(digits)}/${total}  ` +
            `rate ${formatRate(trial.learningRate).padEnd(8)}  ${describeTrial(trial)}, ` +
            `left ${formatDuration(remainingSeconds)}${isBest ? "  * best" : ""}`,
        );
        break;
      }
      case "warning":
        keep(`warning: ${onOneLine(event.message)}`);
        break;
      case "search-end":
        keep(endLine(event));
    }
  };
  return Object.assign(read, { close });
}

function endLine({ suggestion, verdict, reason, stopped, elapsedSeconds }: SearchEndEvent): string {
  const took = formatDuration(elapsedSeconds);
  const found = stopped === "completed" ? `found in ${took}` : `as far as is known after ${took}`;
  return suggestion === undefined
    ? `no learning rate is suggested after ${took} (${verdict}). ${onOneLine(reason)}`
    : `learning rate ${formatRate(suggestion)}, ${found} (${verdict}). ${onOneLine(reason)}`;
}

/** E.g. `trial  3/15 epoch 2/6 ━━━━━────── 12/20  loss 1.234  46.1 img/s  left 12:05`. */
function stepLine(event: SearchStepEvent, start: SearchStartEvent | undefined, width: number): string {
  const { trial, epoch, step, stepsPerEpoch, loss, learningRate, isRangeTest } = event;
  const epochs = Math.ceil(start?.epochs ?? epoch + 1);
  const where = start?.mode === "fast_ai"
    ? isRangeTest ? "range test" : "warm-up"
    : `trial ${String(trial + 1).padStart(String(start?.trials ?? 1).length)}/${start?.trials ?? "?"}`;
  const head = `${where} epoch ${epoch + 1}/${epochs} `;
  const tail = [
    ` ${step + 1}/${stepsPerEpoch}`,
    `rate ${formatRate(learningRate)}`,
    `loss ${formatLoss(loss)}`,
    `${event.imagesPerSecond.toFixed(event.imagesPerSecond < 100 ? 1 : 0)} img/s`,
    `left ${formatDuration(event.remainingSeconds)}`,
  ].join("  ");
  const room = Math.min(24, width - head.length - tail.length);
  return (room >= 5 ? head + drawBar((step + 1) / stepsPerEpoch, room) + tail : head + tail.trimStart())
    .slice(0, width);
}
