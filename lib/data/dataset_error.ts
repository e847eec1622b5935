/** One thing that is wrong with one part of a data set. */
export interface DatasetProblem {
  /** What is wrong with, e.g. a file's path. */
  readonly name: string;
  /** What is wrong, e.g. `file is cut off`. */
  readonly reason: string;
}

/**
 * A data set, or a picture of it, cannot be used as it is: a missing folder, no classes, an unreadable picture.
 * The message names every problem of the kind (the first few in full) and what to do.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { DatasetError } from "./dataset_error.ts";
 * const error = new DatasetError("Cannot read class folder \"cat\": 1 of 2 files is not a readable image", {
 *   problems: [{ name: "cat/1.jpg", reason: "file is cut off" }],
 *   help: "remove it",
 * });
 * assert(error.message.endsWith("\n  cat/1.jpg: file is cut off\n  help: remove it"));
 * ```
 */
export class DatasetError extends Error {
  /** Always `DatasetError`. */
  override readonly name = "DatasetError";
  /** Every problem found, also those that the message only counts. */
  readonly problems: readonly DatasetProblem[];

  /**
   * Puts the message together.
   *
   * @param summary The first line: the action, the cause, what was found and what was wanted.
   * @param details What is wrong with what (the first few are listed under the summary, none with `listed: 0`, for a
   *   summary that says it all), and what to write instead.
   */
  constructor(
    summary: string,
    details: { problems?: readonly DatasetProblem[]; help?: string; listed?: number } = {},
  ) {
    const { problems = [], help, listed = 5 } = details;
    const shown = problems.length === listed + 1 && listed > 0 ? problems : problems.slice(0, listed);
    const lines = shown.map(({ name, reason }) => `  ${onOneLine(name)}: ${reason}`);
    if (listed > 0 && shown.length < problems.length) {
      lines.push(`  (and ${problems.length - shown.length} more)`);
    }
    if (help) lines.push(`  help: ${help}`);
    super([summary, ...lines].join("\n"));
    this.problems = problems;
  }
}

/**
 * A name as a message shows it: control characters (a line break in a file name) are escaped, the rest stays.
 *
 * @param name Any text, e.g. a path.
 * @returns The same text on one line.
 */
export function onOneLine(name: string): string {
  // deno-lint-ignore no-control-regex
  return name.replace(/[\x00-\x1f\x7f-\x9f]/g, (char) => {
    if (char === "\n") return "\\n";
    if (char === "\t") return "\\t";
    return char === "\r" ? "\\r" : `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/**
 * Names for a message: quoted, on one line, not too many.
 *
 * @param names Any names.
 * @param most How many are written out.
 * @returns For example `"cat", "dog" and 3 more`.
 */
export function listNames(names: readonly string[], most = 8): string {
  const shown = names.slice(0, most).map((name) => `"${onOneLine(name)}"`).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
