import { dirname, isAbsolute, join } from "node:path";
import { parse } from "npm:csv-parse@7.0.3/sync";
import { checkOptions } from "../errors/check_options.ts";
import { compareCodePoints } from "./compare_code_points.ts";
import { checkClassNames, type Dataset } from "./dataset.ts";
import { DatasetError, type DatasetProblem, listNames, onOneLine } from "./dataset_error.ts";
import { missingFiles, readListFile } from "./_list_file.ts";

/** How a table of pictures is read. */
export interface CsvFileOptions {
  /** Column with the paths. @default {"image"} */
  readonly imageColumn?: string;
  /** Column with the class names. @default {"label"} */
  readonly labelColumn?: string;
  /** The classes, in the order of the labels. @default those in the table, sorted */
  readonly classNames?: readonly string[];
  /** Folder that the paths start from. @default the folder of the table */
  readonly root?: string;
  /** What stands between the fields. @default {","} */
  readonly delimiter?: string;
}

/**
 * Opens a table of pictures: a CSV file with a header line, a column of paths and a column of class names. Class names
 * are sorted by code point as Python's `sorted()` does, or by value if all of them are integers.
 *
 * @param path The table.
 * @param options Columns, class names, and where the pictures are.
 * @returns The data set, in the order of the table.
 * @throws {TypeError} If an option is unknown.
 * @throws {DatasetError} If the table is missing or malformed, a column is not there, or pictures are missing.
 *
 * @example
 * ```ts ignore
 * import { csvFile } from "whittle";
 * const pets = await csvFile("pets.csv", { imageColumn: "file", labelColumn: "breed" });
 * ```
 */
export async function csvFile(path: string | URL, options: CsvFileOptions = {}): Promise<Dataset> {
  checkOptions(options, ["imageColumn", "labelColumn", "classNames", "root", "delimiter"], "csvFile");
  const { imageColumn = "image", labelColumn = "label", delimiter = "," } = options;
  const { file, text } = await readListFile("CSV file", path);
  const rows = parseRows(file, text, delimiter);
  if (rows.length === 0) {
    throw new DatasetError(`Cannot read CSV file "${onOneLine(file)}": it is empty`, {
      help: "the first line names the columns",
    });
  }
  const columns = rows[0];
  const [imageAt, labelAt] = [columns.indexOf(imageColumn), columns.indexOf(labelColumn)];
  const missing = [[imageAt, imageColumn, "imageColumn"], [labelAt, labelColumn, "labelColumn"]].filter((
    [at],
  ) => at === -1);
  if (missing.length > 0) {
    throw new DatasetError(
      `Cannot read CSV file "${onOneLine(file)}": there is no column ${
        missing.map(([, column]) => `"${column}"`).join(" and no ")
      }, the columns are ${listNames(columns)}`,
      { help: `pass { ${missing.map(([, , option]) => `${option}: "..."`).join(", ")} }` },
    );
  }
  const root = options.root ?? dirname(file);
  const entries = rows.slice(1).map((row) => ({ picture: row[imageAt].trim(), label: row[labelAt].trim() }));
  const labels = [...new Set(entries.map(({ label }) => label))];
  const numeric = labels.every((label) => /^\d+$/.test(label));
  const classNames = options.classNames ??
    labels.sort(numeric ? (a, b) => Number(a) - Number(b) : compareCodePoints);
  const problems: DatasetProblem[] = [];
  const samples = entries.map(({ picture, label }, row) => {
    const index = classNames.indexOf(label);
    const reason = picture === ""
      ? `column "${imageColumn}" is empty`
      : label === ""
      ? `column "${labelColumn}" is empty`
      : index === -1
      ? `unknown class name "${onOneLine(label)}"`
      : undefined;
    if (reason) problems.push({ name: `row ${row + 1}`, reason });
    return { image: isAbsolute(picture) ? picture : join(root, picture), label: index, name: picture };
  });
  if (problems.length > 0) {
    throw new DatasetError(
      `Cannot read CSV file "${onOneLine(file)}": ${problems.length} of ${samples.length} bad rows`,
      {
        problems,
        help: options.classNames ? `the classes given are ${listNames(classNames)}` : undefined,
      },
    );
  }
  if (samples.length === 0) {
    throw new DatasetError(`Cannot read CSV file "${onOneLine(file)}": it has a header but no rows`, {
      help: "each row names a picture and its class",
    });
  }
  checkClassNames(file, classNames);
  await missingFiles(`CSV file "${onOneLine(file)}"`, root, samples);
  return { name: file, classNames: [...classNames], samples };
}

function parseRows(file: string, text: string, delimiter: string): string[][] {
  try {
    return parse(text, { delimiter, skip_empty_lines: true });
  } catch (error) {
    throw new DatasetError(`Cannot read CSV file "${onOneLine(file)}": ${(error as Error).message}`, {
      help: "every row needs as many fields as the header; put fields that hold commas into double quotes",
    });
  }
}
