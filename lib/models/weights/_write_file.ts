import { dirname } from "node:path";

/**
 * Writes a file so that a reader finds the old content or the new one, never half: the bytes go to a temporary
 * name beside the target, are flushed to the disk, and take the target's name in one rename.
 *
 * @param path target file; an existing one is replaced
 * @param bytes the content
 * @throws {Error} if the file cannot be written (folder missing, no permission, disk full); the temporary file
 * is removed and the old target is left as it was
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    const file = await Deno.open(temporary, { write: true, createNew: true });
    try {
      for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw new Error(describeWriteError(path, error), { cause: error });
  }
  await syncFolder(dirname(path));
}

function describeWriteError(path: string, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const action = `Cannot write "${path}"`;
  if (error instanceof Deno.errors.NotFound) {
    return `${action}: the folder "${dirname(path)}" does not exist\n  help: create the folder first`;
  }
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return `${action}: no permission to write there\n  help: choose another path, or change the folder's permissions`;
  }
  if (/ENOSPC|os error 28\b|no space/i.test(text)) {
    return `${action}: no space is left on the device\n  help: free some space, or choose a path on another disk`;
  }
  return `${action}: ${text}`;
}

/** Makes the rename itself durable. Not every platform can open a folder, hence the silence. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await Deno.open(folder === "" ? "." : folder, { read: true });
    try {
      await handle.sync();
    } finally {
      handle.close();
    }
  } catch { /* the file's content is safe already; only the order of names on a crash is at stake */ }
}
