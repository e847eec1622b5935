/** Where a terminal bar writes and how it draws. */
export interface TerminalBarOptions {
  /**
   * Takes the text.
   *
   * @default {writes to standard error, so that standard output stays clean for results}
   */
  write?: (text: string) => void;
  /**
   * Whether one line is redrawn in place; otherwise each epoch is one line and nothing else.
   *
   * @default {whether standard error is a terminal}
   */
  interactive?: boolean;
  /** Columns of the terminal. @default {those of the terminal, else 80} */
  columns?: () => number;
  /** The clock, in milliseconds. @default {performance.now} */
  now?: () => number;
}

/** How often the line is redrawn at most, in milliseconds. */
const redrawInterval = 100;

/** Lines that stay in a terminal, and one below them that is redrawn. */
export interface TerminalLine {
  /** Writes a line that stays. */
  keep(line: string): void;
  /**
   * Draws the line that does not stay, at most ten times a second; on what is no terminal nothing.
   *
   * @param make Makes the line, of at most so many characters.
   * @param isLast Whether it must be drawn, because none comes after it for a while.
   */
  draw(make: (width: number) => string, isLast: boolean): void;
  /** Removes the line that does not stay. */
  close(): void;
}

/**
 * Opens a line in a terminal for progress.
 *
 * @param options Where to write.
 * @returns The line.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * let text = "";
 * const line = openTerminalLine({ interactive: false, write: (part) => text += part });
 * line.draw(() => "half", false);
 * line.keep("done");
 * assert.equal(text, "done\n");
 * ```
 */
export function openTerminalLine(options: TerminalBarOptions = {}): TerminalLine {
  const write = options.write ??
    ((text: string) => void Deno.stderr.writeSync(new TextEncoder().encode(text)));
  const interactive = options.interactive ?? Deno.stderr.isTerminal();
  const { columns = terminalColumns, now = () => performance.now() } = options;
  let lastDrawn = -Infinity, isOpen = false;
  const close = () => {
    if (isOpen) write("\r\x1b[2K");
    isOpen = false;
  };
  return {
    keep(line) {
      close();
      write(line + "\n");
    },
    draw(make, isLast) {
      if (!interactive || (now() - lastDrawn < redrawInterval && !isLast)) return;
      lastDrawn = now();
      write("\r" + make(columns() - 1) + "\x1b[K");
      isOpen = true;
    },
    close,
  };
}

/**
 * A bar of heavy and light lines; half a cell is drawn too.
 *
 * @param share How much of it is heavy, 0..1.
 * @param width Its length in characters.
 * @returns The bar.
 */
export function drawBar(share: number, width: number): string {
  const halves = Math.round(Math.min(1, share) * width * 2);
  const full = Math.floor(halves / 2);
  const half = halves % 2 === 1 ? "╸" : "";
  return "━".repeat(full) + half + "─".repeat(width - full - half.length);
}

function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns || 80; // 0: a terminal that was never told its size
  } catch { // standard output is not a terminal, though standard error is
    return 80;
  }
}
