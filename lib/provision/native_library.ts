import { basename, join, resolve } from "node:path";
import type { ProvisionListener } from "./events.ts";
import { LibraryError, reasonOf } from "./library_error.ts";
import { loadForGood } from "./load_for_good.ts";
import { findProvidedWheel, provideFromWheel, type WheelRequest } from "./python_wheel.ts";
import { checkSharedLibrary } from "./shared_library.ts";

/** A native library that a variable of the environment may name, and that a Python wheel carries. */
export interface NativeLibrary {
  /** Name of its file without the endings, e.g. `libopenvino_c`. */
  readonly name: string;
  /** Name of its file, whichever the version. */
  readonly file: RegExp;
  /** The variable, e.g. `WHITTLE_OPENVINO`: the path of the file, or of a folder that holds it. */
  readonly variable: string;
  /** What the variable is to be set to, in words: `the path of libopenvino_c or of the folder it is in`. */
  readonly wanted: string;
  /** The wheel. */
  readonly wheel: WheelRequest;
}

/** How {@linkcode findNativeLibrary} looks. */
export interface FindNativeLibraryOptions {
  /** Whether the library may be downloaded where it is not there. @default {true} */
  readonly download?: boolean;
  /** Told about the progress of a download. */
  readonly onProgress?: ProvisionListener;
  /** Stops a download. */
  readonly signal?: AbortSignal;
  /** Another Python package that carries the library. @default {the library's} */
  readonly wheel?: WheelRequest;
}

/** Where a library is and how it was found. */
export interface FoundNativeLibrary {
  /** Absolute path of the library; what it needs is beside it. */
  readonly path: string;
  /** The variable of the environment, the cache, or a download just now. */
  readonly source: "environment" | "cache" | "download";
  /** The Python package it comes from, where it does. */
  readonly package?: string;
  /** Size of all files that were taken, or of the one named by the environment. */
  readonly sizeBytes: number;
}

/**
 * Finds a native library, in this order: its variable of the environment; the cache; a download of the Python package
 * into the cache, for which pip is needed, but nothing of Python later.
 *
 * @param library What is looked for.
 * @param options Whether it may be downloaded, and who is told.
 * @returns Where it is. It was looked at, not opened.
 * @throws {LibraryError} If the variable is wrong, or the library can be neither found nor downloaded.
 */
export async function findNativeLibrary(
  library: NativeLibrary,
  options: FindNativeLibraryOptions = {},
): Promise<FoundNativeLibrary> {
  const explicit = Deno.env.get(library.variable);
  if (explicit) return await fromEnvironment(explicit, library);
  const { download = true, onProgress, signal, wheel: request = library.wheel } = options;
  const wheel = download
    ? await provideFromWheel(request, { onProgress, signal })
    : await findProvidedWheel(request);
  if (wheel === undefined) {
    throw new LibraryError(`Cannot find ${library.name}: it is not in the cache`, {
      help: "deno task doctor --download fetches it",
    });
  }
  const path = wheel.files.find((file) => library.file.test(basename(file)))!;
  await checkSharedLibrary(path);
  return { path, source: wheel.source, package: wheel.package, sizeBytes: wheel.sizeBytes };
}

async function fromEnvironment(explicit: string, library: NativeLibrary): Promise<FoundNativeLibrary> {
  const { name, variable, wanted } = library;
  const help = `set it to ${wanted}, or unset it to have the library downloaded`;
  const path = await inFolder(resolve(explicit), library);
  if (path === undefined) {
    throw new LibraryError(`Cannot use ${variable}=${explicit}: there is no ${name} in this folder`, {
      help,
    });
  }
  try {
    const { sizeBytes } = await checkSharedLibrary(path);
    return { path, source: "environment", sizeBytes };
  } catch (thrown) {
    const lines = (thrown as Error).message.replace(`Cannot load "${path}": `, "").split("\n");
    const [summary, ...details] = lines.map((line) => line.trim()).filter((line) =>
      !line.startsWith("help:")
    );
    throw new LibraryError(`Cannot use ${variable}=${explicit}: ${summary}`, { details, help });
  }
}

/** The library in a folder, or the path itself if it is no folder. */
async function inFolder(path: string, { file }: NativeLibrary): Promise<string | undefined> {
  if (!await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false)) return path;
  for await (const { name } of Deno.readDir(path)) if (file.test(name)) return join(path, name);
  return undefined;
}

/**
 * Loads a library; it stays open as long as the process lives.
 *
 * @param path Its path.
 * @param help What to do where the system's loader refuses it.
 * @throws {LibraryError} If the file is no library for this machine, or does not load.
 */
export async function loadNativeLibrary(path: string, help: string): Promise<void> {
  await checkSharedLibrary(path);
  try {
    loadForGood(path);
  } catch (thrown) {
    throw new LibraryError(`Cannot open "${path}": the system's loader refuses it`, {
      details: [reasonOf(thrown)],
      help,
    });
  }
}

/**
 * Which functions a library, and those it needs, do not have.
 *
 * @param path Path of a library that is loaded.
 * @param names Names of functions.
 * @returns The names that were not found, in the same order.
 */
export function missingFunctions(path: string, names: readonly string[]): string[] {
  const probes = Object.fromEntries(
    names.map((name) => [name, { name, type: "pointer", optional: true } as const]),
  );
  const addresses = Deno.dlopen(path, probes).symbols as Record<string, unknown>;
  return names.filter((name) => addresses[name] === null);
}

/**
 * Whether a version is `from` or a later one of the same major version.
 *
 * @param version E.g. `3.2.1`.
 * @param from E.g. `3.2`.
 */
export function isSupportedVersion(version: string, from: string): boolean {
  const [major, minor = 0] = version.split(".").map(Number);
  const [wantedMajor, wantedMinor] = from.split(".").map(Number) as [number, number];
  return major === wantedMajor && minor >= wantedMinor;
}
