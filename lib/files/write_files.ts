import { dirname } from "node:path";
import { syncFolder, temporaryName, writeNewFile } from "./_temporary_file.ts";
import { writeError } from "./write_file.ts";

/** A file to be written. */
export interface FileToWrite {
  /** Where; an existing file is replaced. */
  readonly path: string;
  /** Text (written as UTF-8) or bytes. */
  readonly content: string | Uint8Array;
}

/**
 * Writes files that are of no use without each other: all of them, or none. They are complete on the disk before the
 * first gets its name. Older files are put aside meanwhile and come back if something goes wrong.
 *
 * @param files The files. The last is the one that the others are found by: as long as they are not all in place it is
 * not there, so that a power cut cannot leave a mixture of old and new.
 * @returns When they are in place.
 * @throws {Error} If one cannot be written (no permission, no space, a folder of that name); nothing is left beside
 * them, and the older files stay as they were.
 *
 * @example
 * ```ts
 * import { writeFiles } from "./write_files.ts";
 *
 * const folder = await Deno.makeTempDir();
 * await writeFiles([
 *   { path: `${folder}/model.bin`, content: new Uint8Array(8) },
 *   { path: `${folder}/model.xml`, content: "<net />" },
 * ]);
 * console.log(await Deno.readTextFile(`${folder}/model.xml`)); // <net />
 * ```
 */
export async function writeFiles(files: readonly FileToWrite[]): Promise<void> {
  const steps = files.map(({ path, content }) => ({
    path,
    bytes: typeof content === "string" ? new TextEncoder().encode(content) : content,
    fresh: temporaryName(path),
    older: temporaryName(path),
    isAside: false,
    isPlaced: false,
  }));
  let current = "";
  try {
    for (const { path, bytes, fresh } of steps) {
      current = path;
      await Deno.mkdir(dirname(path), { recursive: true });
      await writeNewFile(fresh, bytes, { sync: true });
    }
    for (const step of steps.toReversed()) {
      current = step.path;
      step.isAside = await putAside(step.path, step.older);
    }
    for (const step of steps) {
      current = step.path;
      await Deno.rename(step.fresh, step.path);
      step.isPlaced = true;
    }
  } catch (error) {
    for (const { path, fresh, older, isAside, isPlaced } of steps) {
      await Deno.remove(isPlaced ? path : fresh).catch(() => {});
      if (isAside) await Deno.rename(older, path).catch(() => {});
    }
    throw writeError(current, error);
  }
  for (const { older, isAside } of steps) {
    if (isAside) await Deno.remove(older).catch(() => {});
  }
  for (const folder of new Set(steps.map(({ path }) => dirname(path)))) await syncFolder(folder);
}

/** Gives a file another name, if it is there. A folder of its name stays: the new file cannot have it. */
async function putAside(path: string, older: string): Promise<boolean> {
  try {
    if ((await Deno.lstat(path)).isDirectory) return false;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  await Deno.rename(path, older);
  return true;
}
