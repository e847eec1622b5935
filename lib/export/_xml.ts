/** Values of attributes; those that are `undefined` are left out. */
export type XMLAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An element and what is in it. */
export interface XMLElement {
  readonly tag: string;
  readonly attributes?: XMLAttributes;
  readonly children?: readonly XMLElement[];
  /** Text in place of children; written on the element's line. */
  readonly text?: string;
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/**
 * Writes an XML document, an element a line, indented with tabs.
 *
 * @param root Its element.
 * @returns The text; the same for the same elements.
 */
export function writeXML(root: XMLElement): string {
  const lines = ['<?xml version="1.0"?>'];
  addLines(root, "", lines);
  return lines.join("\n") + "\n";
}

function addLines(
  { tag, attributes = {}, children = [], text }: XMLElement,
  indent: string,
  lines: string[],
) {
  const opening = `${indent}<${tag}` +
    Object.entries(attributes)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => ` ${name}="${escapeXML(String(value))}"`)
      .join("");
  if (text !== undefined) lines.push(`${opening}>${escapeXML(text)}</${tag}>`);
  else if (children.length === 0) lines.push(`${opening} />`);
  else {
    lines.push(`${opening}>`);
    for (const child of children) addLines(child, `${indent}\t`, lines);
    lines.push(`${indent}</${tag}>`);
  }
}

/** Characters with a meaning as entities; those that XML cannot hold, escaped or not, as the sign for such. */
function escapeXML(text: string): string {
  return text.toWellFormed()
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replace(/[&<>"\t\n\r]/g, (character) => entities[character]!);
}
