import { decodeImage, readImageFile } from "./decode.ts";
import type { ImageSource, RawImage } from "./dataset.ts";
import type { Preprocessing } from "./preprocessing.ts";
import { createPixelFiles, type PixelFiles } from "./_pixel_files.ts";

/** How much a cache may hold, and where. */
export interface PixelCacheOptions {
  /** Most bytes of pixels kept in memory. @default a quarter of the memory, and at most half of what is free */
  readonly memoryBytes?: number;
  /** Most bytes of pixels kept on disk, about; 0 for none. @default 4 GiB, and at most a tenth of the free space */
  readonly diskBytes?: number;
  /** Folder of the files. @default `pixels` in Whittle's cache folder */
  readonly folder?: string;
}

/** What a cache did so far. */
export interface PixelCacheStatistics {
  /** Pictures that came from memory. */
  readonly memoryHits: number;
  /** Pictures that came from disk. */
  readonly diskHits: number;
  /** Pictures that had to be decoded. */
  readonly decoded: number;
  /** Bytes held in memory now. */
  readonly memoryBytes: number;
  /** Why nothing more is written to disk (no permission, no space), if something went wrong. */
  readonly diskProblem?: string;
}

/** A picture ready for the network, with the key under which the cache finds it again without reading the file. */
export interface CachedPixels {
  /** Content and preprocessing. */
  readonly key: string;
  /** `[height, width, 3]` RGB bytes. Shared: do not write to them. */
  readonly pixels: Uint8Array;
}

/** Decoded pictures, in memory and on disk. */
export interface PixelCache {
  /** The pixels under a key, if they are in memory. */
  peek(key: string): Uint8Array | undefined;
  /**
   * Gives the pixels of a picture: from memory, from disk, or decoded and then kept where there is room.
   *
   * @param source The picture.
   * @param preprocessing Gives the size and the kernel.
   * @param name How messages call it; its path by default.
   * @returns The pixels and their key.
   * @throws {DatasetError} If the picture cannot be read.
   */
  load(source: ImageSource, preprocessing: Preprocessing, name?: string): Promise<CachedPixels>;
  /** What the cache did so far. */
  readonly statistics: PixelCacheStatistics;
}

/**
 * Makes a cache of decoded pictures, so that only the first epoch decodes. Pictures are found by their content (a
 * SHA-256 of the file's bytes) and by the size and kernel they were resized with; a file that was changed is therefore
 * decoded anew. A file that was read before and has kept its size and modification time is not read again.
 *
 * Memory is used first. Every decoded picture is also written to disk, so that what does not fit in memory, and the
 * next run, need no decoding. Disk files are written under a temporary name, renamed, and checked (CRC-32) when read.
 *
 * An epoch asks for every picture once, so what was used longest ago is needed soonest; a full cache therefore keeps
 * what it has, until that has not been asked for in a long time.
 *
 * @param options Bounds and folder.
 * @returns The cache.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createPixelCache } from "./cache.ts";
 * const cache = createPixelCache({ memoryBytes: 2 ** 20, diskBytes: 0 });
 * const grey = { width: 2, height: 2, channels: 1 as const, data: new Uint8Array([0, 0, 255, 255]) };
 * const { key, pixels } = await cache.load(grey, {
 *   size: { height: 2, width: 2 }, interpolation: "bilinear", channelOrder: "rgb", mean: [0, 0, 0], std: [1, 1, 1],
 * });
 * assert(cache.peek(key) === pixels);
 * ```
 */
export function createPixelCache(options: PixelCacheOptions = {}): PixelCache {
  const memoryBound = options.memoryBytes ?? defaultMemoryBytes();
  const memory = new Map<string, { pixels: Uint8Array; lastUse: number }>(); // least recently used first
  const hashes = new Map<string, { state: string; hash: string }>(); // by path
  let files: PixelFiles | undefined;
  let memoryBytes = 0, uses = 0, memoryHits = 0, diskHits = 0, decoded = 0;
  let diskProblem: string | undefined;

  function peek(key: string): Uint8Array | undefined {
    const entry = memory.get(key);
    if (!entry) return undefined;
    memory.delete(key); // back in as the most recently used
    memory.set(key, { pixels: entry.pixels, lastUse: ++uses });
    memoryHits++;
    return entry.pixels;
  }

  function keep(key: string, pixels: Uint8Array): void {
    if (memory.has(key) || pixels.length > memoryBound) return;
    uses++;
    while (memoryBytes + pixels.length > memoryBound) {
      const [oldest, entry] = memory.entries().next().value!;
      if (uses - entry.lastUse < 4 * memory.size) return; // still in use
      memory.delete(oldest);
      memoryBytes -= entry.pixels.length;
    }
    memory.set(key, { pixels, lastUse: uses });
    memoryBytes += pixels.length;
  }

  /** SHA-256 of a picture; with its bytes where they had to be read for that. */
  async function contentOf(source: ImageSource): Promise<{ hash: string; bytes?: Uint8Array }> {
    if (source instanceof Uint8Array) return { hash: await sha256(source), bytes: source };
    if (isRaw(source)) {
      return { hash: `${source.width}x${source.height}x${source.channels}-${await sha256(source.data)}` };
    }
    const path = String(source);
    const state = await fileState(source);
    const known = hashes.get(path);
    if (known && known.state === state) return known;
    const bytes = await readImageFile(source);
    const hash = await sha256(bytes);
    if (state) hashes.set(path, { state, hash });
    return { hash, bytes };
  }

  async function load(
    source: ImageSource,
    preprocessing: Preprocessing,
    name?: string,
  ): Promise<CachedPixels> {
    const { size: { height, width }, interpolation } = preprocessing;
    const { hash, bytes } = await contentOf(source);
    const key = `${height}x${width}-${interpolation}/${hash}`;
    const inMemory = peek(key);
    if (inMemory) return { key, pixels: inMemory };

    const disk = files ??= createPixelFiles(options.folder, options.diskBytes);
    const onDisk = await disk.read(key, height * width * 3);
    if (onDisk) {
      diskHits++;
      keep(key, onDisk);
      return { key, pixels: onDisk };
    }

    const called = name ?? (typeof source === "string" ? source : undefined);
    const pixels = await decodeImage(bytes ?? source, preprocessing, called);
    decoded++;
    keep(key, pixels);
    if (!isRaw(source)) await disk.write(key, pixels);
    diskProblem = disk.problem;
    return { key, pixels };
  }

  return {
    peek,
    load,
    get statistics() {
      return { memoryHits, diskHits, decoded, memoryBytes, diskProblem };
    },
  };
}

let shared: PixelCache | undefined;

/**
 * The cache that all runs of this process use unless they are given one: in a notebook the second run does not decode.
 *
 * @returns A cache with the default bounds, made at the first call.
 */
export function sharedPixelCache(): PixelCache {
  return shared ??= createPixelCache();
}

function defaultMemoryBytes(): number {
  const { total, available } = Deno.systemMemoryInfo();
  return Math.min(total / 4, available / 2, containerMemoryBytes() / 4);
}

/** What the control group of a container allows on Linux. */
function containerMemoryBytes(): number {
  try {
    return Number.parseInt(Deno.readTextFileSync("/sys/fs/cgroup/memory.max")) || Infinity; // "max" is no number
  } catch {
    return Infinity;
  }
}

function isRaw(source: ImageSource): source is RawImage {
  return typeof source === "object" && "channels" in source;
}

/** Changes when the file's content does; `undefined` if the file cannot be looked at. */
async function fileState(path: string | URL): Promise<string | undefined> {
  try {
    const { size, mtime, ino } = await Deno.stat(path);
    return `${size} ${mtime?.getTime()} ${ino}`;
  } catch {
    return undefined; // reading it will say why
  }
}

async function sha256(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource)).toHex();
}
