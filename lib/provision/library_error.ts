/** What a {@linkcode LibraryError} says besides its first line. */
export interface LibraryErrorDetails {
  /** Facts, one a line, printed indented under the first line. */
  readonly details?: readonly string[];
  /** What to write or type to get on. */
  readonly help: string;
}

/**
 * A native library cannot be had: not found, not downloaded, not opened, or not the one that is wanted. The whole
 * story is in `message`, because a notebook shows nothing else.
 *
 * @example
 * ```ts
 * import { LibraryError } from "./library_error.ts";
 * const error = new LibraryError("Cannot open x.so: it is a text file", { help: "give a shared library" });
 * console.assert(error.message === "Cannot open x.so: it is a text file\n  help: give a shared library");
 * ```
 */
export class LibraryError extends Error {
  /** `LibraryError`. */
  override readonly name: string = "LibraryError";
  /** The last line of the message, without the word help. */
  readonly help: string;

  /**
   * Puts the message together.
   *
   * @param summary First line: what could not be done, a colon, and why.
   * @param options Further facts, and the help line.
   */
  constructor(summary: string, options: LibraryErrorDetails) {
    const lines = [summary, ...(options.details ?? []), `help: ${options.help}`];
    super(lines.join("\n").replaceAll("\n", "\n  "));
    this.help = options.help;
  }
}

/**
 * The message of anything that was thrown, on one line.
 *
 * @param thrown Whatever `catch` got.
 * @returns Its message, or itself as text.
 */
export function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.trim().replaceAll(/\s*\n\s*/g, " ");
}
