import assert from "node:assert/strict";
import { join } from "node:path";
import { annotationFile } from "../../lib/data/annotation_file.ts";
import { failure, inFolder, png } from "./_pictures.ts";

Deno.test("annotationFile() reads paths with spaces, blank lines, any line end and a byte order mark", async () => {
  await inFolder({
    "lists/train.txt": "\ufeffimages/a b.png 1\r\n\r\nimages/c 7.png\t0\nimages/é 2 .png 2\n",
    "lists/images/a b.png": png,
    "lists/images/c 7.png": png,
    "lists/images/é 2 .png": png,
  }, async (folder) => {
    const file = join(folder, "lists/train.txt");
    const list = await annotationFile(file);
    assert.equal(list.name, file);
    assert.deepEqual(list.classNames, ["0", "1", "2"]);
    assert.deepEqual(list.samples, [
      { image: join(folder, "lists/images/a b.png"), label: 1, name: "images/a b.png" },
      { image: join(folder, "lists/images/c 7.png"), label: 0, name: "images/c 7.png" },
      { image: join(folder, "lists/images/é 2 .png"), label: 2, name: "images/é 2 .png" },
    ]);
    const named = await annotationFile(file, { classNames: ["x", "y", "z", "unused"] });
    assert.deepEqual(named.classNames, ["x", "y", "z", "unused"]);
  });
});

Deno.test("annotationFile() starts paths from another folder", async () => {
  await inFolder({ "train.txt": "1.png 0\n1.png 1\n", "images/1.png": png }, async (folder) => {
    const { samples } = await annotationFile(join(folder, "train.txt"), { root: join(folder, "images") });
    assert.equal(samples[0].image, join(folder, "images/1.png"));
  });
});

Deno.test("annotationFile() names all bad lines and all missing pictures", async () => {
  await inFolder({
    "bad.txt": "1.png 0\n2.png\n3.png one\n4.png -1\n5.png 5\n",
    "missing.txt": "1.png 0\n2.png 1\nfolder 1\n",
    "empty.txt": "\n \n",
    "one.txt": "1.png 0\n",
    "1.png": png,
    "folder/.keep": "",
  }, async (folder) => {
    const at = (name: string) => join(folder, name);
    assert.equal(
      await failure(annotationFile(at("bad.txt"), { classNames: ["a", "b"] })),
      `Cannot read annotation list "${at("bad.txt")}": 4 bad lines\n` +
        `  line 2: wanted "path index", found "2.png"\n` +
        `  line 3: the index must be an integer >= 0: found "one"\n` +
        `  line 4: the index must be an integer >= 0: found "-1"\n` +
        `  line 5: index 5, but there are 2 classes\n` +
        `  help: each line is "relative/path index", for example "cat/1.jpg 0"`,
    );
    assert.equal(
      await failure(annotationFile(at("missing.txt"))),
      `Cannot open annotation list "${at("missing.txt")}": 2 of 3 pictures are not there\n` +
        `  2.png: no such file\n` +
        `  folder: it is a folder\n` +
        `  help: paths start from "${folder}"; pass { root } if they start from another folder`,
    );
    assert.equal(
      await failure(annotationFile(at("empty.txt"))),
      `Cannot read annotation list "${at("empty.txt")}": it has no lines\n` +
        `  help: each line is "relative/path index", for example "cat/1.jpg 0"`,
    );
    assert.equal(
      await failure(annotationFile(at("one.txt"))),
      `Cannot make data set "${at("one.txt")}": at least two classes are needed, there is one, "0"\n` +
        `  help: a classifier tells classes apart: add pictures of another class`,
    );
    assert.equal(
      await failure(annotationFile(at("gone.txt"))),
      `Cannot read annotation list "${at("gone.txt")}": no such file\n` +
        `  help: check the path; the current folder is "${Deno.cwd()}"`,
    );
    assert.equal(
      await failure(annotationFile(at("folder"))),
      `Cannot read annotation list "${at("folder")}": it is a folder`,
    );
  });
});

Deno.test("annotationFile() takes an index no larger than a class list can be", async () => {
  await inFolder({ "huge.txt": "1.png 4000000000\n", "1.png": png }, async (folder) => {
    assert.match(
      await failure(annotationFile(join(folder, "huge.txt"))),
      /line 1: index 4000000000 is not below 100000/,
    );
  });
});
