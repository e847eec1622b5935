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
import { symbols } from "./_openvino_symbols.ts";
import { OPENVINO_WHEEL } from "./_openvino_wheel.ts";

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

const OPENVINO: NativeLibrary = {
  name: "libopenvino_c",
  file: /^libopenvino_c(\.\d+)*\.(so|dylib)(\.\d+)*$/,
  variable: "WHITTLE_OPENVINO",
  wanted: "the path of libopenvino_c or of the folder it is in",
  wheel: OPENVINO_WHEEL,
};

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
export async function findOpenVINO(options: FindNativeLibraryOptions = {}): Promise<FoundNativeLibrary> {
  return await findNativeLibrary(OPENVINO, options);
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
  await loadNativeLibrary(path, "unset WHITTLE_OPENVINO to have the library downloaded with all it needs");
  const version = readVersion(path);
  checkOpenVINO({ path, version, missing: missingFunctions(path, Object.keys(symbols)) });
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
  if (!isSupportedVersion(version, SUPPORTED.from)) {
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
