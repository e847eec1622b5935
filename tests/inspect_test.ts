import assert from "node:assert/strict";
import { inspect } from "../lib/inspect.ts";
import { encoded } from "./data/_pictures.ts";

const pictures = await Promise.all(Array.from({ length: 8 }, (_, seed) => encoded("png", 40, 32, seed)));
const data = {
  name: "<pets>",
  classNames: ["cat & co", 'a "dog"\n<script>'],
  samples: [...pictures, pictures[0], new Uint8Array(0)].map((image, i) => ({
    image,
    label: i % 2,
    name: `<${i}>\n.png`,
  })),
};

Deno.test("inspect() prints as text", async () => {
  assert.equal(
    Deno.inspect(await inspect(data)),
    `<pets>: 10 pictures; 2 classes; all 40 x 32 pixels; 1 problem, 2 notes

class              pictures
cat & co                  5
a "dog"\\n<script>         5

✗ 1 picture of 10 cannot be read
    <9>\\n.png: file is empty
    help: remove them, or pass { onUnreadable: "skip" }
· 1 picture more than once in the same set
    <0>\\n.png: the same file as <8>\\n.png
    help: remove the copies if they are not meant to count more
· 2 classes with fewer than 10 pictures to train on
    cat & co: 5 pictures
    a "dog"\\n<script>: 5 pictures
    help: add pictures: a few dozen a class go a long way`,
  );
});

Deno.test("inspect() shows tables with thumbnails, and names as text", async () => {
  const report = await inspect(data);
  const display = (report as unknown as Record<symbol, () => Promise<Record<string, string>>>)[
    Symbol.for("Jupyter.display")
  ];
  const bundle = await display.call(report);
  assert.equal(bundle["text/plain"], Deno.inspect(report));
  const page = bundle["text/html"];
  assert(!page.includes("<script>") && !page.includes("<pets>"));
  assert(page.includes("a &quot;dog&quot;\\n&lt;script&gt;"));
  const thumbnails = page.match(/<img src="data:image\/jpeg;base64,[^"]+"/g) ?? [];
  assert.equal(thumbnails.length, 2 + 3 + 2); // the picture that is there twice, and examples, one of which cannot be read
});

Deno.test("inspect() has a figure of the classes and stays plain data", async () => {
  const report = await inspect(data);
  assert.equal(report.figures.classCounts.data.length, 1);
  assert.deepEqual(Object.keys(report), ["name", "classNames", "sets", "findings"]);
});
