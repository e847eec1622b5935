import type { SetName } from "./options.ts";

/**
 * Puts a text between the marks of a set, `<!-- training <set>: begin -->` and `<!-- training <set>: end -->`.
 *
 * @param document The Markdown.
 * @param set Whose marks.
 * @param text What is to be between them.
 * @returns The new document.
 * @throws {RangeError} If the marks are not there.
 */
export function replaceSection(document: string, set: SetName, text: string): string {
  const [begin, end] = [`<!-- training ${set}: begin -->`, `<!-- training ${set}: end -->`];
  const from = document.indexOf(begin), to = document.indexOf(end);
  if (from < 0 || to < from) {
    throw new RangeError(
      `Cannot write the tables of set ${set}: the document has no marks for them\n` +
        `  help: add the lines ${begin} and ${end}`,
    );
  }
  return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`;
}
