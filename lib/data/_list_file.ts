import { fileURLToPath } from "node:url";
import { readFailure } from "../files/read_failure.ts";
import { DatasetError, type DatasetProblem, onOneLine } from "./dataset_error.ts";

/**
 * Reads a list of pictures as text.
 *
 * @param kind What messages call it, e.g. `annotation list`.
 * @param path The file.
 * @returns Its path as text and its content, without a byte order mark.
 * @throws {DatasetError} If it cannot be read.
 */
export async function readListFile(
  kind: string,
  path: string | URL,
): Promise<{ file: string; text: string }> {
  const file = path instanceof URL ? fileURLToPath(path) : path;
  try {
    return { file, text: (await Deno.readTextFile(file)).replace(/^\ufeff/, "") };
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    throw new DatasetError(`Cannot read ${kind} "${onOneLine(file)}": ${readFailure(error, "file")}`, {
      help: isMissing ? `check the path; the current folder is "${Deno.cwd()}"` : undefined,
    });
  }
}

/**
 * Refuses a list that names pictures that are not there.
 *
 * @param list What messages call the list, e.g. `annotation list "train.txt"`.
 * @param root The folder that its paths start from, for the message.
 * @param samples What it lists.
 * @throws {DatasetError} With all that are missing.
 */
export async function missingFiles(
  list: string,
  root: string,
  samples: readonly { image: string; name: string }[],
): Promise<void> {
  const problems: DatasetProblem[] = [];
  for (let from = 0; from < samples.length; from += 64) { // side by side, but not all at once
    const found = await Promise.all(
      samples.slice(from, from + 64).map(async ({ image, name }) => {
        const reason = await whyMissing(image);
        return reason === undefined ? [] : [{ name, reason }];
      }),
    );
    problems.push(...found.flat());
  }
  if (problems.length === 0) return;
  throw new DatasetError(
    `Cannot open ${list}: ${problems.length} of ${samples.length} pictures are not there`,
    {
      problems,
      help: `paths start from "${onOneLine(root)}"; pass { root } if they start from another folder`,
    },
  );
}

async function whyMissing(path: string): Promise<string | undefined> {
  try {
    return (await Deno.stat(path)).isDirectory ? "it is a folder" : undefined;
  } catch (error) {
    return readFailure(error, "file");
  }
}
