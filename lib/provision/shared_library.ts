import { LibraryError, reasonOf } from "./library_error.ts";
import { formatBytes } from "./cache.ts";

/** What the header of a shared library says. */
export interface SharedLibraryFile {
  /** ELF on Linux, Mach-O on macOS. */
  readonly format: "ELF" | "Mach-O";
  /** The processors it runs on; more than one in a universal macOS file. */
  readonly architectures: readonly string[];
  /** Size of the file. */
  readonly sizeBytes: number;
}

/** What a library has to be to run here. */
export interface SharedLibraryTarget {
  /**
   * The operating system, as `Deno.build.os` names it.
   * @default {Deno.build.os}
   */
  readonly os?: string;
  /**
   * The processor, as `Deno.build.arch` names it.
   * @default {Deno.build.arch}
   */
  readonly arch?: string;
}

/** ELF e_machine. */
const ELF_MACHINES: Record<number, string> = { 0x03: "i386", 0x28: "arm", 0x3e: "x86_64", 0xb7: "aarch64" };
/** Mach-O cputype. */
const MACH_CPUS: Record<number, string> = { 0x01000007: "x86_64", 0x0100000c: "aarch64" };

/**
 * Reads the header of a file and checks that it is a whole shared library for this machine, before the loader sees it:
 * the loader's own words for a wrong file are hard to understand.
 *
 * @param path The file.
 * @param target The machine it should run on.
 * @returns What it is.
 * @throws {LibraryError} If it is missing, not a shared library, cut off, or for another machine.
 *
 * @example
 * ```ts
 * import { checkSharedLibrary } from "./shared_library.ts";
 * console.log(await checkSharedLibrary(Deno.execPath())); // { format: "ELF", architectures: ["x86_64"], ... }
 * ```
 */
export async function checkSharedLibrary(
  path: string,
  target: SharedLibraryTarget = {},
): Promise<SharedLibraryFile> {
  const { os = Deno.build.os, arch = Deno.build.arch } = target;
  const { head, sizeBytes } = await readHead(path);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const wanted = os === "darwin" ? "Mach-O" : "ELF";
  const library = head.length >= 64
    ? readElf(view, path, sizeBytes) ?? readMachO(view, sizeBytes)
    : undefined;
  if (library === undefined) {
    throw new LibraryError(`Cannot load "${path}": it is not a shared library`, {
      details: [`it has ${formatBytes(sizeBytes)} and starts with ${shown(head)}`],
      help: `give the path of ${os === "darwin" ? "a .dylib" : "an .so"} file`,
    });
  }
  if (library.format !== wanted || !library.architectures.includes(arch)) {
    throw new LibraryError(
      `Cannot load "${path}": it is ${library.format} for ${library.architectures.join(" and ")}, ` +
        `this machine needs ${wanted} for ${arch}`,
      { help: "use the file that was built for this machine" },
    );
  }
  return library;
}

async function readHead(path: string): Promise<{ head: Uint8Array; sizeBytes: number }> {
  try {
    using file = await Deno.open(path);
    const { size, isFile } = await file.stat();
    if (!isFile) throw new Error("it is not a file");
    const head = new Uint8Array(4096);
    const count = await file.read(head) ?? 0;
    return { head: head.subarray(0, count), sizeBytes: size };
  } catch (thrown) {
    const missing = thrown instanceof Deno.errors.NotFound;
    throw new LibraryError(`Cannot load "${path}": ${missing ? "there is no such file" : reasonOf(thrown)}`, {
      help: "check the path",
    });
  }
}

function readElf(view: DataView, path: string, sizeBytes: number): SharedLibraryFile | undefined {
  if (view.getUint32(0) !== 0x7f454c46) return undefined;
  const bits = view.getUint8(4) === 2 ? 64 : 32;
  const little = view.getUint8(5) === 1;
  const machine = view.getUint16(18, little);
  const architectures = [ELF_MACHINES[machine] ?? `machine ${machine}`];
  if (bits === 32) return { format: "ELF", architectures: [`${architectures[0]} (32 bit)`], sizeBytes };
  if (view.getUint16(16, little) !== 3) {
    throw new LibraryError(`Cannot load "${path}": it is an ELF file, but no shared library`, {
      help: "give the path of an .so file, not of a program or an object file",
    });
  }
  // The section headers come last, so a file that ends before their end was cut off.
  const end = Number(view.getBigUint64(40, little)) + view.getUint16(58, little) * view.getUint16(60, little);
  if (end > sizeBytes) throw cutOff(path, sizeBytes, end);
  return { format: "ELF", architectures, sizeBytes };
}

function readMachO(view: DataView, sizeBytes: number): SharedLibraryFile | undefined {
  const magic = view.getUint32(0);
  if (magic === 0xcffaedfe) {
    return { format: "Mach-O", architectures: [machCpu(view.getUint32(4, true))], sizeBytes };
  }
  if (magic !== 0xcafebabe) return undefined;
  // A universal file: big-endian records of 20 bytes. Java classes share the magic number, but count far more.
  const count = view.getUint32(4);
  if (count === 0 || count > 16) return undefined;
  const architectures = Array.from({ length: count }, (_, i) => machCpu(view.getUint32(8 + 20 * i)));
  return { format: "Mach-O", architectures, sizeBytes };
}

function machCpu(cpu: number): string {
  return MACH_CPUS[cpu] ?? `cpu type ${cpu}`;
}

function cutOff(path: string, sizeBytes: number, wholeBytes: number): LibraryError {
  return new LibraryError(`Cannot load "${path}": the file is cut off`, {
    details: [`it has ${sizeBytes} bytes, its header promises at least ${wholeBytes}`],
    help: "delete it and fetch it again",
  });
}

/** The first bytes for people: as text where they are text. */
function shown(head: Uint8Array): string {
  if (head.length === 0) return "nothing";
  const start = head.subarray(0, 16);
  if (start.every((byte) => byte >= 32 && byte < 127 || byte === 10 || byte === 9)) {
    return JSON.stringify(new TextDecoder().decode(start));
  }
  return `the bytes ${
    Array.from(start.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ")
  }`;
}
