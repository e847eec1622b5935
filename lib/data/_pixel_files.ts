import { crc32 } from "node:zlib";
import { join } from "node:path";
import { writeFile } from "../files/write_file.ts";
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
 * Opens the folder. What is there is counted in the background, oldest first, so that old files can make room for new
 * ones; only the first write waits for that.
 *
 * @param folder Where; `pixels` in Whittle's cache folder by default.
 * @param diskBytes Most bytes to keep, about; by default 4 GiB, and at most a tenth of the free space.
 * @returns The folder. If it cannot be used, one that keeps nothing and says why.
 */
export function createPixelFiles(folder?: string, diskBytes?: number): PixelFiles {
  let problem: string | undefined;
  let bytes = 0, bound = 0;
  let old: { path: string; size: number }[] = []; // oldest first
  const used = new Set<string>(); // by this process: they do not make room
  try {
    folder ??= join(cacheFolder(), "pixels");
  } catch (error) {
    problem = (error as Error).message;
  }
  const isOff = diskBytes === 0 || problem !== undefined;
  const counted = isOff ? Promise.resolve() : count().catch((error) => {
    problem = (error as Error).message;
  });

  async function count(): Promise<void> {
    old = await listFiles(folder!);
    bytes = old.reduce((sum, { size }) => sum + size, 0);
    bound = diskBytes ?? Math.min(4 * 2 ** 30, bytes + await freeBytes(folder!) / 10);
  }

  async function read(key: string, byteLength: number): Promise<Uint8Array | undefined> {
    if (isOff) return undefined;
    const path = join(folder!, key);
    const file = await Deno.readFile(path).catch(() => undefined);
    if (file?.length !== byteLength + checksumBytes) return undefined;
    const pixels = file.subarray(0, byteLength);
    if (crc32(pixels) !== new DataView(file.buffer).getUint32(byteLength)) return undefined;
    used.add(path);
    return pixels;
  }

  async function write(key: string, pixels: Uint8Array): Promise<void> {
    await counted;
    const size = pixels.length + checksumBytes;
    if (isOff || problem || size > bound) return;
    const path = join(folder!, key);
    used.add(path);
    bytes += size; // before any await, so that writes side by side see each other
    try {
      while (bytes > bound && old.length > 0) {
        const oldest = old.shift()!;
        if (used.has(oldest.path)) continue;
        bytes -= oldest.size;
        await Deno.remove(oldest.path).catch(() => {}); // another process was faster
      }
      if (bytes > bound) {
        bytes -= size;
        return;
      }
      const file = new Uint8Array(size);
      file.set(pixels);
      new DataView(file.buffer).setUint32(pixels.length, crc32(pixels));
      await writeFile(path, file, { sync: false }); // the checksum tells what a power cut left half
    } catch (error) {
      problem = (error as Error).message;
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

/** What this cache writes, e.g. `224x224-bilinear/<SHA-256>`; nothing else in its folder is ever touched. */
const ownFiles = /[/\\]\d+x\d+-[a-z]+[/\\][0-9a-f]{64}(\.[0-9a-f]{8}\.tmp)?$/;

/** All files of the cache below a folder, the one that was written first at the front; none if there is no such folder. */
async function listFiles(folder: string): Promise<{ path: string; size: number }[]> {
  const found: { path: string; size: number; modified: number }[] = [];
  const folders = [folder];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    try {
      for await (const entry of Deno.readDir(at)) {
        const path = join(at, entry.name);
        if (entry.isDirectory && at === folder) folders.push(path);
        else if (entry.isFile && ownFiles.test(path)) {
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
