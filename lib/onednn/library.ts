import {
  findNativeLibrary,
  type FindNativeLibraryOptions,
  type FoundNativeLibrary,
  isSupportedVersion,
  loadNativeLibrary,
  missingFunctions,
  type NativeLibrary,
} from "../provision/native_library.ts";
import { LibraryError } from "../provision/library_error.ts";
import { requireOneDNN } from "./availability.ts";
import { openMPSymbols, symbols, systemSymbols } from "./symbols.ts";
import { ONEDNN_WHEEL } from "./_wheel.ts";

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

const ONEDNN: NativeLibrary = {
  name: "libdnnl",
  file: /^libdnnl\.so\.\d+(\.\d+)*$/,
  variable: "WHITTLE_ONEDNN",
  wanted: "the path of a libdnnl.so.3 or of the folder it is in",
  wheel: ONEDNN_WHEEL,
};

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
 * Finds oneDNN's shared library, in this order: `WHITTLE_ONEDNN` (the file, or a folder that holds it); the cache; a
 * download of the Python package into the cache, for which pip is needed, but nothing of Python later.
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
export async function findOneDNN(options: FindNativeLibraryOptions = {}): Promise<FoundNativeLibrary> {
  requireOneDNN();
  return await findNativeLibrary(ONEDNN, options);
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
  await loadNativeLibrary(
    path,
    "set WHITTLE_ONEDNN to another libdnnl.so.3; deno task doctor shows what was found",
  );
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
  if (!isSupportedVersion(version, SUPPORTED.from)) {
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

/** Reads `dnnl_version_t`: three int32, a pointer to a hash, and the runtimes for CPU and GPU as uint32. */
function readVersion(path: string): { version?: string; cpuRuntime?: number } {
  const table = { dnnl_version: { parameters: [], result: "pointer", optional: true } } as const;
  const struct = Deno.dlopen(path, table).symbols.dnnl_version?.();
  if (!struct) return {};
  const view = new Deno.UnsafePointerView(struct);
  const [major, minor, patch] = [0, 4, 8].map((offset) => view.getInt32(offset));
  return { version: `${major}.${minor}.${patch}`, cpuRuntime: view.getUint32(24) };
}
