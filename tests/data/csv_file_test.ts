import assert from "node:assert/strict";
import { join } from "node:path";
import { csvFile } from "../../lib/data/csv_file.ts";
import { failure, inFolder, png } from "./_pictures.ts";

Deno.test("csvFile() reads quoted fields, spaces, line breaks and other columns", async () => {
  await inFolder({
    "pets.csv":
      '\ufefflabel,size,image\r\n"cat, small",3,a b.png\r\ndog,4,"x ""1""\n.png"\r\n\r\ndog,5,a b.png\r\n',
    "a b.png": png,
    'x "1"\n.png': png,
  }, async (folder) => {
    const { classNames, samples, name } = await csvFile(join(folder, "pets.csv"));
    assert.equal(name, join(folder, "pets.csv"));
    assert.deepEqual(classNames, ["cat, small", "dog"]);
    assert.deepEqual(samples.map(({ name, label }) => [name, label]), [["a b.png", 0], ['x "1"\n.png', 1], [
      "a b.png",
      1,
    ]]);
  });
});

Deno.test("csvFile() sorts names by code point and integers by value", async () => {
  await inFolder({
    "names.csv": "image,label\n1.png,b\n1.png,B\n1.png,10\n",
    "numbers.csv": "image;label\n1.png;10\n1.png;9\n1.png;0\n",
    "1.png": png,
  }, async (folder) => {
    assert.deepEqual((await csvFile(join(folder, "names.csv"))).classNames, ["10", "B", "b"]);
    const numbers = await csvFile(join(folder, "numbers.csv"), { delimiter: ";" });
    assert.deepEqual(numbers.classNames, ["0", "9", "10"]);
    assert.deepEqual(numbers.samples.map(({ label }) => label), [2, 1, 0]);
  });
});

Deno.test("csvFile() takes other columns, another folder and given classes", async () => {
  await inFolder({ "t.csv": "file,breed\n1.png,dog\n", "images/1.png": png }, async (folder) => {
    const { samples, classNames } = await csvFile(join(folder, "t.csv"), {
      imageColumn: "file",
      labelColumn: "breed",
      root: join(folder, "images"),
      classNames: ["cat", "dog"],
    });
    assert.deepEqual(classNames, ["cat", "dog"]);
    assert.deepEqual(samples, [{ image: join(folder, "images/1.png"), label: 1, name: "1.png" }]);
  });
});

Deno.test("csvFile() says what is wrong with a table", async () => {
  await inFolder({
    "columns.csv": "file,breed\n1.png,dog\n",
    "empty.csv": "",
    "header.csv": "image,label\n",
    "ragged.csv": "image,label\n1.png\n",
    "rows.csv": "image,label\n1.png,cat\n,dog\n1.png,\n1.png,fox\n",
    "missing.csv": "image,label\n1.png,cat\n2.png,dog\n",
    "1.png": png,
  }, async (folder) => {
    const at = (name: string) => join(folder, name);
    assert.equal(
      await failure(csvFile(at("columns.csv"))),
      `Cannot read CSV file "${at("columns.csv")}": there is no column "image" and no "label", ` +
        `the columns are "file", "breed"\n  help: pass { imageColumn: "...", labelColumn: "..." }`,
    );
    assert.equal(
      await failure(csvFile(at("empty.csv"))),
      `Cannot read CSV file "${at("empty.csv")}": it is empty\n  help: the first line names the columns`,
    );
    assert.equal(
      await failure(csvFile(at("header.csv"))),
      `Cannot read CSV file "${at("header.csv")}": it has a header but no rows\n` +
        `  help: each row names a picture and its class`,
    );
    assert.equal(
      await failure(csvFile(at("ragged.csv"))),
      `Cannot read CSV file "${at("ragged.csv")}": Invalid Record Length: expect 2, got 1 on line 2\n` +
        `  help: every row needs as many fields as the header; put fields that hold commas into double quotes`,
    );
    assert.equal(
      await failure(csvFile(at("rows.csv"), { classNames: ["cat", "dog"] })),
      `Cannot read CSV file "${at("rows.csv")}": 3 of 4 bad rows\n` +
        `  row 2: column "image" is empty\n` +
        `  row 3: column "label" is empty\n` +
        `  row 4: unknown class name "fox"\n` +
        `  help: the classes given are "cat", "dog"`,
    );
    assert.equal(
      await failure(csvFile(at("missing.csv"))),
      `Cannot open CSV file "${at("missing.csv")}": 1 of 2 pictures are not there\n` +
        `  2.png: no such file\n` +
        `  help: paths start from "${folder}"; pass { root } if they start from another folder`,
    );
  });
});
