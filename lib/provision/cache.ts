import { join, resolve } from "node:path";
import { statfs } from "node:fs/promises";
import { LibraryError, reasonOf } from "./library_error.ts";
import { type FileLockOptions, withFileLock } from "./file_lock.ts";

/**
 * The folder where downloaded libraries and weights are kept: `WHITTLE_CACHE` from the environment, else `whittle` in
 * the folder the operating system has for caches.
 *
 * @returns An absolute path; the folder need not exist yet.
 * @throws {LibraryError} If neither `WHITTLE_CACHE` nor a home folder is set.
 *
 * @example
 * ```ts
 * import { cacheFolder } from "./cache.ts";
 * console.log(cacheFolder()); // /home/ada/.cache/whittle
 * ```
 */
export function cacheFolder(): string {
  const explicit = Deno.env.get("WHITTLE_CACHE");
  if (explicit) return resolve(explicit);
  const home = Deno.env.get("HOME");
  const base = Deno.build.os === "darwin"
    ? home && join(home, "Library", "Caches")
    : Deno.build.os === "windows"
    ? Deno.env.get("LOCALAPPDATA")
    : Deno.env.get("XDG_CACHE_HOME") || (home && join(home, ".cache"));
  if (!base) {
    throw new LibraryError("Cannot choose a cache folder: neither WHITTLE_CACHE nor HOME is set", {
      help: "set WHITTLE_CACHE to a folder that can be written",
    });
  }
  return join(base, "whittle");
}

/**
 * How much this user can still write on the disk of a folder.
 *
 * @param folder A path; where it does not exist yet, the nearest folder above it counts.
 * @returns Bytes.
 */
export async function freeBytes(folder: string): Promise<number> {
  for (let at = folder;; at = join(at, "..")) {
    try {
      const { bavail, bsize } = await statfs(at);
      return bavail * bsize;
    } catch (thrown) {
      const missing = (thrown as { code?: string }).code === "ENOENT";
      if (!missing || at === join(at, "..")) throw thrown;
    }
  }
}

/**
 * Throws where a disk is too full for what is about to be written.
 *
 * @param action What needs the space, for the message: `download tensorflow-cpu 2.21.0`.
 * @param folder Where it will be written.
 * @param neededBytes How much.
 * @param measure How free space is read.
 * @throws {LibraryError} If fewer bytes are free.
 */
export async function requireFreeSpace(
  action: string,
  folder: string,
  neededBytes: number,
  measure: (folder: string) => Promise<number> = freeBytes,
): Promise<void> {
  const free = await measure(folder);
  if (free >= neededBytes) return;
  throw new LibraryError(
    `Cannot ${action}: "${folder}" has ${formatBytes(free)} free, ${formatBytes(neededBytes)} are needed`,
    { help: "make space there, or set WHITTLE_CACHE to a folder on a larger disk" },
  );
}

/**
 * Bytes for people, in decimal units.
 *
 * @param bytes 0 or more.
 * @returns For example `853 MB` or `1.4 kB`.
 */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** What {@linkcode installOnce} needs to know. */
export interface InstallOptions extends FileLockOptions {
  /** The folder that holds installed things; created if missing. */
  readonly cache: string;
  /** Name of the folder to install, inside `cache`. */
  readonly name: string;
  /** Whether the installed folder is whole; one that is not is replaced. */
  readonly isWhole: (folder: string) => Promise<boolean>;
  /**
   * Makes the content. `folder` is empty and becomes the installed folder; `scratch` is empty and thrown away. Files
   * must be synced to disk by whoever writes them.
   */
  readonly build: (folder: string, scratch: string) => Promise<void>;
}

/**
 * Makes a folder in the cache once, whatever happens: it is built under another name and renamed when it is done, so
 * it is there and whole or not there; of several processes that want it at the same time one builds and the others
 * wait for it; what a killed process left half-built is cleared by the next.
 *
 * @param options What to build, and where.
 * @returns The installed folder, and whether this call built it.
 * @throws {LibraryError} If the cache cannot be written; and whatever `build` throws.
 */
export async function installOnce(options: InstallOptions): Promise<{ path: string; built: boolean }> {
  const { cache, name, isWhole, build } = options;
  const path = join(cache, name);
  if (await isWhole(path)) return { path, built: false };
  await makeFolder(cache);
  return await withFileLock(join(cache, `${name}.lock`), async () => {
    if (await isWhole(path)) return { path, built: false };
    await clearLeftovers(cache, name);
    const partial = join(cache, `${name}.partial-${crypto.randomUUID().slice(0, 8)}`);
    try {
      const folder = join(partial, "content");
      const scratch = join(partial, "scratch");
      await makeFolder(folder);
      await makeFolder(scratch);
      await build(folder, scratch);
      await Deno.remove(path, { recursive: true }).catch(ignoreMissing);
      await Deno.rename(folder, path);
      await syncFolder(cache);
      return { path, built: true };
    } finally {
      await Deno.remove(partial, { recursive: true }).catch(ignoreMissing);
    }
  }, options);
}

/**
 * Under the lock, so whatever is half-built belongs to nobody alive; but a child of the dead may still write into it,
 * and then it is left to the next.
 */
async function clearLeftovers(cache: string, name: string): Promise<void> {
  for await (const entry of Deno.readDir(cache)) {
    if (!entry.name.startsWith(`${name}.partial-`)) continue;
    await Deno.remove(join(cache, entry.name), { recursive: true }).catch(() => {});
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (thrown) {
    throw new LibraryError(`Cannot create the cache folder "${path}": ${reasonOf(thrown)}`, {
      help: "make it writable, or set WHITTLE_CACHE to another folder",
    });
  }
}

/** A rename survives a power cut only once the folder that holds the name is on disk too. */
async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path);
  await folder.sync();
}

function ignoreMissing(thrown: unknown): void {
  if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
}
