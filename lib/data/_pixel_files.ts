import { crc32 } from "node:zlib";
import { dirname, join } from "node:path";
import { cacheFolder, freeBytes } from "../provision/cache.ts";

/** A bounded folder of decoded pictures. A cache only: whatever goes wrong, the picture is decoded again. */
export interface PixelFiles {
  /** The pixels under a key, or `undefined` if they are not there whole. */
  read(key: string, byteLength: number): Promise<Uint8Array | undefined>;
  /** Keeps pixels under a key if there is room. */
  write(key: string, pixels: Uint8Array): Promise<void>;
  /** Why nothing is written any more, if something went wrong. */
  readonly problem: string | undefined;
}

const checksumBytes = 4;

/**
 * Opens the folder: counts what is there, oldest first, so that old files can make room for new ones.
 *
 * @param folder Where; `pixels` in Whittle's cache folder by default.
 * @param diskBytes Most bytes to keep, about; by default 4 GiB, and at most a tenth of the free space.
 * @returns The folder. If it cannot be used, one that keeps nothing and says why.
 */
export async function createPixelFiles(folder?: string, diskBytes?: number): Promise<PixelFiles> {
  let problem: string | undefined;
  let bytes = 0, bound = 0;
  const old = new Map<string, number>(); // path -> bytes, of files this process has not used, oldest first
  try {
    folder ??= join(cacheFolder(), "pixels");
    const present = await listFiles(folder);
    bytes = present.reduce((sum, file) => sum + file.size, 0);
    for (const { path, size } of present) old.set(path, size);
    bound = diskBytes ?? Math.min(4 * 2 ** 30, bytes + await freeBytes(folder) / 10);
  } catch (error) {
    problem = (error as Error).message;
  }

  async function read(key: string, byteLength: number): Promise<Uint8Array | undefined> {
    if (bound === 0) return undefined;
    const path = join(folder!, key);
    const file = await Deno.readFile(path).catch(() => undefined);
    if (file?.length !== byteLength + checksumBytes) return undefined;
    const pixels = file.subarray(0, byteLength);
    if (crc32(pixels) !== new DataView(file.buffer).getUint32(byteLength)) return undefined;
    old.delete(path);
    return pixels;
  }

  async function write(key: string, pixels: Uint8Array): Promise<void> {
    const size = pixels.length + checksumBytes;
    if (problem || size > bound) return;
    const path = join(folder!, key), temporary = `${path}.${crypto.randomUUID()}.tmp`;
    bytes += size; // before any await, so that writes side by side see each other
    try {
      for (const [oldest, oldSize] of old) {
        if (bytes <= bound) break;
        old.delete(oldest);
        bytes -= oldSize;
        await Deno.remove(oldest).catch(() => {}); // another process was faster
      }
      if (bytes > bound) {
        bytes -= size;
        return;
      }
      const file = new Uint8Array(size);
      file.set(pixels);
      new DataView(file.buffer).setUint32(pixels.length, crc32(pixels));
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeFile(temporary, file);
      await Deno.rename(temporary, path);
    } catch (error) {
      problem = (error as Error).message;
      await Deno.remove(temporary).catch(() => {});
    }
  }

  return {
    read,
    write,
    get problem() {
      return problem;
    },
  };
}

/** All files below a folder, the one that was written first at the front; none if there is no such folder. */
async function listFiles(folder: string): Promise<{ path: string; size: number; modified: number }[]> {
  const found: { path: string; size: number; modified: number }[] = [];
  const folders = [folder];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    try {
      for await (const entry of Deno.readDir(at)) {
        const path = join(at, entry.name);
        if (entry.isDirectory) folders.push(path);
        else if (entry.isFile) {
          const { size, mtime } = await Deno.stat(path);
          found.push({ path, size, modified: mtime?.getTime() ?? 0 });
        }
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // another process may clean up
    }
  }
  return found.sort((a, b) => a.modified - b.modified);
}
