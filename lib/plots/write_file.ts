import { basename, dirname, join } from "node:path";

/**
 * Writes a whole file so that it is complete or absent, never half: to a temporary name beside the target, synced to
 * the disk, then renamed over it.
 *
 * @param path Where the file goes; its folder is made if needed.
 * @param content Text or bytes.
 * @returns When the file is in place.
 *
 * @example Save a text
 * ```ts
 * const file = await Deno.makeTempFile();
 * await writeFileWhole(file, "hello");
 * ```
 */
export async function writeFileWhole(path: string, content: string | Uint8Array): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const folder = dirname(path);
  await Deno.mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${basename(path)}.${crypto.randomUUID().slice(0, 8)}.tmp`);
  try {
    const file = await Deno.open(temporary, { write: true, createNew: true });
    try {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}
