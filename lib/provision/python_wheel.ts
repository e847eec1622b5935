import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { cacheFolder, formatBytes, freeBytes, installOnce, requireFreeSpace } from "./cache.ts";
import { type ProvisionListener, reportBytes } from "./events.ts";
import { LibraryError } from "./library_error.ts";
import { findPip, pipDownload } from "./pip.ts";
import { type Manifest, unpackWheel } from "./_unpack_wheel.ts";

/** An operating system and a processor, in the words of `Deno.build`. */
export type Platform = `${"linux" | "darwin" | "windows"}-${"x86_64" | "aarch64"}`;

/** The wheel for one platform. */
export interface PlatformWheel {
  /** The platform tag in the wheel's name, e.g. `manylinux_2_27_x86_64`. */
  readonly tag: string;
  /** The package, where it has another name on this platform. */
  readonly package?: string;
  /** Size of the wheel. */
  readonly sizeBytes: number;
  /** SHA-256 of the wheel in hexadecimal; the wheel is not used if it has another one. */
  readonly sha256?: string;
  /** The files that are wanted: paths in the wheel, or patterns of such paths. Each must match something. */
  readonly members: readonly (string | RegExp)[];
  /** Size of these files. */
  readonly unpackedBytes: number;
}

/** A native library that a Python package carries. Python itself is not used. */
export interface WheelRequest {
  /** Name in the package index, e.g. `tensorflow-cpu`. */
  readonly package: string;
  /** E.g. `2.21.0`. */
  readonly version: string;
  /** The Python the wheel is for, e.g. `3.13`: the files wanted do not depend on it, but a wheel's name does. */
  readonly pythonVersion: string;
  /** The wheels that exist. */
  readonly platforms: Partial<Record<Platform, PlatformWheel>>;
  /** What else a user can do on a platform without a wheel, or without pip. */
  readonly otherwise: string;
}

/** How {@linkcode provideFromWheel} works. */
export interface ProvideOptions {
  /**
   * Folder of the cache.
   * @default {cacheFolder()}
   */
  readonly cache?: string;
  /** Told about progress. */
  readonly onProgress?: ProvisionListener;
  /** Stops everything; the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /**
   * The machine the files are for.
   * @default {`${Deno.build.os}-${Deno.build.arch}`}
   */
  readonly platform?: Platform;
  /** How free disk space is read, in bytes. */
  readonly freeBytes?: (folder: string) => Promise<number>;
  /**
   * How long to wait for another process that provides the same.
   * @default {3600}
   */
  readonly timeoutSeconds?: number;
}

/** Files of a wheel, in the cache. */
export interface ProvidedWheel {
  /** The package it comes from; some platforms have another one than was asked for. */
  readonly package: string;
  /** E.g. `2.21.0`. */
  readonly version: string;
  /** The folder in the cache that has the wheel's layout. */
  readonly folder: string;
  /** Absolute paths of the files, in the order of the wheel. */
  readonly files: readonly string[];
  /** Of all files together. */
  readonly sizeBytes: number;
  /** Whether it was there or had to be fetched. */
  readonly source: "cache" | "download";
}

/**
 * Takes native libraries out of a Python wheel: from the cache, or else the wheel is downloaded with pip, the wanted
 * files are unpacked into the cache and checked (size, CRC, SHA-256, file type, processor), and the wheel is dropped.
 * Safe when several processes start at once, and when one of them is killed.
 *
 * @param request The package and the files wanted of it.
 * @param options Where to, and who is told.
 * @returns Where the files are.
 * @throws {LibraryError} If they cannot be had: no wheel for this platform, no pip, no network, no space, a download
 * that was cut off, or a wheel with other content.
 */
export async function provideFromWheel(
  request: WheelRequest,
  options: ProvideOptions = {},
): Promise<ProvidedWheel> {
  const start = performance.now();
  const { onProgress, signal, timeoutSeconds } = options;
  const { wheel, what, cache, name } = resolveRequest(request, options);
  const { path, built } = await installOnce({
    cache,
    name,
    signal,
    timeoutSeconds,
    isWhole: async (folder) => (await readManifest(folder)) !== undefined,
    onWait: (elapsedSeconds, processId) => onProgress?.({ type: "wait", what, processId, elapsedSeconds }),
    build: async (folder, scratch) => {
      const measure = options.freeBytes ?? freeBytes;
      await requireFreeSpace(`download ${what}`, cache, wheel.sizeBytes + wheel.unpackedBytes, measure);
      const archive = await download(request, wheel, what, scratch, options);
      await unpackWheel(archive, request, wheel, folder, { ...options, what });
    },
  });
  if (built) onProgress?.({ type: "ready", what, path, seconds: (performance.now() - start) / 1000 });
  return { ...(await describe(path)), source: built ? "download" : "cache" };
}

/**
 * What {@linkcode provideFromWheel} would take from the cache; downloads nothing.
 *
 * @param request The package and the files wanted of it.
 * @param options Where the cache is.
 * @returns Where the files are, or `undefined` if they are not there or not whole.
 * @throws {LibraryError} If there is no wheel for this platform.
 */
export async function findProvidedWheel(
  request: WheelRequest,
  options: Pick<ProvideOptions, "cache" | "platform"> = {},
): Promise<ProvidedWheel | undefined> {
  const { cache, name } = resolveRequest(request, options);
  const folder = join(cache, name);
  if ((await readManifest(folder)) === undefined) return undefined;
  return { ...(await describe(folder)), source: "cache" };
}

function resolveRequest(request: WheelRequest, options: ProvideOptions): {
  wheel: PlatformWheel;
  what: string;
  cache: string;
  name: string;
} {
  const platform = options.platform ?? `${Deno.build.os}-${Deno.build.arch}` as Platform;
  const wheel = request.platforms[platform];
  if (wheel === undefined) {
    const known = Object.keys(request.platforms).join(", ");
    throw new LibraryError(
      `Cannot download ${request.package} ${request.version}: there is no wheel for ${platform}, only for ${known}`,
      { help: request.otherwise },
    );
  }
  const packageName = wheel.package ?? request.package;
  return {
    wheel,
    what: `${packageName} ${request.version}`,
    cache: options.cache ?? cacheFolder(),
    name: `${packageName}-${request.version}-${platform}`,
  };
}

async function download(
  request: WheelRequest,
  wheel: PlatformWheel,
  what: string,
  folder: string,
  options: ProvideOptions,
): Promise<string> {
  const { onProgress, signal } = options;
  const report = reportBytes("download", what, onProgress);
  report(0, wheel.sizeBytes);
  const path = await pipDownload(await findPip(request.otherwise), {
    package: wheel.package ?? request.package,
    version: request.version,
    pythonVersion: request.pythonVersion,
    tag: wheel.tag,
    folder,
    signal,
    otherwise: request.otherwise,
    onBytes: (done) => report(Math.min(done, wheel.sizeBytes - 1), wheel.sizeBytes),
    onWarning: (message) => onProgress?.({ type: "warning", what, message }),
  });
  if (wheel.sha256 !== undefined) await checkDigest(path, wheel.sha256, what);
  report(wheel.sizeBytes, wheel.sizeBytes);
  return path;
}

async function checkDigest(path: string, wanted: string, what: string): Promise<void> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const buffer = new Uint8Array(1 << 20);
  for (let count; (count = await file.read(buffer)) !== null;) hash.update(buffer.subarray(0, count));
  const found = hash.digest("hex");
  if (found === wanted) return;
  throw new LibraryError(`Cannot use ${what}: ${basename(path)} is not the file that was published`, {
    details: [`it has ${formatBytes(size)} and SHA-256 ${found}`, `wanted is SHA-256 ${wanted}`],
    help: "run this again; if that does not help, check pip's index (pip config list)",
  });
}

/** The manifest, if every file is there in the size it should have. */
async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    const manifest: Manifest = JSON.parse(await Deno.readTextFile(join(folder, "wheel.json")));
    for (const { path, sizeBytes } of manifest.files) {
      const { size } = await Deno.stat(join(folder, path));
      if (size !== sizeBytes) return undefined;
    }
    return manifest;
  } catch {
    return undefined;
  }
}

async function describe(folder: string): Promise<Omit<ProvidedWheel, "source">> {
  const manifest: Manifest = JSON.parse(await Deno.readTextFile(join(folder, "wheel.json")));
  return {
    package: manifest.package,
    version: manifest.version,
    folder,
    files: manifest.files.map(({ path }) => join(folder, path)),
    sizeBytes: manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}
