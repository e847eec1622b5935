import assert from "node:assert/strict";
import { join } from "node:path";
import {
  listClasses,
  missingRoots,
  openPictures,
  requireEveryClass,
} from "../../../recipes/custom_classification/_pictures.ts";
import { temporaryFolder } from "../_programs.ts";

/** Empty files: nothing here decodes a picture. */
async function touch(folder: string, ...files: string[]): Promise<void> {
  for (const file of files) {
    const path = join(folder, file);
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await Deno.writeTextFile(path, "");
  }
}

Deno.test("openPictures() joins several folders, with the classes of all and names that stay apart", async () => {
  await using folder = await temporaryFolder();
  await touch(
    folder.path,
    "a/x/1.jpg",
    "a/z/1.jpg",
    "b/x/1.jpg",
    "b/y/1.jpg",
    "c,d/x/1.jpg",
    "c,d/y/1.jpg",
    "e/a/y/1.jpg",
  );
  const path = (name: string) => join(folder.path, name);
  const { classNames, samples } = await openPictures({
    flag: "--train",
    roots: `${path("a")}, ${path("b")}`,
    lists: "",
  });
  assert.deepEqual(classNames, ["x", "y", "z"]);
  assert.deepEqual(samples.map(({ name, label }) => [name, label]), [
    ["a/x/1.jpg", 0],
    ["a/z/1.jpg", 2],
    ["b/x/1.jpg", 0],
    ["b/y/1.jpg", 1],
  ]);
  // A folder that is there may have a comma in its name.
  assert.equal((await openPictures({ flag: "--train", roots: path("c,d"), lists: "" })).samples.length, 2);
  const same = await openPictures({ flag: "--val", roots: `${path("a")},${path("e/a")}`, lists: "" }, [
    "x",
    "y",
    "z",
  ]);
  assert.deepEqual(same.samples.map(({ name }) => name), ["1 a/x/1.jpg", "1 a/z/1.jpg", "2 a/y/1.jpg"]);
});

Deno.test("openPictures() reads annotation lists, whose paths start from the folders", async () => {
  await using folder = await temporaryFolder();
  await touch(folder.path, "a/1.jpg", "b/2.jpg");
  await Deno.writeTextFile(join(folder.path, "one.txt"), "1.jpg 0\n");
  await Deno.writeTextFile(join(folder.path, "two.txt"), "2.jpg 2\n");
  const path = (name: string) => join(folder.path, name);
  const flags = {
    flag: "--train",
    roots: `${path("a")},${path("b")}`,
    lists: `${path("one.txt")},${path("two.txt")}`,
  };
  const { classNames, samples } = await openPictures(flags, ["x", "y", "z"]);
  assert.deepEqual(classNames, ["x", "y", "z"]);
  assert.deepEqual(samples.map(({ image, label }) => [image, label]), [[path("a/1.jpg"), 0], [
    path("b/2.jpg"),
    2,
  ]]);
  await assert.rejects(openPictures({ ...flags, lists: path("one.txt") }), {
    name: "UsageError",
    message:
      "Cannot open pictures: found 1 files in --train-ann-files and 2 folders in --train-data-roots, " +
      "wanted as many, or one folder",
  });
  await assert.rejects(openPictures({ flag: "--val", roots: "", lists: "" }), {
    message:
      "Cannot open pictures: --val-data-roots is empty\n  help: pass the folder with the class folders",
  });
});

Deno.test("missingRoots() names all folders that are not there", async () => {
  await using folder = await temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  await Deno.mkdir(at("a,b"));
  await Deno.writeTextFile(at("file"), "");
  assert.deepEqual(await missingRoots("--val", at("a,b")), []);
  assert.deepEqual(await missingRoots("--val", `${folder.path},${at("c")},${at("file")}`), [
    `--val-data-roots: "${at("c")}" is not there, seen from "${Deno.cwd()}"`,
    `--val-data-roots: "${at("file")}" is a file, not a folder`,
  ]);
});

Deno.test("requireEveryClass() names classes without pictures", () => {
  const classNames = ["x", "y", "z"];
  const samples = [{ image: "", name: "1", label: 1 }];
  assert.throws(() => requireEveryClass({ name: "train", classNames, samples }), {
    name: "DatasetError",
    message: 'Cannot train: 2 of 3 classes have no pictures in "train": "x", "z"\n' +
      "  help: add pictures, or leave the classes out",
  });
});

Deno.test("listClasses() splits at commas, and refuses one name or a name twice", () => {
  assert.equal(listClasses(""), undefined);
  assert.deepEqual(listClasses("dog, cat"), ["dog", "cat"]);
  assert.throws(() => listClasses("a,b,a"), { message: 'Cannot use --classes: names repeat: "a"' });
  assert.throws(() => listClasses("a"), {
    message: 'Cannot use --classes: at least two are needed, found "a"',
  });
});
