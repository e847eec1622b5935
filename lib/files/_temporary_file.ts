/** A name beside a file under which its content can wait: `<path>.<8 hexadecimal digits>.tmp`. */
export function temporaryName(path: string): string {
  return `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
}

/** Writes a new file; with `sync` it is on the disk when this returns. */
export async function writeNewFile(
  path: string,
  bytes: Uint8Array,
  { sync }: { sync: boolean },
): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  if (sync) await file.sync();
}

/** Makes renames in a folder durable. Not every platform can open a folder, hence the silence. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    using handle = await Deno.open(folder);
    await handle.sync();
  } catch { /* the content is safe; after a power cut the old file may be there instead */ }
}
