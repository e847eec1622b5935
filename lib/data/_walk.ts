import { dirname, join } from "node:path";
import { compareCodePoints } from "./compare_code_points.ts";
import { readFailure } from "../files/read_failure.ts";
import { DatasetError, onOneLine } from "./dataset_error.ts";

/** Names of the picture files that are read. */
export const imageExtensions = /\.(jpe?g|png|webp|gif|bmp|tiff?)$/i;

/** One entry of a folder; a symbolic link is what it points to. */
export interface FolderEntry {
  /** Without its folder. */
  readonly name: string;
  /** Whether it is a folder or leads to one. */
  readonly isFolder: boolean;
}

/**
 * Lists a folder without its hidden entries.
 *
 * @param path The folder.
 * @returns Its entries, sorted by code point. A link that points nowhere is listed as a file: reading it says why.
 * @throws {DatasetError} If there is no such folder or it may not be read.
 */
export async function listFolder(path: string): Promise<FolderEntry[]> {
  const entries: FolderEntry[] = [];
  try {
    for await (const { name, isDirectory, isSymlink } of Deno.readDir(path)) {
      if (name.startsWith(".") || name === "__MACOSX") continue;
      const isFolder = isSymlink ? await pointsToFolder(join(path, name)) : isDirectory;
      entries.push({ name, isFolder });
    }
  } catch (error) {
    const reason = readFailure(error, "folder");
    const isMissing = error instanceof Deno.errors.NotFound;
    const help = isMissing ? `check the path; the current folder is "${Deno.cwd()}"` : undefined;
    throw new DatasetError(`Cannot read folder "${onOneLine(path)}": ${reason}`, { help });
  }
  return entries.sort((a, b) => compareCodePoints(a.name, b.name));
}

async function pointsToFolder(link: string): Promise<boolean> {
  try {
    return (await Deno.stat(link)).isDirectory;
  } catch {
    return false; // it points nowhere, or in a circle
  }
}

/**
 * Finds all files below a folder, at any depth. Symbolic links are followed, but not upwards; a folder reached a second
 * time, as in a circle of links, is not read again.
 *
 * @param folder The folder.
 * @returns Paths relative to the folder, with `/`, sorted by code point.
 * @throws {DatasetError} If a folder may not be read.
 */
export async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  // A link upwards would bring the pictures of other classes with it.
  const visited = new Set<string>();
  for (let at = dirname(await Deno.realPath(folder)); !visited.has(at); at = dirname(at)) visited.add(at);
  const waiting = [""];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const path = join(folder, at);
    const real = await Deno.realPath(path).catch(() => path);
    if (visited.has(real)) continue;
    visited.add(real);
    for (const { name, isFolder } of await listFolder(path)) {
      if (isFolder) waiting.push(`${at}${name}/`);
      else files.push(`${at}${name}`);
    }
  }
  return files.sort(compareCodePoints);
}
