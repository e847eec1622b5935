import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkOptions } from "../errors/check_options.ts";
import { compareCodePoints } from "./compare_code_points.ts";
import { checkClassNames, type Dataset, type DatasetSplits } from "./dataset.ts";
import { DatasetError, listNames, onOneLine } from "./dataset_error.ts";
import { filesBelow, imageExtensions, listFolder } from "./_walk.ts";

/** How a folder of class folders is read. */
export interface ImageFolderOptions {
  /** The classes, in the order of the labels; other class folders are an error. @default the sub-folders, sorted */
  readonly classNames?: readonly string[];
}

/**
 * Opens a folder with one sub-folder a class: `pets/cat/1.jpg`, `pets/dog/old/2.png`. Pictures are found at any depth
 * below their class folder, by their extension in any case (.jpg .jpeg .png .webp .gif .bmp .tif .tiff); hidden files
 * and folders are left out, symbolic links are followed, and a folder that is reached twice is read once.
 *
 * @param folder The folder.
 * @param options Which classes, if not all.
 * @returns The data set: class names sorted by code point as Python's `sorted()` does, pictures by class and path.
 * @throws {TypeError} If an option is unknown.
 * @throws {DatasetError} If there is no such folder, it may not be read, or it has fewer than two classes.
 *
 * @example
 * ```ts ignore
 * import { imageFolder } from "whittle";
 * const pets = await imageFolder("pets");
 * console.log(pets.classNames, pets.samples.length);
 * ```
 */
export async function imageFolder(folder: string | URL, options: ImageFolderOptions = {}): Promise<Dataset> {
  checkOptions(options, ["classNames"], "imageFolder");
  const path = folderPath(folder);
  return await readClasses(path, baseName(path), "", options.classNames);
}

const splitNames = {
  train: ["train", "training"],
  validation: ["val", "validation", "valid"],
  test: ["test"],
} as const;

/**
 * Opens a folder that holds a training and a validation set, and perhaps a test set, each with one sub-folder a class:
 * `pets/train/cat/1.jpg`, `pets/val/cat/2.jpg`. The validation folder may be called `val`, `valid` or `validation`.
 *
 * @param folder The folder.
 * @param options Which classes, if not those of the training set.
 * @returns The sets. Their classes are those of the training set, unless others are given.
 * @throws {TypeError} If an option is unknown.
 * @throws {DatasetError} If a folder is missing, there are fewer than two classes, or a class is not in the training
 *   set.
 *
 * @example
 * ```ts ignore
 * import { imageFolders } from "whittle";
 * const { train, validation } = await imageFolders("pets");
 * console.log(train.samples.length, validation.samples.length);
 * ```
 */
export async function imageFolders(
  folder: string | URL,
  options: ImageFolderOptions = {},
): Promise<DatasetSplits> {
  checkOptions(options, ["classNames"], "imageFolders");
  const path = folderPath(folder);
  const entries = await listFolder(path);
  const named = (names: readonly string[]) =>
    entries.filter(({ isFolder, name }) => isFolder && names.includes(name.toLowerCase())).map(({ name }) =>
      name
    );
  const found = {
    train: named(splitNames.train),
    validation: named(splitNames.validation),
    test: named(splitNames.test),
  };
  const missing = (["train", "validation"] as const).filter((split) => found[split].length === 0);
  if (missing.length > 0) {
    const wanted = missing.map((split) => split === "train" ? '"train"' : '"val"').join(" and no ");
    const folders = entries.filter(({ isFolder }) => isFolder).map(({ name }) => name);
    throw new DatasetError(
      `Cannot open image folders "${onOneLine(path)}": it has no ${wanted} folder, ` +
        (folders.length > 0 ? `only ${listNames(folders)}` : "and no folders at all"),
      { help: 'for one folder of classes write split(await imageFolder("..."), { validation: 0.2 })' },
    );
  }
  for (const split of ["train", "validation", "test"] as const) {
    if (found[split].length < 2) continue;
    throw new DatasetError(
      `Cannot open image folders "${onOneLine(path)}": more than one ${split} folder: ${
        listNames(found[split])
      }`,
      { help: "keep one of them" },
    );
  }
  const name = baseName(path);
  const [trainName] = found.train, [validationName] = found.validation, [testName] = found.test;
  const train = await readClasses(
    join(path, trainName),
    `${name}/${trainName}`,
    `${trainName}/`,
    options.classNames,
  );
  const { classNames } = train;
  const open = (split: string) =>
    readClasses(
      join(path, split),
      `${name}/${split}`,
      `${split}/`,
      classNames,
      options.classNames ? undefined : trainName,
    );
  const validation = await open(validationName);
  return { classNames, train, validation, ...(testName ? { test: await open(testName) } : {}) };
}

async function readClasses(
  path: string,
  name: string,
  prefix: string,
  classNames?: readonly string[],
  classesFrom?: string,
): Promise<Dataset> {
  const entries = await listFolder(path);
  const folders = entries.filter(({ isFolder }) => isFolder).map((entry) => entry.name).sort(
    compareCodePoints,
  );
  if (folders.length === 0) {
    const pictures = entries.filter((entry) => imageExtensions.test(entry.name)).length;
    throw new DatasetError(
      `Cannot open image folder "${onOneLine(path)}": it has no class folders` +
        (pictures > 0 ? `, only ${pictures} pictures that belong to no class` : ""),
      { help: "put the pictures of each class into a folder with the name of the class" },
    );
  }
  if (classNames) {
    const unknown = folders.filter((folder) => !classNames.includes(folder));
    if (unknown.length > 0) {
      const known = classesFrom ? `the classes of "${classesFrom}" are` : "the classes given are";
      throw new DatasetError(
        `Cannot open image folder "${
          onOneLine(path)
        }": ${unknown.length} of ${folders.length} class folders are ` +
          `not among the classes${classesFrom ? ` of "${classesFrom}"` : ""}: ${listNames(unknown)}`,
        { help: `${known} ${listNames(classNames)}` },
      );
    }
  } else checkClassNames(name, folders);
  const classes = classNames ?? folders;
  const samples = [];
  const otherFiles: string[] = [];
  for (const [label, className] of classes.entries()) {
    if (!folders.includes(className)) continue; // no picture of this class in this set
    for (const file of await filesBelow(join(path, className))) {
      if (!imageExtensions.test(file)) otherFiles.push(`${className}/${file}`);
      else samples.push({ image: join(path, className, file), label, name: `${prefix}${className}/${file}` });
    }
  }
  if (samples.length === 0) {
    throw new DatasetError(
      `Cannot open image folder "${
        onOneLine(path)
      }": there are no pictures in its ${folders.length} class folders` +
        (otherFiles.length > 0 ? `, only files like ${listNames(otherFiles, 3)}` : ""),
      { help: "pictures are .jpg .jpeg .png .webp .gif .bmp .tif .tiff files" },
    );
  }
  return { name, classNames: [...classes], samples };
}

function folderPath(folder: string | URL): string {
  if (folder instanceof URL) return fileURLToPath(folder);
  if (typeof folder === "string" && folder !== "") return folder;
  throw new TypeError(
    `Cannot open image folder: found ${folder === "" ? "an empty text" : typeof folder}, wanted a path\n` +
      '  help: write for example imageFolders("pets")',
  );
}

function baseName(path: string): string {
  return path.split(/[/\\]/).filter((part) => part !== "" && part !== ".").at(-1) ?? path;
}
