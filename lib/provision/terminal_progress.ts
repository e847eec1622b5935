import { formatBytes } from "./cache.ts";
import type { ProvisionListener } from "./events.ts";

/** Where {@linkcode terminalProgress} writes. */
export interface TerminalProgressOptions {
  /**
   * Takes text with control characters.
   * @default {standard error}
   */
  readonly write?: (text: string) => void;
  /**
   * Whether lines may be redrawn. Where not (a log file), a line is written at the start of each phase and every
   * quarter of it.
   * @default {whether standard error is a terminal}
   */
  readonly redraw?: boolean;
  /**
   * Characters a line has; a longer one could not be redrawn.
   * @default {the width of the terminal}
   */
  readonly columns?: number;
}

const BAR_WIDTH = 24;
/** What stands right of the bar at most: `  72.9 MB of 274 MB  10 min 14 s left`. */
const AMOUNT_WIDTH = 38;

/**
 * A reader of provision events that draws a progress bar in a terminal.
 *
 * @param options Where to draw.
 * @returns A listener to pass as `onProgress`.
 *
 * @example
 * ```ts
 * import { terminalProgress } from "./terminal_progress.ts";
 * const listener = terminalProgress({ write: () => {}, redraw: false });
 * listener({ type: "download", what: "tensorflow-cpu 2.21.0", doneBytes: 137e6, totalBytes: 274e6 });
 * ```
 */
export function terminalProgress(options: TerminalProgressOptions = {}): ProvisionListener {
  const write = options.write ?? ((text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)));
  const redraw = options.redraw ?? Deno.stderr.isTerminal();
  const columns = options.columns ?? terminalColumns();
  let phase = "";
  let phaseStart = 0;
  let openLine = false;
  let quarter = -1;

  const endLine = () => {
    if (openLine) write("\n");
    openLine = false;
  };
  const line = (text: string) => {
    endLine();
    write(`${text}\n`);
  };
  const show = (text: string) => {
    write(`\r${text}\x1b[K`);
    openLine = true;
  };

  return (event) => {
    if (event.type === "warning") return line(`  ${event.message}`);
    if (event.type === "ready") return line(`Ready in ${formatSeconds(event.seconds)}: ${event.path}`);
    if (event.type === "wait") {
      const holder = event.processId === undefined ? "another process" : `process ${event.processId}`;
      const text = `Waiting for ${holder}, which fetches ${event.what}`;
      if (redraw) show(`${text}  ${formatSeconds(event.elapsedSeconds)}`);
      else if (phase !== text) line(text);
      phase = text;
      return;
    }
    const { doneBytes, totalBytes } = event;
    const name = `${event.type === "download" ? "Downloading" : "Unpacking"} ${event.what}`;
    if (phase !== name) {
      endLine();
      phase = name;
      phaseStart = performance.now();
      quarter = -1;
    }
    const share = totalBytes === 0 ? 1 : doneBytes / totalBytes;
    const amount = `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`;
    if (redraw) {
      const seconds = (performance.now() - phaseStart) / 1000;
      const left = share > 0.02 && share < 1
        ? `  ${formatSeconds((seconds * (1 - share)) / share)} left`
        : "";
      const width = Math.min(BAR_WIDTH, columns - name.length - AMOUNT_WIDTH);
      const filled = Math.round(width * share);
      const bar = width < 4 ? "" : `  ${"█".repeat(filled)}${"░".repeat(width - filled)}`;
      show(`${name}${bar}  ${amount}${left}`.slice(0, columns - 1));
      if (share >= 1) endLine();
    } else if (Math.floor(share * 4) > quarter) {
      quarter = Math.floor(share * 4);
      line(`${name}: ${amount}`);
    }
  };
}

function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 80;
  }
}

/** Seconds for people, e.g. `8 s` or `3 min 20 s`. */
function formatSeconds(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
