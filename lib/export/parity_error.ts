/**
 * An exported file computes something else than the trained model. The whole story is in `message`: by how much, and at
 * which operation it begins.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const error = new ParityError("Cannot export small: the file disagrees", {
 *   details: ["logits: differ by up to 2"],
 *   help: "report it",
 *   node: "conv_stem",
 * });
 * assert.equal(error.node, "conv_stem");
 * assert.match(error.message, /\n  logits: differ by up to 2\n  help: report it$/);
 * ```
 */
export class ParityError extends Error {
  /** `ParityError`. */
  override readonly name: string = "ParityError";
  /** Name in the file of the first value that differs; nothing if none could be found. */
  readonly node?: string;

  /**
   * Puts the message together.
   *
   * @param summary First line: what could not be done, a colon, and why.
   * @param options Further lines, the help, and where the difference begins.
   */
  constructor(
    summary: string,
    options: { readonly details: readonly string[]; readonly help: string; readonly node?: string },
  ) {
    super([summary, ...options.details, `help: ${options.help}`].join("\n").replaceAll("\n", "\n  "));
    if (options.node !== undefined) this.node = options.node;
  }
}
