import { LibraryError, reasonOf } from "./library_error.ts";

/** How {@linkcode withFileLock} waits. */
export interface FileLockOptions {
  /** Called at once when the lock is taken by another process, and then about twice a second. */
  readonly onWait?: (elapsedSeconds: number, processId?: number) => void;
  /**
   * Give up after so long.
   * @default {3600}
   */
  readonly timeoutSeconds?: number;
  /** Stops the waiting; the signal's reason is thrown. */
  readonly signal?: AbortSignal;
}

/**
 * Runs `work` while no other process on this machine runs anything under the same lock file. The lock is the operating
 * system's own (flock), so it ends with the process that holds it, however that one dies: there is no stale lock. The
 * file stays behind, because removing it would let two processes lock two different files of one name.
 *
 * @param path The lock file; it is created if missing, its folder must exist.
 * @param work What to do alone.
 * @param options How to wait.
 * @returns What `work` returned.
 * @throws {LibraryError} If the lock file cannot be written, or the other process takes too long.
 *
 * @example
 * ```ts
 * import { withFileLock } from "./file_lock.ts";
 * const path = await Deno.makeTempFile();
 * console.assert(await withFileLock(path, () => Promise.resolve(42)) === 42);
 * ```
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  options: FileLockOptions = {},
): Promise<T> {
  using file = await openLockFile(path);
  await waitForLock(file, path, options);
  // Who holds it: only for the message of those who wait.
  await file.truncate();
  await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  try {
    return await work();
  } finally {
    await file.truncate();
    await file.unlock();
  }
}

async function openLockFile(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { read: true, write: true, create: true });
  } catch (thrown) {
    throw new LibraryError(`Cannot write to the cache: ${reasonOf(thrown)}`, {
      help: "make the folder writable, or set WHITTLE_CACHE to another folder",
    });
  }
}

async function waitForLock(file: Deno.FsFile, path: string, options: FileLockOptions): Promise<void> {
  const { onWait, timeoutSeconds = 3600, signal } = options;
  const start = performance.now();
  let lastWord = -Infinity;
  while (!(await tryLock(file, path))) {
    signal?.throwIfAborted();
    const elapsedSeconds = (performance.now() - start) / 1000;
    const processId = await holderOf(path);
    if (elapsedSeconds > timeoutSeconds) {
      const holder = processId === undefined ? "another process" : `process ${processId}`;
      throw new LibraryError(
        `Cannot wait any longer for "${path}": ${holder} has held it for over ${timeoutSeconds} s`,
        { help: `look whether ${holder} still makes progress, end it if not, and run this again` },
      );
    }
    if (elapsedSeconds - lastWord >= 0.5) {
      onWait?.(elapsedSeconds, processId);
      lastWord = elapsedSeconds;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function tryLock(file: Deno.FsFile, path: string): Promise<boolean> {
  try {
    return await file.tryLock(true);
  } catch (thrown) {
    throw new LibraryError(`Cannot lock "${path}": ${reasonOf(thrown)}`, {
      help: "this file system may not know locks: set WHITTLE_CACHE to a folder on a local disk",
    });
  }
}

async function holderOf(path: string): Promise<number | undefined> {
  const text = await Deno.readTextFile(path).catch(() => "");
  const processId = Number(text.trim());
  return Number.isInteger(processId) && processId > 0 ? processId : undefined;
}
