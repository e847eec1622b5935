import { dirname, join, resolve } from "node:path";
import { writeFailure } from "../files/write_file.ts";
import { CheckpointError } from "./checkpoint.ts";
import { copyLogs } from "./log_files.ts";

/**
 * Checks that a folder can be written or made, before anything is fetched or read for it.
 *
 * @param path The folder; it need not exist.
 * @throws {CheckpointError} If it cannot.
 */
export async function checkFolder(path: string): Promise<void> {
  await requireWritable(path, await nearestFolder(path));
}

/**
 * Makes a run's folder and checks that it can be written.
 *
 * @param path The folder.
 * @param resumedFolder Folder of the run that goes on; its logs go along if it is another one.
 * @param files Files that tell of an earlier run, and what that is called.
 * @returns What the user should know about it.
 * @throws {CheckpointError} If it cannot be written.
 */
export async function prepareFolder(
  path: string,
  resumedFolder: string | undefined,
  files: Readonly<Record<string, string>>,
): Promise<string[]> {
  await Deno.mkdir(path, { recursive: true }).catch((error) => refuseFolder(path, error));
  await requireWritable(path, path);
  await removeHalfWritten(path).catch((error) => refuseFolder(path, error));
  if (resumedFolder !== undefined) {
    if (resolve(resumedFolder) !== resolve(path)) await copyLogs(resumedFolder, path);
    return [];
  }
  for (const [name, what] of Object.entries(files)) {
    const isTaken = await Deno.stat(join(path, name)).then(() => true, () => false);
    if (isTaken) return [`"${path}" holds an earlier ${what}, which this one replaces`];
  }
  return [];
}

/**
 * Writes an empty file and removes it again.
 *
 * @param path What an error names.
 * @param folder Where to try.
 */
async function requireWritable(path: string, folder: string): Promise<void> {
  const probe = join(folder, `.${crypto.randomUUID().slice(0, 8)}.tmp`);
  try {
    await Deno.writeFile(probe, new Uint8Array());
    await Deno.remove(probe);
  } catch (error) {
    refuseFolder(path, error);
  }
}

function refuseFolder(path: string, error: unknown): never {
  throw new CheckpointError(
    `Cannot write to "${path}": ${writeFailure(error)[0]}\n` +
      `  help: pass { outputDir: ... }, a folder that you may write to`,
    { cause: error },
  );
}

/** The path, or the nearest one above it that exists: there a missing folder will be made. */
async function nearestFolder(path: string): Promise<string> {
  const exists = await Deno.lstat(path).then(() => true, () => false);
  const above = dirname(resolve(path));
  return exists || above === resolve(path) ? path : await nearestFolder(above);
}

/** Removes checkpoints that a killed run was writing: they have temporary names, and nobody else will. */
async function removeHalfWritten(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (
      /^((best|resume|post_training|auxiliary_\d+)\.safetensors|find_lr\.json)\.[0-9a-f]{8}\.tmp$/.test(name)
    ) {
      await Deno.remove(join(folder, name));
    }
  }
}
