import { dirname, isAbsolute, join } from "node:path";
import { checkOptions } from "../errors/check_options.ts";
import { checkClassNames, type Dataset } from "./dataset.ts";
import { DatasetError, type DatasetProblem, onOneLine } from "./dataset_error.ts";
import { missingFiles, readListFile } from "./_list_file.ts";

/** How an annotation list is read. */
export interface AnnotationFileOptions {
  /** The classes, in the order of the labels. @default "0", "1", ... up to the largest label */
  readonly classNames?: readonly string[];
  /** Folder that the paths start from. @default the folder of the list */
  readonly root?: string;
}

const maxClasses = 100_000; // a larger index is a mistake, and would make as many names

/**
 * Opens an annotation list: a text file with one `relative/path index` a line, as deep-object-reid reads. The index is
 * the last field, so that paths may hold spaces; blank lines are left out.
 *
 * @param path The list.
 * @param options Class names, and where the pictures are.
 * @returns The data set, in the order of the list.
 * @throws {TypeError} If an option is unknown.
 * @throws {DatasetError} If the list is missing or empty, lines are malformed, labels are no classes, or pictures are
 *   missing: all of them at once.
 *
 * @example
 * ```ts ignore
 * import { annotationFile } from "whittle";
 * const train = await annotationFile("pets/train.txt", { classNames: ["cat", "dog"] });
 * ```
 */
export async function annotationFile(
  path: string | URL,
  options: AnnotationFileOptions = {},
): Promise<Dataset> {
  checkOptions(options, ["classNames", "root"], "annotationFile");
  const { file, text } = await readListFile("annotation list", path);
  const root = options.root ?? dirname(file);
  const problems: DatasetProblem[] = [];
  const samples: { image: string; label: number; name: string }[] = [];
  for (const [number, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const [, picture, label] = /^(.*\S)\s+(\S+)\s*$/.exec(line) ?? [];
    const problem = (reason: string) => problems.push({ name: `line ${number + 1}`, reason });
    if (picture === undefined) problem(`wanted "path index", found "${onOneLine(line.trim())}"`);
    else if (!/^\d+$/.test(label)) problem(`the index must be an integer >= 0: found "${onOneLine(label)}"`);
    else if (Number(label) >= maxClasses) problem(`index ${label} is not below ${maxClasses}`);
    else if (options.classNames && Number(label) >= options.classNames.length) {
      problem(`index ${label}, but there are ${options.classNames.length} classes`);
    } else {
      samples.push({
        image: isAbsolute(picture) ? picture : join(root, picture),
        label: Number(label),
        name: picture,
      });
    }
  }
  if (problems.length > 0) {
    throw new DatasetError(`Cannot read annotation list "${onOneLine(file)}": ${problems.length} bad lines`, {
      problems,
      help: 'each line is "relative/path index", for example "cat/1.jpg 0"',
    });
  }
  if (samples.length === 0) {
    throw new DatasetError(`Cannot read annotation list "${onOneLine(file)}": it has no lines`, {
      help: 'each line is "relative/path index", for example "cat/1.jpg 0"',
    });
  }
  const classes = 1 + samples.reduce((most, { label }) => Math.max(most, label), 0);
  const classNames = options.classNames ?? Array.from({ length: classes }, (_, i) => `${i}`);
  checkClassNames(file, classNames);
  await missingFiles(`annotation list "${onOneLine(file)}"`, root, samples);
  return { name: file, classNames: [...classNames], samples };
}
