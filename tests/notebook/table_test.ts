import assert from "node:assert/strict";
import { type Table, tableHtml, tableText } from "../../lib/notebook/table.ts";

const table: Table = {
  columns: [{ name: "class" }, { name: "pictures", align: "right" }],
  rows: [["<cat>", 9], ["Übergröße", 1234]],
};

Deno.test("tableText() aligns columns by characters, not bytes", () => {
  assert.equal(tableText(table), "class      pictures\n<cat>             9\nÜbergröße      1234");
});

Deno.test("tableText() of a table without rows is its head", () => {
  assert.equal(tableText({ ...table, rows: [] }), "class  pictures");
});

Deno.test("tableHtml() escapes cells and puts numbers on the right", () => {
  const { markup } = tableHtml(table);
  assert.match(
    markup,
    /<td style="text-align:left[^"]*">&lt;cat&gt;<\/td><td style="text-align:right[^"]*">9<\/td>/,
  );
});
