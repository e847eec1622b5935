import assert from "node:assert/strict";
import { annotationFile } from "../../lib/data/annotation_file.ts";
import { csvFile } from "../../lib/data/csv_file.ts";
import { dataset } from "../../lib/data/dataset.ts";
import { imageFolder, imageFolders } from "../../lib/data/image_folder.ts";
import { split } from "../../lib/data/split.ts";
import { inspect } from "../../lib/inspect.ts";

const pets = dataset([{ image: "a.jpg", label: 0 }, { image: "b.jpg", label: 0 }], ["cat", "dog"]);

// Options are refused before a file is opened, so that no file is needed. Notebooks do not check types.
const calls: { verb: string; options: unknown; message: string; call: (options: never) => unknown }[] = [
  {
    verb: "imageFolder",
    options: { classnames: ["cat"] },
    message:
      '  "classnames": did you mean "classNames"?\n  help: the options of imageFolder() are classNames',
    call: (options) => imageFolder("none", options),
  },
  {
    verb: "imageFolders",
    options: { validation: 0.2 },
    message: '  "validation"\n  help: the options of imageFolders() are classNames',
    call: (options) => imageFolders("none", options),
  },
  {
    verb: "csvFile",
    options: { labelsColumn: "breed" },
    message: '  "labelsColumn": did you mean "labelColumn"?\n' +
      "  help: the options of csvFile() are classNames, delimiter, imageColumn, labelColumn, root",
    call: (options) => csvFile("none.csv", options),
  },
  {
    verb: "annotationFile",
    options: { folder: "pets" },
    message: '  "folder"\n  help: the options of annotationFile() are classNames, root',
    call: (options) => annotationFile("none.txt", options),
  },
  {
    verb: "split",
    options: { val: 0.2 },
    message: '  "val": did you mean "validation"?\n  help: the options of split() are seed, test, validation',
    call: (options) => split(pets, options),
  },
  {
    verb: "dataset",
    options: { title: "pets" },
    message: '  "title"\n  help: the options of dataset() are name',
    call: (options) => dataset([{ image: "a.jpg", label: 0 }], ["cat", "dog"], options),
  },
  {
    verb: "inspect",
    options: { worker: 2 },
    message: '  "worker": did you mean "workers"?\n' +
      "  help: the options of inspect() are onProgress, signal, workers",
    call: (options) => inspect(pets, options),
  },
];

for (const { verb, options, message, call } of calls) {
  Deno.test(`${verb}() refuses options it does not know`, async () => {
    await assert.rejects(async () => await call(options as never), {
      name: "TypeError",
      message: `Cannot run ${verb}(): 1 option is not known\n${message}`,
    });
  });
}

Deno.test("inspect() refuses workers that cannot work", async () => {
  await assert.rejects(inspect(pets, { workers: 0 }), {
    name: "RangeError",
    message: "Cannot run inspect(): 1 option has a value that cannot be used\n" +
      "  workers: found 0, wanted a whole number of at least 1\n" +
      "  help: leave an option out to get its default",
  });
});

Deno.test("inspect() and split() refuse what is no data", async () => {
  for (const wrong of [undefined, "pets", { train: pets }]) {
    await assert.rejects(inspect(wrong as never), {
      name: "TypeError",
      message:
        "Cannot inspect: found no labelled pictures, wanted a data set, or a training and a validation set\n" +
        '  help: write for example inspect(await imageFolders("pets"))',
    });
    assert.throws(() => split(wrong as never), {
      name: "TypeError",
      message: "Cannot split: found no labelled pictures, wanted one data set\n" +
        '  help: write for example split(await imageFolder("pets"))',
    });
  }
});

Deno.test("imageFolder() and imageFolders() refuse what is no path", async () => {
  for (const open of [imageFolder, imageFolders]) {
    for (const [wrong, found] of [[undefined, "undefined"], ["", "an empty text"]]) {
      await assert.rejects(open(wrong as never), {
        name: "TypeError",
        message: `Cannot open image folder: found ${found}, wanted a path\n` +
          '  help: write for example imageFolders("pets")',
      });
    }
  }
});
