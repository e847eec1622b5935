import { basename } from "node:path";
import { annotationFile } from "../../lib/data/annotation_file.ts";
import { compareCodePoints } from "../../lib/data/compare_code_points.ts";
import type { Dataset, DatasetSplits } from "../../lib/data/dataset.ts";
import { DatasetError, listNames, onOneLine } from "../../lib/data/dataset_error.ts";
import { imageFolder } from "../../lib/data/image_folder.ts";
import { UsageError } from "../_program.ts";
import { refuseProblems } from "../_yaml_file.ts";

/** Where pictures are: the texts of `--*-data-roots` and `--*-ann-files`. */
export interface PictureFlags {
  /** `--train`, `--val` or `--test`. */
  readonly flag: string;
  /** Folders, separated by commas. */
  readonly roots: string;
  /** Annotation lists, separated by commas; empty: the class folders count. */
  readonly lists: string;
}

/**
 * Opens the pictures of a set: the class folders of one or several folders, or annotation lists whose paths start from
 * the folders.
 *
 * @param flags What the user wrote.
 * @param classNames The classes, if they are known.
 * @returns The set. Its classes are the sorted names of all class folders, unless others are given.
 * @throws {UsageError} If a folder is not named, or there is not one folder for each list.
 * @throws {DatasetError} If the pictures cannot be used.
 */
export async function openPictures(flags: PictureFlags, classNames?: readonly string[]): Promise<Dataset> {
  const { flag, lists } = flags;
  const roots = await listPaths(flags.roots);
  const files = await listPaths(lists);
  if (files.length === 0 && roots.length === 0) {
    throw new UsageError(
      `Cannot open pictures: ${flag}-data-roots is empty\n  help: pass the folder with the class folders`,
    );
  }
  if (files.length > 0) {
    if (roots.length > 1 && roots.length !== files.length) {
      throw new UsageError(
        `Cannot open pictures: found ${files.length} files in ${flag}-ann-files and ${roots.length} folders in ` +
          `${flag}-data-roots, wanted as many, or one folder`,
      );
    }
    return joined(
      await Promise.all(
        files.map((file, index) =>
          annotationFile(file, { root: roots[index] ?? roots[0], ...(classNames ? { classNames } : {}) })
        ),
      ),
    );
  }
  if (roots.length === 1) return await imageFolder(roots[0]!, classNames ? { classNames } : {});
  const names = classNames ?? await classesOf(roots);
  return joined(await Promise.all(roots.map((root) => imageFolder(root, { classNames: names }))));
}

/** Where the pictures of a training are, as flags say it; a list is `true` where a variable of the shell is not set. */
export interface TrainingPictureFlags {
  readonly trainDataRoots: string;
  readonly trainAnnFiles?: string | true;
  readonly valDataRoots: string;
  readonly valAnnFiles?: string | true;
}

/**
 * Opens the training and the validation pictures.
 *
 * @param flags What the user wrote.
 * @param listed The classes, if they are known.
 * @returns Both sets, with the same classes.
 * @throws {UsageError} If folders are missing; all of them are named.
 * @throws {DatasetError} If the pictures cannot be used, or a class has none to train with.
 */
export async function openTrainingPictures(
  { trainDataRoots, trainAnnFiles, valDataRoots, valAnnFiles }: TrainingPictureFlags,
  listed: readonly string[] | undefined,
): Promise<DatasetSplits> {
  refuseProblems("Cannot open pictures", [], [
    ...await missingRoots("--train", trainDataRoots),
    ...await missingRoots("--val", valDataRoots),
  ]);
  const textOf = (flag: string | true | undefined) => typeof flag === "string" ? flag : "";
  const open = (flag: string, roots: string, lists: string | true | undefined, classes?: readonly string[]) =>
    openPictures({ flag, roots, lists: textOf(lists) }, classes);
  const train = await open("--train", trainDataRoots, trainAnnFiles, listed);
  requireEveryClass(train);
  const { classNames } = train;
  return { classNames, train, validation: await open("--val", valDataRoots, valAnnFiles, classNames) };
}

/**
 * Tells which folders of `--*-data-roots` are not there.
 *
 * @param flag `--train`, `--val` or `--test`.
 * @param roots What the user wrote.
 * @returns A line for each.
 */
export async function missingRoots(flag: string, roots: string): Promise<string[]> {
  const problems: string[] = [];
  for (const root of await listPaths(roots)) {
    const isFolder = await Deno.stat(root).then(({ isDirectory }) => isDirectory, () => undefined);
    if (isFolder) continue;
    const what = isFolder === false ? "is a file, not a folder" : `is not there, seen from "${Deno.cwd()}"`;
    problems.push(`${flag}-data-roots: "${onOneLine(root)}" ${what}`);
  }
  return problems;
}

/**
 * Refuses training pictures that lack a class.
 *
 * @param dataset The training set.
 * @throws {DatasetError} If a class has no pictures.
 */
export function requireEveryClass({ name, classNames, samples }: Dataset): void {
  const present = new Set(samples.map(({ label }) => label));
  const absent = classNames.filter((_, label) => !present.has(label));
  if (absent.length === 0) return;
  throw new DatasetError(
    `Cannot train: ${absent.length} of ${classNames.length} classes have no pictures in "${name}": ${
      listNames(absent)
    }`,
    { help: "add pictures, or leave the classes out" },
  );
}

/** The class names of `--classes a,b,c`; `undefined` if it is empty. */
export function listClasses(text: string): string[] | undefined {
  const names = split(text);
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  if (repeated.length > 0) throw new UsageError(`Cannot use --classes: names repeat: ${listNames(repeated)}`);
  if (names.length === 1) {
    throw new UsageError(`Cannot use --classes: at least two are needed, found "${names[0]}"`);
  }
  return names.length === 0 ? undefined : names;
}

/** Paths that are separated by commas; a path that exists may hold commas itself. */
async function listPaths(text: string): Promise<string[]> {
  const isPath = text !== "" && await Deno.stat(text).then(() => true, () => false);
  return isPath ? [text] : split(text);
}

function split(text: string): string[] {
  return text.split(",").map((part) => part.trim()).filter((part) => part !== "");
}

/** The class folders of all folders. */
async function classesOf(roots: readonly string[]): Promise<string[]> {
  const opened = await Promise.all(roots.map((root) => imageFolder(root)));
  return [...new Set(opened.flatMap(({ classNames }) => classNames))].sort(compareCodePoints);
}

/** Sets as one; a sample's name tells which one it is of. */
function joined(sets: readonly Dataset[]): Dataset {
  if (sets.length === 1) return sets[0]!;
  const names = sets.map(({ name }) => basename(name));
  const isPlain = new Set(names).size === names.length;
  const longest = sets.reduce((most, set) => set.classNames.length > most.classNames.length ? set : most);
  return {
    name: sets.map(({ name }) => name).join(", "),
    classNames: longest.classNames,
    samples: sets.flatMap(({ samples }, index) => {
      const prefix = isPlain ? names[index] : `${index + 1} ${names[index]}`;
      return samples.map((sample) => ({ ...sample, name: `${prefix}/${sample.name}` }));
    }),
  };
}
