import { basename, join, resolve } from "node:path";
import type { ProvisionListener } from "../provision/events.ts";
import { loadForGood } from "../provision/load_for_good.ts";
import { LibraryError, reasonOf } from "../provision/library_error.ts";
import { findProvidedWheel, provideFromWheel, type WheelRequest } from "../provision/python_wheel.ts";
import { checkSharedLibrary } from "../provision/shared_library.ts";
import { symbols } from "./_openvino_symbols.ts";
import { OPENVINO_WHEEL } from "./_openvino_wheel.ts";

/** How {@linkcode findOpenVINO} looks. */
export interface FindOpenVINOOptions {
  /** Whether the library may be downloaded where it is not there. @default {true} */
  readonly download?: boolean;
  /** Told about the progress of a download. */
  readonly onProgress?: ProvisionListener;
  /** Stops a download. */
  readonly signal?: AbortSignal;
  /** The Python package that carries the library. @default {openvino 2026.4.1} */
  readonly wheel?: WheelRequest;
}

/** Where the library is and how it was found. */
export interface FoundOpenVINO {
  /** Absolute path of libopenvino_c; what it needs is beside it. */
  readonly path: string;
  /** `WHITTLE_OPENVINO`, the cache, or a download just now. */
  readonly source: "environment" | "cache" | "download";
  /** The Python package it comes from, where it does. */
  readonly package?: string;
  /** Size of all files that were taken, or of the one named by the environment. */
  readonly sizeBytes: number;
}

/** Functions of the open library. */
export type NativeOpenVINO = Deno.StaticForeignLibraryInterface<typeof symbols>;

/** The open library. */
export interface OpenOpenVINO {
  /** Absolute path. */
  readonly path: string;
  /** OpenVINO's version, e.g. `2026.4.1`. */
  readonly version: string;
  /** OpenVINO's functions. */
  readonly native: NativeOpenVINO;
}

/** Versions whose C API was checked: from the first, below the second. */
const SUPPORTED = { from: "2026.4", below: "2027" } as const;

/** The library's file, whichever its version. */
const FILE = /^libopenvino_c(\.\d+)*\.(so|dylib)(\.\d+)*$/;

/**
 * Finds OpenVINO's C library, in this order: `WHITTLE_OPENVINO` (the file, or a folder that holds it); the cache; a
 * download of the Python package into the cache, for which pip is needed, but nothing of Python later.
 *
 * @param options Whether it may be downloaded, and who is told.
 * @returns Where it is. It was looked at, not opened.
 * @throws {LibraryError} If `WHITTLE_OPENVINO` is wrong, or the library can be neither found nor downloaded.
 *
 * @example
 * ```ts
 * import { findOpenVINO } from "./openvino_library.ts";
 * console.log((await findOpenVINO()).path);
 * ```
 */
export async function findOpenVINO(options: FindOpenVINOOptions = {}): Promise<FoundOpenVINO> {
  const explicit = Deno.env.get("WHITTLE_OPENVINO");
  if (explicit) return await fromEnvironment(explicit);
  const { download = true, onProgress, signal, wheel: request = OPENVINO_WHEEL } = options;
  const wheel = download
    ? await provideFromWheel(request, { onProgress, signal })
    : await findProvidedWheel(request);
  if (wheel === undefined) {
    throw new LibraryError("Cannot find libopenvino_c: it is not in the cache", {
      help: "deno task doctor --download fetches it",
    });
  }
  const path = wheel.files.find((file) => FILE.test(basename(file)))!;
  await checkSharedLibrary(path);
  return { path, source: wheel.source, package: wheel.package, sizeBytes: wheel.sizeBytes };
}

/**
 * Opens OpenVINO's C library. It stays open as long as the process lives.
 *
 * @param path Its path, as {@linkcode findOpenVINO} has it.
 * @returns Its functions, and the version.
 * @throws {LibraryError} If the file does not load, is not OpenVINO's, has another version, or lacks a function.
 *
 * @example
 * ```ts
 * import { findOpenVINO, openOpenVINO } from "./openvino_library.ts";
 * const { version } = await openOpenVINO((await findOpenVINO()).path);
 * console.log(version); // 2026.4.1
 * ```
 */
export async function openOpenVINO(path: string): Promise<OpenOpenVINO> {
  await checkSharedLibrary(path);
  try {
    loadForGood(path);
  } catch (thrown) {
    throw new LibraryError(`Cannot open "${path}": the system's loader refuses it`, {
      details: [reasonOf(thrown)],
      help: "unset WHITTLE_OPENVINO to have the library downloaded with all it needs",
    });
  }
  const version = readVersion(path);
  checkOpenVINO({ path, version, missing: missingFunctions(path) });
  return { path, version: version!, native: Deno.dlopen(path, symbols).symbols };
}

/**
 * Throws where an opened library is not the OpenVINO that is wanted.
 *
 * @param facts Where it is, its version if it has one, and which functions it lacks.
 * @throws {LibraryError} If it is not OpenVINO, has another version, or lacks a function.
 */
export function checkOpenVINO(
  { path, version, missing }: { path: string; version?: string; missing: readonly string[] },
): void {
  if (version === undefined) {
    throw new LibraryError(
      `Cannot use "${path}": it is a shared library, but not OpenVINO's C API: it has no function ` +
        "ov_get_openvino_version",
      { help: "set WHITTLE_OPENVINO to the path of libopenvino_c" },
    );
  }
  const help = "unset WHITTLE_OPENVINO to have the right one downloaded, or point it to a supported one";
  if (!isSupported(version)) {
    throw new LibraryError(
      `Cannot use "${path}": it is OpenVINO ${version}, wanted is ${SUPPORTED.from} or later, below ` +
        SUPPORTED.below,
      { help },
    );
  }
  if (missing.length > 0) {
    throw new LibraryError(
      `Cannot use "${path}": OpenVINO ${version} lacks ${missing.length} of the functions needed`,
      { details: missing.map((name) => `missing: ${name}`), help },
    );
  }
}

async function fromEnvironment(explicit: string): Promise<FoundOpenVINO> {
  const help = "set it to the path of libopenvino_c or of the folder it is in, " +
    "or unset it to have the library downloaded";
  const path = await inFolder(resolve(explicit));
  if (path === undefined) {
    throw new LibraryError(
      `Cannot use WHITTLE_OPENVINO=${explicit}: there is no libopenvino_c in this folder`,
      {
        help,
      },
    );
  }
  try {
    const { sizeBytes } = await checkSharedLibrary(path);
    return { path, source: "environment", sizeBytes };
  } catch (thrown) {
    const lines = (thrown as Error).message.replace(`Cannot load "${path}": `, "").split("\n");
    const [summary, ...details] = lines.map((line) => line.trim()).filter((line) =>
      !line.startsWith("help:")
    );
    throw new LibraryError(`Cannot use WHITTLE_OPENVINO=${explicit}: ${summary}`, { details, help });
  }
}

/** The library in a folder, or the path itself if it is no folder. */
async function inFolder(path: string): Promise<string | undefined> {
  if (!await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false)) return path;
  for await (const { name } of Deno.readDir(path)) if (FILE.test(name)) return join(path, name);
  return undefined;
}

function missingFunctions(path: string): string[] {
  const probes = Object.fromEntries(
    Object.keys(symbols).map((name) => [name, { name, type: "pointer", optional: true } as const]),
  );
  const addresses = Deno.dlopen(path, probes).symbols as Record<string, unknown>;
  return Object.keys(symbols).filter((name) => addresses[name] === null);
}

/** The first part of `2026.4.1-22982-e213a147257-releases/2026/4`. */
function readVersion(path: string): string | undefined {
  const table = {
    ov_get_openvino_version: { parameters: ["buffer"], result: "i32", optional: true },
    ov_version_free: { parameters: ["buffer"], result: "void", optional: true },
  } as const;
  const library = Deno.dlopen(path, table).symbols;
  const strings = new BigUint64Array(2);
  if (library.ov_get_openvino_version?.(strings) !== 0) return undefined;
  const build = Deno.UnsafePointerView.getCString(Deno.UnsafePointer.create(strings[0]!)!);
  library.ov_version_free?.(strings);
  return build.split("-")[0];
}

function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [wantedMajor, wantedMinor] = SUPPORTED.from.split(".").map(Number) as [number, number];
  return major === wantedMajor && minor >= wantedMinor;
}
