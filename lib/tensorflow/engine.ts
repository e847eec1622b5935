import type { ProvisionListener } from "../provision/events.ts";
import { LibraryError } from "../provision/library_error.ts";
import { openLibrary } from "./library.ts";
import { symbols } from "./symbols.ts";

/** Functions of the open library. */
export type NativeLibrary = Deno.StaticForeignLibraryInterface<typeof symbols>;

/** Where a computation runs. `auto` takes a GPU if TensorFlow sees one; `gpu` without one is an error. */
export type Device = "auto" | "cpu" | "gpu";

/** The open engine: the library, its eager context and what was found. */
export interface Engine {
  readonly native: NativeLibrary;
  readonly context: Deno.PointerObject;
  /** Status object of the blocking calls; a nonblocking call brings its own. */
  readonly status: Deno.PointerObject;
  readonly device: "cpu" | "gpu";
  /** TensorFlow's version, e.g. `2.21.0`. */
  readonly version: string;
  /** Path of the library. */
  readonly path: string;
}

let open: Engine | undefined;
let opening: Promise<Engine> | undefined;

/**
 * Finds libtensorflow (and downloads it once if need be), opens it and makes the context every operation runs in.
 * Later calls return the same engine.
 *
 * @param options `device`: what to compute on; `onProgress`: told about the progress of a download.
 * @returns The engine.
 * @throws {LibraryError} If no usable library can be had, or a GPU is asked for and there is none.
 */
export async function openEngine(
  options: { device?: Device; onProgress?: ProvisionListener } = {},
): Promise<Engine> {
  const device = options.device ?? "auto";
  opening ??= start(device, options.onProgress).catch((error) => {
    opening = undefined;
    throw error;
  });
  const engine = await opening;
  if (device !== "auto" && device !== engine.device) {
    throw new LibraryError(
      `Cannot compute on device "${device}": this process already computes on "${engine.device}" ` +
        `with TensorFlow ${engine.version} at ${engine.path}`,
      { help: "choose the device in the first call of the process: restart it (the kernel, in a notebook)" },
    );
  }
  return engine;
}

/**
 * The engine, once it is open.
 *
 * @throws {LibraryError} If `openEngine` was not awaited before.
 */
export function currentEngine(): Engine {
  if (open === undefined) {
    throw new LibraryError(
      "Cannot compute: the engine is not open yet",
      { help: "import from whittle/tensorflow, or await openEngine() first" },
    );
  }
  return open;
}

/** The engine if it is open: recording does without one where it can. */
export function openedEngine(): Engine | undefined {
  return open;
}

async function start(device: Device, onProgress?: ProvisionListener): Promise<Engine> {
  const library = await openLibrary(symbols, { device, onProgress });
  const native = library.symbols;
  const status = native.TF_NewStatus()!;
  const options = native.TFE_NewContextOptions();
  if (device === "cpu") {
    native.TFE_ContextOptionsSetConfig(options, noGPU, BigInt(noGPU.length), status);
    throwOnError(native, status, "Cannot configure TensorFlow");
  }
  const context = native.TFE_NewContext(options, status);
  native.TFE_DeleteContextOptions(options);
  throwOnError(native, status, "Cannot start TensorFlow");
  const found = hasGPU(native, context, status) ? "gpu" : "cpu";
  if (device === "gpu" && found === "cpu") {
    throw new LibraryError(
      `Cannot compute on device "gpu": TensorFlow ${library.version} at ${library.path} sees no GPU`,
      { help: 'check the driver with nvidia-smi, or pass { device: "auto" }' },
    );
  }
  open = { native, context: context!, status, device: found, version: library.version, path: library.path };
  return open;
}

/** `ConfigProto { device_count { key: "GPU" value: 0 } }`, encoded. */
const noGPU = new Uint8Array([0x0a, 7, 0x0a, 3, 0x47, 0x50, 0x55, 0x10, 0]);

function hasGPU(native: NativeLibrary, context: Deno.PointerValue, status: Deno.PointerObject): boolean {
  const devices = native.TFE_ContextListDevices(context, status);
  throwOnError(native, status, "Cannot list TensorFlow's devices");
  let found = false;
  for (let i = 0; i < native.TF_DeviceListCount(devices); i++) {
    const type = native.TF_DeviceListType(devices, i, status);
    found ||= type !== null && Deno.UnsafePointerView.getCString(type) === "GPU";
  }
  native.TF_DeleteDeviceList(devices);
  return found;
}

/** Names of `TF_Code`. */
const codes = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

/**
 * Throws what a native call reported.
 *
 * @param action What was tried, as the beginning of the message; a function (of TensorFlow's message), because most
 * calls succeed.
 * @throws {Error} With the status code and TensorFlow's message, if the status is not OK.
 */
export function throwOnError(
  native: NativeLibrary,
  status: Deno.PointerObject,
  action: string | ((message: string) => string),
): void {
  const code = native.TF_GetCode(status);
  if (code === 0) return;
  const message = Deno.UnsafePointerView.getCString(native.TF_Message(status)!);
  const tried = typeof action === "string" ? action : action(message);
  throw new Error(`${tried}: ${codes[code] ?? "status"} (${code}): ${message}`);
}

const encoder = new TextEncoder();
const cStrings = new Map<string, Uint8Array<ArrayBuffer>>();

/** A string as C wants it, with a zero at its end; kept, because names of operators and attributes recur. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  let bytes = cStrings.get(text);
  if (bytes === undefined) {
    bytes = encoder.encode(`${text}\0`);
    cStrings.set(text, bytes);
  }
  return bytes;
}
