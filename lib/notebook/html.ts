/** HTML that is known to be markup; anything else is escaped when it is put into a page. */
export class Html {
  /** @param markup The markup itself. */
  constructor(readonly markup: string) {}

  /** The markup. */
  toString(): string {
    return this.markup;
  }
}

/** What may stand between the braces of {@linkcode html}: lists are joined, nothing is drawn for false and undefined. */
export type HtmlValue = Html | string | number | false | undefined | readonly HtmlValue[];

/**
 * Template tag for HTML: every value is escaped, for text as for quoted attributes, unless it is `Html` itself. Names
 * of files and classes come from users, so nothing reaches a page on another way.
 *
 * @param strings The literal parts.
 * @param values The values between them.
 * @returns The markup.
 *
 * @example A user's text stays text
 * ```ts
 * import assert from "node:assert/strict";
 * assert.equal(html`<b>${"a < b"}</b>`.markup, "<b>a &lt; b</b>");
 * ```
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.map((text, i) => text + (i < values.length ? toMarkup(values[i]) : "")).join(""));
}

/**
 * Markup that was made by other means, e.g. a figure's.
 *
 * @param markup Markup that is safe as it is.
 * @returns The same, marked as markup.
 */
export function rawHtml(markup: string): Html {
  return new Html(markup);
}

function toMarkup(value: HtmlValue): string {
  if (value === undefined || value === false) return "";
  if (value instanceof Html) return value.markup;
  if (Array.isArray(value)) return value.map(toMarkup).join("");
  return escapeHtml(String(value));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes a text for HTML text and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character]);
}
