import { fileURLToPath } from "node:url";
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
    const { code } = error as { code?: string };
    const reason = code === "ENOENT"
      ? "there is no such file"
      : code === "EISDIR"
      ? "it is a folder"
      : code === "EACCES" || code === "EPERM" || error instanceof Deno.errors.NotCapable
      ? "no permission to read it"
      : (error as Error).message;
    throw new DatasetError(`Cannot read ${kind} "${onOneLine(file)}": ${reason}`, {
      help: code === "ENOENT" ? `check the path; the current folder is "${Deno.cwd()}"` : undefined,
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
  for (let from = 0; from < samples.length; from += 64) {
    await Promise.all(
      samples.slice(from, from + 64).map(async ({ image, name }) => {
        try {
          if ((await Deno.stat(image)).isDirectory) problems.push({ name, reason: "it is a folder" });
        } catch (error) {
          const { code, message } = error as { code?: string; message: string };
          problems.push({ name, reason: code === "ENOENT" ? "no such file" : message });
        }
      }),
    );
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
