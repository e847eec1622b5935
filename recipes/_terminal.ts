export { percent } from "../lib/metrics/percent.ts";

/** Escape codes where the output is a terminal, nothing elsewhere. */
const isTerminal = Deno.stdout.isTerminal() && !Deno.noColor;
const style = (code: number) => (text: string) => isTerminal ? `\x1b[${code}m${text}\x1b[0m` : text;

/** Bold text. */
export const bold = style(1);
/** Grey text. */
export const dim = style(90);
/** Green text. */
export const green = style(32);

/** The head of a chapter: a blank line and a ruled title. */
export function chapter(title: string, columns = 78): void {
  console.log(`\n${bold(title)} ${dim("─".repeat(Math.max(0, columns - title.length - 1)))}`);
}

/** A share 0..1 as a horizontal bar of `width` characters, drawn in eighths. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  return ("█".repeat(Math.floor(eighths / 8)) + ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]).padEnd(
    width,
  );
}

/** Counts work on one line that is redrawn in place; without a terminal it says nothing. */
export function counter(what: string): (done: number, total: number) => void {
  return (done, total) => {
    if (!isTerminal || (done % 16 !== 0 && done !== total)) return;
    const end = done === total ? "\r\x1b[2K" : "";
    Deno.stdout.writeSync(
      new TextEncoder().encode(`\r${what} ${bar(done / total, 24)} ${done}/${total}${end}`),
    );
  };
}
