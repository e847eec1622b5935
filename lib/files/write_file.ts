import { dirname } from "node:path";
import { syncFolder, temporaryName, writeNewFile } from "./_temporary_file.ts";

/** How {@linkcode writeFile} writes. */
export interface WriteFileOptions {
  /**
   * Whether the content is on the disk before the file gets its name, so that a power cut cannot leave it empty. Without,
   * many small files are written much faster.
   * @default {true}
   */
  readonly sync?: boolean;
}

/**
 * Writes a file so that a reader finds the old content or the new one, never half: to a temporary name beside the target
 * (`<path>.<8 hexadecimal digits>.tmp`), to the disk, and then the target's name in one rename. Missing folders are made.
 *
 * @param path The file; an existing one is replaced.
 * @param content Text (written as UTF-8) or bytes.
 * @param options See {@linkcode WriteFileOptions}.
 * @returns When the file is in place.
 * @throws {Error} If it cannot be written (no permission, no space, a file where a folder is needed); nothing is left
 * beside the target, and an older file stays as it was.
 *
 * @example
 * ```ts
 * import { writeFile } from "./write_file.ts";
 *
 * const folder = await Deno.makeTempDir();
 * await writeFile(`${folder}/notes/today.txt`, "hello");
 * console.log(await Deno.readTextFile(`${folder}/notes/today.txt`)); // hello
 * ```
 */
export async function writeFile(
  path: string,
  content: string | Uint8Array,
  options: WriteFileOptions = {},
): Promise<void> {
  const bytes = toBytes(content);
  const folder = dirname(path);
  const temporary = temporaryName(path);
  const isSynced = options.sync ?? true;
  try {
    await Deno.mkdir(folder, { recursive: true });
    await writeNewFile(temporary, bytes, { sync: isSynced });
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw writeError(path, error);
  }
  if (isSynced) await syncFolder(folder);
}

/**
 * {@linkcode writeFile} for code that cannot wait.
 *
 * @param path The file; an existing one is replaced.
 * @param content Text (written as UTF-8) or bytes.
 * @throws {Error} As {@linkcode writeFile}.
 *
 * @example
 * ```ts
 * import { writeFileSync } from "./write_file.ts";
 *
 * const folder = Deno.makeTempDirSync();
 * writeFileSync(`${folder}/today.txt`, "hello");
 * console.log(Deno.readTextFileSync(`${folder}/today.txt`)); // hello
 * ```
 */
export function writeFileSync(path: string, content: string | Uint8Array): void {
  const bytes = toBytes(content);
  const temporary = temporaryName(path);
  try {
    Deno.mkdirSync(dirname(path), { recursive: true });
    {
      using file = Deno.openSync(temporary, { write: true, createNew: true });
      for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
      file.syncSync();
    }
    Deno.renameSync(temporary, path);
  } catch (error) {
    try {
      Deno.removeSync(temporary);
    } catch { /* it was not made */ }
    throw writeError(path, error);
  }
}

/**
 * Says why a file cannot be written, and what to do.
 *
 * @param path The file.
 * @param error What was thrown.
 * @returns An error for people; what was thrown is its cause.
 *
 * @example
 * ```ts
 * import { writeError } from "./write_file.ts";
 *
 * const { message } = writeError("a.txt", { code: "ENOSPC" });
 * console.log(message.split("\n")[0]); // Cannot write "a.txt": no space is left on the device
 * ```
 */
export function writeError(path: string, error: unknown): Error {
  const [reason, help] = writeFailure(error);
  return new Error(`Cannot write "${path}": ${reason}${help === undefined ? "" : `\n  help: ${help}`}`, {
    cause: error,
  });
}

/**
 * Says in words why something could not be written, for a message of the caller's own.
 *
 * @param error What was thrown.
 * @returns The reason, and what to do where that is known.
 *
 * @example
 * ```ts
 * import { writeFailure } from "./write_file.ts";
 *
 * const [reason] = writeFailure({ code: "EROFS" });
 * console.log(reason); // the file system can only be read
 * ```
 */
export function writeFailure(error: unknown): [reason: string, help?: string] {
  if (error instanceof Deno.errors.NotCapable) {
    return ["Deno was not permitted to", "run with --allow-write, or -A"];
  }
  switch ((error as { code?: string } | null)?.code) {
    case "EACCES":
    case "EPERM":
      return ["no permission to write there", "choose another path, or change the folder's permissions"];
    case "EROFS":
      return ["the file system can only be read", "choose a path on another disk"];
    case "ENOSPC":
    case "EDQUOT": // this user's share of the disk is full
      return ["no space is left on the device", "free some space, or choose a path on another disk"];
    case "EISDIR":
      return ["a folder of that name is there", "choose another path"];
    case "EEXIST":
    case "ENOTDIR":
      return ["a file stands where its folder should be", "choose another path"];
    case "ENAMETOOLONG":
      return ["the name is too long", "choose a shorter one"];
    default:
      return [error instanceof Error ? error.message : String(error)];
  }
}

function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}
