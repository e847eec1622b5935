import { resolve } from "node:path";
import type { ProvisionListener } from "../provision/events.ts";
import { loadForGood } from "../provision/load_for_good.ts";
import { LibraryError, reasonOf } from "../provision/library_error.ts";
import { findProvidedWheel, provideFromWheel, type WheelRequest } from "../provision/python_wheel.ts";
import { checkSharedLibrary } from "../provision/shared_library.ts";
import { requireOneDNN } from "./availability.ts";
import { openMPSymbols, symbols, systemSymbols } from "./symbols.ts";
import { ONEDNN_WHEEL } from "./_wheel.ts";

/** How {@linkcode findOneDNN} looks. */
export interface FindOneDNNOptions {
  /**
   * Whether the library may be downloaded where it is not there.
   * @default {true}
   */
  readonly download?: boolean;
  /** Told about the progress of a download. */
  readonly onProgress?: ProvisionListener;
  /** Stops a download. */
  readonly signal?: AbortSignal;
  /**
   * The Python package that carries the library.
   * @default {onednn-cpu-gomp 2023.2.0, which is oneDNN 3.2}
   */
  readonly wheel?: WheelRequest;
}

/** Where the library is and how it was found. */
export interface FoundOneDNN {
  /** Absolute path of libdnnl. */
  readonly path: string;
  /** `WHITTLE_ONEDNN`, the cache, or a download just now. */
  readonly source: "environment" | "cache" | "download";
  /** The Python package it comes from, where it does. */
  readonly package?: string;
  /** Size of the file. */
  readonly sizeBytes: number;
}

/** Functions of the open library. */
export type NativeOneDNN = Deno.StaticForeignLibraryInterface<typeof symbols>;
/** Functions of the OpenMP that the library computes with. */
export type NativeOpenMP = Deno.StaticForeignLibraryInterface<typeof openMPSymbols>;
/** Functions of the C library. */
export type NativeSystem = Deno.StaticForeignLibraryInterface<typeof systemSymbols>;

/** The open library. */
export interface OpenOneDNN {
  /** Absolute path. */
  readonly path: string;
  /** oneDNN's version, e.g. `3.2.0`. */
  readonly version: string;
  /** oneDNN's functions. */
  readonly native: NativeOneDNN;
  /** The threads it computes with. */
  readonly openMP: NativeOpenMP;
  /** What it takes of the C library. */
  readonly system: NativeSystem;
}

/** What an opened library says of itself. */
export interface OneDNNFacts {
  /** Where it is. */
  readonly path: string;
  /** E.g. `3.2.0`; missing where it is not oneDNN. */
  readonly version?: string;
  /** `dnnl_version()->cpu_runtime`. */
  readonly cpuRuntime?: number;
  /** The functions that are needed and not there. */
  readonly missing: readonly string[];
}

/** Versions whose C API was checked: from the first, below the second. */
const SUPPORTED = { from: "3.2", below: "4" } as const;

/** `DNNL_RUNTIME_*`. */
const RUNTIMES: Record<number, string> = { 0: "no CPU", 1: "one thread", 4: "TBB", 8: "a thread pool" };
const OPENMP_RUNTIME = 2;
const SYCL_RUNTIME = 512;

/** `dnnl_cpu_isa_t`. */
const INSTRUCTION_SETS: Record<number, string> = {
  0x1: "SSE4.1",
  0x3: "AVX",
  0x7: "AVX2",
  0xf: "AVX2 with VNNI",
  0x1f: "AVX2 with VNNI, bf16 and fp16",
  0x27: "AVX-512",
  0x67: "AVX-512 with VNNI",
  0xe7: "AVX-512 with VNNI and bf16",
  0x1ef: "AVX-512 with VNNI, bf16 and fp16",
  0xfef: "AVX-512 with VNNI, bf16, fp16 and AMX",
  0x1fef: "AVX-512 with VNNI, bf16, fp16, AMX and AMX-fp16",
};

/**
 * Finds oneDNN's shared library, in this order: `WHITTLE_ONEDNN` (the file); the cache; a download of the Python
 * package into the cache, for which pip is needed, but nothing of Python later.
 *
 * @param options Whether it may be downloaded, and who is told.
 * @returns Where it is. It was looked at, not opened.
 * @throws {LibraryError} If oneDNN cannot compute on this machine, `WHITTLE_ONEDNN` is wrong, or the library can be
 * neither found nor downloaded.
 *
 * @example
 * ```ts
 * import { onednnUnavailable } from "./availability.ts";
 * import { findOneDNN } from "./library.ts";
 * if (onednnUnavailable() === undefined) console.log((await findOneDNN()).path);
 * ```
 */
export async function findOneDNN(options: FindOneDNNOptions = {}): Promise<FoundOneDNN> {
  requireOneDNN();
  const explicit = Deno.env.get("WHITTLE_ONEDNN");
  if (explicit) return await fromEnvironment(explicit);
  const { download = true, onProgress, signal, wheel: request = ONEDNN_WHEEL } = options;
  const wheel = download
    ? await provideFromWheel(request, { onProgress, signal })
    : await findProvidedWheel(request);
  if (wheel === undefined) {
    throw new LibraryError("Cannot find libdnnl: it is not in the cache", {
      help: "deno task doctor --download fetches it",
    });
  }
  const { files: [path], source, sizeBytes } = wheel;
  await checkSharedLibrary(path);
  return { path, source, package: wheel.package, sizeBytes };
}

/**
 * Opens oneDNN's shared library. It stays open as long as the process lives; opened again, in a Worker too, it is the
 * same one: the threads and the cache of primitives are shared.
 *
 * @param path Its path, as {@linkcode findOneDNN} has it.
 * @returns Its functions, and the version.
 * @throws {LibraryError} If oneDNN cannot compute on this machine, or the file does not load, is not oneDNN, has another
 * version, lacks a function or computes with other threads than OpenMP's.
 *
 * @example
 * ```ts
 * import { onednnUnavailable } from "./availability.ts";
 * import { findOneDNN, openOneDNN } from "./library.ts";
 * if (onednnUnavailable() === undefined) {
 *   const { version, openMP } = await openOneDNN((await findOneDNN()).path);
 *   console.log(version, openMP.omp_get_max_threads()); // 3.2.0 16
 * }
 * ```
 */
export async function openOneDNN(path: string): Promise<OpenOneDNN> {
  requireOneDNN();
  await checkSharedLibrary(path);
  try {
    loadForGood(path);
  } catch (thrown) {
    throw new LibraryError(`Cannot open "${path}": the system's loader refuses it`, {
      details: [reasonOf(thrown)],
      help: "set WHITTLE_ONEDNN to another libdnnl.so.3; deno task doctor shows what was found",
    });
  }
  // A library's handle leads to the functions of the libraries it needs too: the OpenMP found here is the one that
  // oneDNN computes with, whichever that is.
  const tables = { ...symbols, ...openMPSymbols, ...systemSymbols };
  const version = readVersion(path);
  checkOneDNN({ path, ...version, missing: missingFunctions(path, Object.keys(tables)) });
  return {
    path,
    version: version.version!,
    native: Deno.dlopen(path, symbols).symbols,
    openMP: Deno.dlopen(path, openMPSymbols).symbols,
    system: Deno.dlopen(path, systemSymbols).symbols,
  };
}

/**
 * Throws where an opened library is not the oneDNN that is wanted.
 *
 * @param facts What it says of itself.
 * @throws {LibraryError} If it is not oneDNN, has another version, computes with other threads than OpenMP's, or lacks
 * a function.
 */
export function checkOneDNN(facts: OneDNNFacts): void {
  const { path, version, cpuRuntime, missing } = facts;
  if (version === undefined || cpuRuntime === undefined) {
    throw new LibraryError(
      `Cannot use "${path}": it is a shared library, but not oneDNN's: it has no function dnnl_version`,
      { help: "set WHITTLE_ONEDNN to the path of a libdnnl.so.3" },
    );
  }
  const help = "unset WHITTLE_ONEDNN to have the right one downloaded, or point it to a supported one";
  if (!isSupported(version)) {
    throw new LibraryError(
      `Cannot use "${path}": it is oneDNN ${version}, wanted is ${SUPPORTED.from} or later, ` +
        `below ${SUPPORTED.below}`,
      { help },
    );
  }
  if (cpuRuntime !== OPENMP_RUNTIME) {
    const found = cpuRuntime === SYCL_RUNTIME ? "SYCL" : RUNTIMES[cpuRuntime] ?? `runtime ${cpuRuntime}`;
    throw new LibraryError(
      `Cannot use "${path}": it is oneDNN ${version} built for ${found}, wanted is the build for OpenMP`,
      { details: ["the number of threads is set through OpenMP"], help },
    );
  }
  if (missing.length > 0) {
    throw new LibraryError(
      `Cannot use "${path}": oneDNN ${version} lacks ${missing.length} of the functions needed`,
      { details: missing.map((name) => `missing: ${name}`), help },
    );
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
 * The instruction set oneDNN generates code for: the processor's, or less where `ONEDNN_MAX_CPU_ISA` is set. Once it
 * was asked for, `dnnl_set_max_cpu_isa` has no effect any more.
 *
 * @param native The open library.
 * @returns For people, e.g. `AVX2`.
 */
export function effectiveInstructionSet(native: Pick<NativeOneDNN, "dnnl_get_effective_cpu_isa">): string {
  const value = native.dnnl_get_effective_cpu_isa();
  return INSTRUCTION_SETS[value] ?? `instruction set 0x${value.toString(16)}`;
}

async function fromEnvironment(explicit: string): Promise<FoundOneDNN> {
  const path = resolve(explicit);
  try {
    const { sizeBytes } = await checkSharedLibrary(path);
    return { path, source: "environment", sizeBytes };
  } catch (thrown) {
    const lines = (thrown as Error).message.replace(`Cannot load "${path}": `, "").split("\n");
    const [summary, ...details] = lines.map((line) => line.trim()).filter((line) =>
      !line.startsWith("help:")
    );
    throw new LibraryError(`Cannot use WHITTLE_ONEDNN=${explicit}: ${summary}`, {
      details,
      help: "set it to the path of a libdnnl.so.3, or unset it to have the library downloaded",
    });
  }
}

/** Reads `dnnl_version_t`: three int32, a pointer to a hash, and the runtimes for CPU and GPU as uint32. */
function readVersion(path: string): { version?: string; cpuRuntime?: number } {
  const table = { dnnl_version: { parameters: [], result: "pointer", optional: true } } as const;
  const struct = Deno.dlopen(path, table).symbols.dnnl_version?.();
  if (!struct) return {};
  const view = new Deno.UnsafePointerView(struct);
  const [major, minor, patch] = [0, 4, 8].map((offset) => view.getInt32(offset));
  return { version: `${major}.${minor}.${patch}`, cpuRuntime: view.getUint32(24) };
}

function isSupported(version: string): boolean {
  const [major, minor] = version.split(".").map(Number);
  const [wantedMajor, wantedMinor] = SUPPORTED.from.split(".").map(Number);
  return major === wantedMajor && minor >= wantedMinor;
}
