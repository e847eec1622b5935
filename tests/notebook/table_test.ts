import assert from "node:assert/strict";
import { type Table, tableHtml, tableText } from "../../lib/notebook/table.ts";

const table: Table = {
  columns: [{ name: "class" }, { name: "pictures", align: "right" }],
  rows: [["<cat>", 9], ["Übergröße", 1234]],
};

Deno.test("tableText() aligns columns by characters, not bytes", () => {
  assert.equal(tableText(table), "class      pictures\n<cat>             9\nÜbergröße      1234");
});

Deno.test("tableText() keeps each row on its line and sends no control characters to the terminal", () => {
  assert.equal(
    tableText({ columns: [{ name: "class" }], rows: [["a\nb"], ["\x1b[31mred\x9b"]] }),
    "class\na\\nb\n\\x1b[31mred\\x9b",
  );
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
