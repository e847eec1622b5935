import { annotationFile } from "../lib/data/annotation_file.ts";
import { csvFile } from "../lib/data/csv_file.ts";
import type { Dataset, DatasetSplits } from "../lib/data/dataset.ts";
import { imageFolder, imageFolders } from "../lib/data/image_folder.ts";
import { split } from "../lib/data/split.ts";
import { UsageError } from "./_program.ts";

/** What the programs say about the argument for pictures. */
export const dataHelp =
  "pictures: a folder with train/ and val/, a folder of class folders, a .csv table or a .txt list";

/**
 * Opens a training and a validation set.
 *
 * @param path A folder with `train` and `val`, a folder of class folders, a table or a list.
 * @param validation Where the validation pictures are, if not there.
 * @param seed Of the division, where a fifth is set aside.
 * @param known The classes and their order, if they are known.
 * @returns The sets, and how they were found, in words.
 * @throws {UsageError} If validation pictures are given twice.
 * @throws {DatasetError} If the pictures cannot be used.
 */
export async function openSplits(
  path: string,
  validation: string | undefined,
  seed: number,
  known?: readonly string[],
): Promise<{ data: DatasetSplits; found: string }> {
  if (await hasBothSets(path)) {
    if (validation !== undefined) {
      throw new UsageError(
        `Cannot open "${path}": it has a validation folder of its own, and --val names another\n` +
          `  help: leave --val out, or pass the train folder`,
      );
    }
    const options = known === undefined ? {} : { classNames: known };
    return { data: await imageFolders(path, options), found: "its train and val folders" };
  }
  const train = await openSet(path, known);
  if (validation === undefined) {
    return {
      data: split(train, { validation: 0.2, seed }),
      found: "a fifth of each class validates (seed " + seed + ")",
    };
  }
  const { classNames } = train;
  return {
    data: { classNames, train, validation: await openSet(validation, classNames) },
    found: `${validation} validates`,
  };
}

/**
 * Opens one set of labelled pictures.
 *
 * @param path A folder of class folders, a table or a list.
 * @param classNames The classes, if they are known.
 * @returns The set.
 * @throws {DatasetError} If the pictures cannot be used.
 */
export async function openSet(path: string, classNames?: readonly string[]): Promise<Dataset> {
  const options = classNames === undefined ? {} : { classNames };
  if (/\.csv$/i.test(path)) return await csvFile(path, options);
  if (/\.txt$/i.test(path)) return await annotationFile(path, options);
  return await imageFolder(path, options);
}

async function hasBothSets(path: string): Promise<boolean> {
  const names: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(path)) if (!isFile) names.push(name.toLowerCase());
  } catch { // said where the folder is opened
    return false;
  }
  const has = (known: readonly string[]) => known.some((name) => names.includes(name));
  return has(["train", "training"]) && has(["val", "valid", "validation"]);
}
