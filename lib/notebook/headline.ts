import { type Html, html } from "./html.ts";

/** A number that a reader looks for first. */
export interface HeadlineNumber {
  readonly name: string;
  readonly value: string;
  /** What it means or how sure it is. */
  readonly note?: string;
}

/**
 * Large numbers side by side.
 *
 * @param numbers The numbers, the most important first.
 * @returns The markup.
 */
export function headlineHtml(numbers: readonly HeadlineNumber[]): Html {
  const grid = "display:grid;grid-template-columns:repeat(auto-fill,minmax(178px,1fr));gap:12px 20px;" +
    "max-width:980px;margin:10px 0 14px;font-family:system-ui,sans-serif";
  return html`<div style="${grid}">${
    numbers.map(({ name, value, note }) =>
      html`
        <div>
          <div style="font-size:12px;opacity:.65">${name}</div>
          <div
            style="font-size:24px;font-weight:600;font-variant-numeric:tabular-nums;line-height:1.25;white-space:nowrap">${value}</div>
          <div style="font-size:11px;opacity:.65">${note}</div>
        </div>
      `
    )
  }</div>`;
}
