/**
 * Puts a text between marks, `<!-- <section>: begin -->` and `<!-- <section>: end -->`.
 *
 * @param document The Markdown.
 * @param section What the marks are called.
 * @param text What is to be between them.
 * @returns The new document.
 * @throws {RangeError} If the marks are not there.
 */
export function replaceSection(document: string, section: string, text: string): string {
  const [begin, end] = [`<!-- ${section}: begin -->`, `<!-- ${section}: end -->`];
  const from = document.indexOf(begin), to = document.indexOf(end);
  if (from < 0 || to < from) {
    throw new RangeError(
      `Cannot write the section "${section}": the document has no marks for it\n` +
        `  help: add the lines ${begin} and ${end}`,
    );
  }
  return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`;
}
