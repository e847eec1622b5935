import { basename, dirname, join, resolve } from "node:path";
import type { ProvisionListener } from "../provision/events.ts";
import { LibraryError, reasonOf } from "../provision/library_error.ts";
import { findProvidedWheel, provideFromWheel } from "../provision/python_wheel.ts";
import { checkSharedLibrary } from "../provision/shared_library.ts";
import { loadForGood } from "./_loader.ts";
import { askPython } from "./python_tensorflow.ts";
import { CPU_PACKAGE, GPU_PACKAGE, tensorflowWheel } from "./_wheels.ts";

/** How {@linkcode findLibrary} looks. */
export interface FindLibraryOptions {
  /**
   * `"gpu"` takes the CUDA build only. `"auto"` and `"cpu"` download the build for CPUs, but use any build that is
   * already there.
   * @default {"auto"}
   */
  readonly device?: "auto" | "cpu" | "gpu";
  /**
   * Whether the library may be downloaded where it is not there.
   * @default {true}
   */
  readonly download?: boolean;
  /** Told about the progress of a download. */
  readonly onProgress?: ProvisionListener;
  /** Stops a download. */
  readonly signal?: AbortSignal;
}

/** Where the library is and how it was found. */
export interface FoundLibrary {
  /** Absolute path of libtensorflow_cc. */
  readonly path: string;
  /** Absolute path of libtensorflow_framework, which it needs; missing where the library is in one piece. */
  readonly frameworkPath?: string;
  /** TensorFlow's version, where it is known before the library is opened. */
  readonly version?: string;
  /** `WHITTLE_TENSORFLOW`, an installed Python package, the cache, or a download just now. */
  readonly source: "environment" | "python" | "cache" | "download";
  /** The Python package it comes from, e.g. `tensorflow-cpu`, where it is known. */
  readonly package?: string;
  /** Size of both files. */
  readonly sizeBytes: number;
  /** Libraries that were seen and not taken, each with the reason. */
  readonly passedOver: readonly string[];
}

/** An open library. */
export interface OpenLibrary<S extends Deno.ForeignLibraryInterface> extends FoundLibrary {
  /** What `TF_Version()` says. */
  readonly version: string;
  /** Whether oneDNN's kernels were asked for (`TF_ENABLE_ONEDNN_OPTS`); worth 1.5x on many CPUs. */
  readonly oneDNN: boolean;
  /** The functions, ready to be called. */
  readonly symbols: Deno.StaticForeignLibraryInterface<S>;
}

/** Versions whose C API was checked: from the first, below the second. */
const SUPPORTED = { from: "2.19", below: "2.22" } as const;

/**
 * Finds TensorFlow's shared library, in this order: `WHITTLE_TENSORFLOW` (the file, or a folder that holds it); the
 * TensorFlow of the Python on PATH; the cache; a download of the Python package into the cache, for which pip is
 * needed, but nothing of Python later.
 *
 * @param options What is wanted, and whether it may be downloaded.
 * @returns Where it is. It was looked at, not opened.
 * @throws {LibraryError} If `WHITTLE_TENSORFLOW` is wrong, or the library can be neither found nor downloaded.
 *
 * @example
 * ```ts
 * import { findLibrary } from "./library.ts";
 * const { path, source } = await findLibrary();
 * console.log(path, source);
 * ```
 */
export async function findLibrary(options: FindLibraryOptions = {}): Promise<FoundLibrary> {
  const explicit = Deno.env.get("WHITTLE_TENSORFLOW");
  if (explicit) return await fromEnvironment(explicit);
  const wantedPackage = choosePackage(options.device ?? "auto");
  const passedOver: string[] = [];
  const installed = await fromPython(wantedPackage, passedOver);
  if (installed !== undefined) return installed;
  const request = tensorflowWheel(wantedPackage);
  const { download = true, onProgress, signal } = options;
  const wheel = download
    ? await provideFromWheel(request, { onProgress, signal })
    : await findProvidedWheel(request);
  if (wheel === undefined) {
    throw new LibraryError("Cannot find libtensorflow: it is neither installed nor in the cache", {
      details: passedOver,
      help: "deno task doctor --download fetches it",
    });
  }
  const path = wheel.files.find((file) => basename(file).startsWith("libtensorflow_cc."))!;
  const files = await describeFiles(path);
  return { ...files, version: wheel.version, source: wheel.source, package: wheel.package, passedOver };
}

/**
 * Finds TensorFlow's shared library (see {@linkcode findLibrary}) and opens it. `TF_ENABLE_ONEDNN_OPTS=1` and
 * `TF_CPP_MIN_LOG_LEVEL=2` are put into the environment first, unless they are set already.
 *
 * @param symbols The functions that will be called, as for `Deno.dlopen`.
 * @param options See {@linkcode findLibrary}.
 * @returns The symbols, and what was opened. It stays open as long as the process lives.
 * @throws {LibraryError} If there is none, it does not load, it has another version, or it lacks a symbol.
 *
 * @example
 * ```ts
 * import { openLibrary } from "./library.ts";
 * const { symbols, version } = await openLibrary({ TF_NewStatus: { parameters: [], result: "pointer" } });
 * console.log(version, symbols.TF_NewStatus() !== null); // 2.21.0 true
 * ```
 */
export async function openLibrary<const S extends Deno.ForeignLibraryInterface>(
  symbols: S,
  options: FindLibraryOptions = {},
): Promise<OpenLibrary<S>> {
  const found = await findLibrary(options);
  // TensorFlow reads these once, while it is loaded.
  setDefault("TF_ENABLE_ONEDNN_OPTS", "1");
  setDefault("TF_CPP_MIN_LOG_LEVEL", "2");
  const quiet = Deno.env.get("TF_CPP_MIN_LOG_LEVEL") !== "0";
  // Loaded first by its path, the framework is found by its name when the other asks for it.
  if (found.frameworkPath !== undefined) load(found.frameworkPath, quiet);
  load(found.path, quiet);
  const version = readVersion(found.path);
  if (!isSupported(version)) {
    throw new LibraryError(
      `Cannot use "${found.path}": it is TensorFlow ${version}, wanted is ${SUPPORTED.from} or later, ` +
        `below ${SUPPORTED.below}`,
      {
        help: found.source === "environment"
          ? "unset WHITTLE_TENSORFLOW, or point it to a supported version"
          : "set WHITTLE_TENSORFLOW to the path of a supported version",
      },
    );
  }
  return {
    ...found,
    version,
    oneDNN: Deno.build.os === "linux" && Deno.env.get("TF_ENABLE_ONEDNN_OPTS") === "1",
    symbols: bind(found.path, version, symbols),
  };
}

async function fromEnvironment(explicit: string): Promise<FoundLibrary> {
  const given = resolve(explicit);
  const info = await Deno.stat(given).catch(() => undefined);
  try {
    if (info === undefined) throw new LibraryError("there is no such file or folder", { help: "" });
    const path = info.isDirectory ? await searchFolders([given, join(given, "tensorflow")]) : given;
    return { ...(await describeFiles(path)), source: "environment", passedOver: [] };
  } catch (thrown) {
    const [summary, ...rest] = reasonLines(thrown);
    throw new LibraryError(
      `Cannot use WHITTLE_TENSORFLOW=${explicit}: ${summary.replace(`"${given}": `, "")}`,
      {
        details: rest,
        help:
          `set it to the path of ${fileNames().library}, or unset it to have the library found or downloaded`,
      },
    );
  }
}

/** What went wrong with a file, in lines, without the advice. */
function reasonLines(thrown: unknown): string[] {
  const lines = (thrown as Error).message.split("\n").map((line) => line.trim());
  return lines.filter((line) => !line.startsWith("help:")).map((line) => line.replace(/^Cannot load /, ""));
}

async function fromPython(wantedPackage: string, passedOver: string[]): Promise<FoundLibrary | undefined> {
  const answer = await askPython();
  const tensorflow = answer?.tensorflow;
  if (answer === undefined || tensorflow === undefined) return undefined;
  const name = `${tensorflow.package} ${tensorflow.version} of ${answer.python}`;
  if (!isSupported(tensorflow.version)) {
    passedOver.push(`${name}: wanted is ${SUPPORTED.from} or later, below ${SUPPORTED.below}`);
    return undefined;
  }
  if (wantedPackage === GPU_PACKAGE && tensorflow.package !== GPU_PACKAGE) {
    passedOver.push(`${name}: it is a build for CPUs only`);
    return undefined;
  }
  try {
    const files = await describeFiles(await searchFolders(tensorflow.folders));
    return {
      ...files,
      version: tensorflow.version,
      source: "python",
      package: tensorflow.package,
      passedOver,
    };
  } catch (thrown) {
    passedOver.push(`${name}: ${reasonLines(thrown).join(", ")}`);
    return undefined;
  }
}

function choosePackage(device: "auto" | "cpu" | "gpu"): typeof CPU_PACKAGE | typeof GPU_PACKAGE {
  const explicit = Deno.env.get("WHITTLE_TENSORFLOW_PACKAGE");
  if (!explicit) return device === "gpu" ? GPU_PACKAGE : CPU_PACKAGE;
  if (explicit === CPU_PACKAGE || explicit === GPU_PACKAGE) return explicit;
  throw new LibraryError(
    `Cannot use WHITTLE_TENSORFLOW_PACKAGE=${explicit}: it is not a package that is known`,
    {
      help: `set it to ${CPU_PACKAGE}, or to ${GPU_PACKAGE} for a GPU`,
    },
  );
}

function fileNames(): { library: string; framework: string } {
  return Deno.build.os === "darwin"
    ? { library: "libtensorflow_cc.2.dylib", framework: "libtensorflow_framework.2.dylib" }
    : { library: "libtensorflow_cc.so.2", framework: "libtensorflow_framework.so.2" };
}

async function searchFolders(folders: readonly string[]): Promise<string> {
  const { library } = fileNames();
  for (const folder of folders) {
    const path = join(folder, library);
    if (await isFile(path)) return path;
  }
  throw new LibraryError(`there is no ${library} in ${folders.map((folder) => `"${folder}"`).join(" or ")}`, {
    help: "",
  });
}

/** Looks at the library and at the one it needs, which lies beside it. */
async function describeFiles(
  path: string,
): Promise<Pick<FoundLibrary, "path" | "frameworkPath" | "sizeBytes">> {
  const { sizeBytes } = await checkSharedLibrary(path);
  const frameworkPath = join(dirname(path), fileNames().framework);
  if (await isFile(frameworkPath)) {
    const framework = await checkSharedLibrary(frameworkPath);
    return { path, frameworkPath, sizeBytes: sizeBytes + framework.sizeBytes };
  }
  if (basename(path).startsWith("libtensorflow_cc.")) {
    throw new LibraryError(`"${path}" needs ${fileNames().framework} beside it, which is not there`, {
      help: "copy both files",
    });
  }
  return { path, sizeBytes };
}

async function isFile(path: string): Promise<boolean> {
  return (await Deno.stat(path).catch(() => undefined))?.isFile ?? false;
}

function setDefault(name: string, value: string): void {
  if (Deno.env.get(name) === undefined) Deno.env.set(name, value);
}

function load(path: string, quiet: boolean): void {
  try {
    loadForGood(path, quiet);
  } catch (thrown) {
    throw new LibraryError(`Cannot open "${path}": the system's loader refuses it`, {
      details: [reasonOf(thrown)],
      help: `set WHITTLE_TENSORFLOW to another ${fileNames().library}; deno task doctor shows what was found`,
    });
  }
}

function readVersion(path: string): string {
  const symbols = { TF_Version: { parameters: [], result: "pointer", optional: true } } as const;
  const version = Deno.dlopen(path, symbols).symbols.TF_Version?.();
  if (!version) {
    throw new LibraryError(
      `Cannot use "${path}": it is a shared library, but not TensorFlow's: it has no function TF_Version`,
      { help: `set WHITTLE_TENSORFLOW to the path of ${fileNames().library}` },
    );
  }
  return Deno.UnsafePointerView.getCString(version);
}

function bind<const S extends Deno.ForeignLibraryInterface>(
  path: string,
  version: string,
  symbols: S,
): Deno.StaticForeignLibraryInterface<S> {
  try {
    return Deno.dlopen(path, symbols).symbols;
  } catch (thrown) {
    const probes = Object.fromEntries(
      Object.entries(symbols).map(([key, symbol]) => [
        key,
        { name: (symbol as { name?: string }).name ?? key, type: "pointer", optional: true } as const,
      ]),
    );
    const addresses = Deno.dlopen(path, probes).symbols as Record<string, unknown>;
    const missing = Object.keys(symbols).filter((key) => addresses[key] === null).map((key) =>
      probes[key].name
    );
    throw new LibraryError(
      `Cannot use "${path}": TensorFlow ${version} lacks ${missing.length} of the ${
        Object.keys(symbols).length
      } functions needed`,
      {
        details: missing.length > 0 ? missing.map((name) => `missing: ${name}`) : [reasonOf(thrown)],
        help: "use the libtensorflow_cc of the tensorflow or tensorflow-cpu package, version 2.21",
      },
    );
  }
}

/** @returns Whether a version like `2.21.0` or `2.21.0-rc1` is in the supported range. */
function isSupported(version: string): boolean {
  const number = (text: string) => {
    const [major, minor] = text.split(".").map((part) => parseInt(part));
    return major * 1000 + minor;
  };
  return number(version) >= number(SUPPORTED.from) && number(version) < number(SUPPORTED.below);
}
