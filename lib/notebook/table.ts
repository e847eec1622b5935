import { onOneLine } from "../data/dataset_error.ts";
import { type Html, html, type HtmlValue } from "./html.ts";

/** A table as plain data, to be drawn as HTML or as text. */
export interface Table {
  readonly columns: readonly Column[];
  /** One list of cells a row, as many as there are columns. */
  readonly rows: readonly (readonly (string | number)[])[];
}

/** The head of a column. */
export interface Column {
  readonly name: string;
  /** Numbers stand on the right. @default {"left"} */
  readonly align?: "left" | "right";
}

/**
 * A table as HTML with the look of all tables of reports and notebooks.
 *
 * @param table Columns and rows.
 * @returns The markup; cells are escaped.
 */
export function tableHtml(table: Table): Html {
  // Notebooks give each output its own styles, so those of the cells stand in the cells.
  const cell = (tag: "td" | "th", value: HtmlValue, column: Column): Html => {
    const style = `text-align:${column.align ?? "left"};padding:3px 12px 3px 0;white-space:nowrap;` +
      (column.align === "right" ? "font-variant-numeric:tabular-nums;" : "") +
      (tag === "th" ? "font-weight:600;border-bottom:1px solid #c9d1d9" : "border-bottom:1px solid #eceff2");
    return tag === "th" ? html`<th style="${style}">${value}</th>` : html`<td style="${style}">${value}</td>`;
  };
  return html`
    <table style="border-collapse:collapse;font-size:13px;margin:4px 0">
      <thead>
        <tr>${table.columns.map((column) => cell("th", column.name, column))}</tr>
      </thead>
      <tbody>${table.rows.map((row) =>
        html`<tr>${row.map((value, i) => cell("td", value, table.columns[i]))}</tr>\n`
      )}</tbody>
    </table>
  `;
}

/**
 * A table as text for terminals; control characters in cells are escaped.
 *
 * @param table Columns and rows.
 * @returns Lines of equal columns, two spaces between them.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const table: Table = { columns: [{ name: "class" }, { name: "n", align: "right" }], rows: [["cat", 9], ["dog", 10]] };
 * assert.equal(tableText(table), "class   n\ncat     9\ndog    10");
 * ```
 */
export function tableText(table: Table): string {
  const lines = [
    table.columns.map((column) => column.name),
    ...table.rows.map((row) => row.map((cell) => onOneLine(String(cell)))),
  ];
  const widths = table.columns.map((_, i) => Math.max(...lines.map((line) => [...line[i]].length)));
  return lines.map((line) =>
    line.map((value, i) => {
      const space = " ".repeat(widths[i] - [...value].length);
      return table.columns[i].align === "right" ? space + value : value + space;
    }).join("  ").trimEnd()
  ).join("\n");
}
