import type { QuantizationEvent } from "../quantization/events.ts";
import { percent } from "../metrics/percent.ts";
import { plural } from "../plots/theme.ts";
import { openTerminalLine, type TerminalBarOptions } from "../training/readers/terminal_line.ts";
import { type DisplayFunction, liveOutput, type MimeBundle, notebookDisplay } from "./display.ts";
import { html } from "./html.ts";

/** Shows how a quantisation goes. */
export interface QuantizationProgress {
  /** Shows an event. */
  read(event: QuantizationEvent): Promise<void>;
  /** Waits until everything is shown; the line that changes is removed, where tries stay. */
  close(): Promise<void>;
}

/** Where progress is shown; by default where the program runs. */
export interface QuantizationPlace {
  /** Displays outputs of a notebook. @default {that of the kernel, if there is one} */
  readonly display?: DisplayFunction;
  /** A terminal. @default {standard error, if it is one} */
  readonly terminal?: TerminalBarOptions;
}

/**
 * Shows how a quantisation goes: one line that changes, and above it one for each measured try, which stays.
 *
 * @param isShown Whether it is shown at all.
 * @param place Where.
 * @returns A reader of events.
 */
export function quantizationProgress(isShown: boolean, place: QuantizationPlace = {}): QuantizationProgress {
  const nothing = { read: () => Promise.resolve(), close: () => Promise.resolve() };
  if (!isShown) return nothing;
  const display = place.display ?? notebookDisplay();
  if (display) {
    const output = liveOutput(display), tries: string[] = [];
    const show = (...lines: string[]) => output.show(() => linesOutput(lines));
    return {
      read(event) {
        const line = describeQuantization(event);
        if (event.type === "accuracy") tries.push(line);
        show(...tries, ...(event.type === "accuracy" ? [] : [line]));
        return Promise.resolve();
      },
      close() {
        if (tries.length > 0) show(...tries);
        return output.flush();
      },
    };
  }
  if (place.terminal === undefined && !Deno.stderr.isTerminal()) return nothing;
  const line = openTerminalLine(place.terminal);
  return {
    read(event) {
      const isLast = event.type === "quantization" && event.done >= event.total;
      if (event.type === "accuracy") line.keep(describeQuantization(event));
      else line.draw(() => describeQuantization(event), isLast);
      return Promise.resolve();
    },
    close: () => Promise.resolve(line.close()),
  };
}

function linesOutput(lines: readonly string[]): MimeBundle {
  return {
    "text/html":
      html`<div style="font-family:system-ui,sans-serif;font-size:13px">${
        lines.map((line) => html`<div>${line}</div>`)
      }</div>`.markup,
    "text/plain": lines.join("\n"),
  };
}

const steps = {
  calibration: "looking at values between layers",
  statistics: "trying ranges, giving layers their means back",
  layers: "comparing layers with float",
};

/** An event as a line of text. */
export function describeQuantization(event: QuantizationEvent): string {
  if (event.type === "quantization") {
    return `${steps[event.step]}: ${percent(Math.min(1, event.done / event.total), 0)}`;
  }
  const { floatLayers, drop } = event;
  const what = floatLayers.length === 0
    ? "all layers in int8"
    : `${plural(floatLayers.length, "layer")} in float, ${floatLayers.at(-1)} the last`;
  return `${what}: top-1 ${percent(drop.int8)}, in float ${percent(drop.float)}, on ${
    plural(drop.pictures, "picture")
  }`;
}
