import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { filesBelow, imageExtensions } from "./_walk.ts";
import { DatasetError } from "./dataset_error.ts";

/**
 * The pictures in a folder and below it, by extension, sorted by path.
 *
 * @param folder The folder.
 * @returns Paths; hidden files are left out.
 * @throws {DatasetError} If there is no picture in it.
 */
export async function imagePaths(folder: string | URL): Promise<string[]> {
  const root = folder instanceof URL ? fileURLToPath(folder) : folder;
  const paths = (await filesBelow(root)).filter((name) => imageExtensions.test(name)).map((name) =>
    join(root, name)
  );
  if (paths.length === 0) {
    throw new DatasetError(
      `Cannot find pictures in "${root}": no .jpg, .png or other picture is in it or below`,
    );
  }
  return paths;
}
