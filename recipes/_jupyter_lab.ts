import { join } from "node:path";
import { installOnce, requireFreeSpace } from "../lib/provision/cache.ts";
import { LibraryError } from "../lib/provision/library_error.ts";

/** A JupyterLab that can be started. */
export interface JupyterLab {
  /** The program and its first arguments, e.g. `["jupyter", "lab"]`. */
  readonly command: readonly string[];
  /** E.g. `4.6.6`. */
  readonly version: string;
  /** Found on PATH, or in Whittle's cache. */
  readonly source: "installed" | "cache";
  /** Whether it draws plotly's figures; without that it shows the pictures beside them. */
  readonly drawsPlotly: boolean;
}

/** What {@linkcode installJupyterLab} is told. */
export interface InstallJupyterLabOptions {
  /** Whittle's cache. */
  readonly cache: string;
  /** Told each line that pip says. */
  readonly onLine?: (line: string) => void;
}

/** plotly brings the extension that draws figures in JupyterLab. */
const REQUIREMENTS = ["jupyterlab>=4.2,<5", "plotly>=6,<8"];
/** Raised when the requirements change, so that older environments are made anew. */
const NAME = "jupyterlab_v1";
const NEEDED_BYTES = 700e6;
const BY_HAND = "install JupyterLab yourself (pip install jupyterlab plotly)";
const PYTHONS = ["python3", "python", "py"];
const IS_WINDOWS = Deno.build.os === "windows";

/**
 * The JupyterLab that is on PATH.
 *
 * @returns It, or `undefined` if there is none of version 4.
 */
export async function findJupyterLab(): Promise<JupyterLab | undefined> {
  const answer = await run(["jupyter", "lab", "--version"]);
  const version = /^(\d+)\.\d+\S*/m.exec(answer.stdout.trim());
  if (!answer.success || !version || Number(version[1]) < 4) return undefined;
  const folders = await run(["jupyter", "--paths", "--json"]);
  const { data = [] } = JSON.parse(folders.stdout || "{}") as { data?: string[] };
  const extensions = data.map((folder) => join(folder, "labextensions", "jupyterlab-plotly", "package.json"));
  const isThere = await Promise.all(extensions.map((file) => Deno.stat(file).then(() => true, () => false)));
  return {
    command: ["jupyter", "lab"],
    version: version[0],
    source: "installed",
    drawsPlotly: isThere.includes(true),
  };
}

/**
 * The JupyterLab of Whittle's cache.
 *
 * @param cache Whittle's cache.
 * @returns It, or `undefined` if there is none or its Python is gone.
 */
export async function cachedJupyterLab(cache: string): Promise<JupyterLab | undefined> {
  const python = join(cache, NAME, IS_WINDOWS ? "Scripts/python.exe" : "bin/python");
  const { success, stdout } = await run([
    python,
    "-c",
    "import jupyterlab, plotly; print(jupyterlab.__version__)",
  ]);
  if (!success) return undefined;
  return {
    command: [python, "-m", "jupyterlab"],
    version: stdout.trim(),
    source: "cache",
    drawsPlotly: true,
  };
}

/**
 * Puts JupyterLab, with the extension that draws figures, into Whittle's cache, in a Python environment of its own:
 * nothing is installed into the user's Python. Nothing happens if it is there.
 *
 * @param options The cache, and who is told about progress.
 * @returns The JupyterLab of the cache.
 * @throws {LibraryError} If there is no Python or pip, no network, or no space.
 */
export async function installJupyterLab(options: InstallJupyterLabOptions): Promise<JupyterLab> {
  const { cache, onLine = () => {} } = options;
  const found = await cachedJupyterLab(cache);
  if (found) return found;
  const python = await findPython();
  await requireFreeSpace("install JupyterLab", cache, NEEDED_BYTES);
  await installOnce({
    cache,
    name: NAME,
    isWhole: async () => await cachedJupyterLab(cache) !== undefined,
    build: (folder) => buildEnvironment(python, folder, onLine),
  });
  const installed = await cachedJupyterLab(cache);
  if (installed) return installed;
  throw new LibraryError(`Cannot start JupyterLab in "${join(cache, NAME)}", where it was just installed`, {
    help: `delete that folder and run this again, or ${BY_HAND}`,
  });
}

/** A Python that has pip. */
interface Python {
  readonly program: string;
  readonly version: string;
  readonly pip: string;
}

/**
 * The first Python with pip that runs.
 *
 * @returns It.
 * @throws {LibraryError} If there is none; the message lists what was tried.
 */
export async function findPython(): Promise<Python> {
  const tried: string[] = [];
  const question = "import json, pip, sys, venv; " +
    "print(json.dumps([sys.executable, '%d.%d.%d' % sys.version_info[:3], pip.__version__]))";
  for (const name of PYTHONS) {
    const { success, stdout, reason } = await run([name, "-c", question]);
    if (!success) {
      tried.push(`${name}: ${reason}`);
      continue;
    }
    const [program, version, pip] = JSON.parse(stdout) as string[];
    const [major, minor] = version.split(".").map(Number);
    if (major === 3 && minor >= 9) return { program, version, pip };
    tried.push(`${name}: is Python ${version}, wanted 3.9 or later`);
  }
  throw new LibraryError("Cannot install JupyterLab: there is no Python 3 with pip", {
    details: tried,
    help: Deno.build.os === "linux"
      ? "install them (on Debian and Ubuntu: apt-get install python3-pip python3-venv) and run this again"
      : "install Python 3 from python.org, which brings pip, and run this again",
  });
}

async function buildEnvironment(
  python: Python,
  folder: string,
  onLine: (line: string) => void,
): Promise<void> {
  // Debian's Python cannot put pip into an environment unless python3-venv is installed. Since 22.3 pip can work on
  // an environment from outside.
  const [major, minor] = python.pip.split(".").map(Number);
  const isOutside = major > 22 || (major === 22 && minor >= 3);
  const made = await run(
    [python.program, "-m", "venv", ...(isOutside ? ["--without-pip"] : []), folder],
    300,
  );
  if (!made.success) {
    throw new LibraryError("Cannot install JupyterLab: Python cannot create an environment (venv)", {
      details: [`Python ${python.version} (${python.program}): ${made.reason}`],
      help:
        `install python3-venv (on Debian and Ubuntu: apt-get install python3-venv) and run this again, or ${BY_HAND}`,
    });
  }
  const inside = join(folder, IS_WINDOWS ? "Scripts/python.exe" : "bin/python");
  const pip = isOutside ? [python.program, "-m", "pip", "--python", inside] : [inside, "-m", "pip"];
  const words: string[] = [];
  const success = await runLines(
    [...pip, "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off", ...REQUIREMENTS],
    (line) => {
      words.push(line);
      onLine(line);
    },
  );
  if (!success) throw explain(words, python);
  await askForNoNews(folder);
}

/** JupyterLab would ask in a corner of its window whether it may fetch news. */
async function askForNoNews(folder: string): Promise<void> {
  const config = join(folder, "etc", "jupyter", "labconfig");
  await Deno.mkdir(config, { recursive: true });
  const page = { disabledExtensions: { "@jupyterlab/apputils-extension:announcements": true } };
  await Deno.writeTextFile(join(config, "page_config.json"), JSON.stringify(page, null, 2) + "\n");
}

/** Turns what pip wrote into one clear error. */
function explain(words: readonly string[], python: Python): LibraryError {
  const text = words.join("\n");
  const [cause, help] = /No space left on device|Errno 28/.test(text)
    ? ["the disk is full", "make space there, or set WHITTLE_CACHE to a folder on a larger disk"]
    : /NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|Max retries|Retrying \(Retry|ProxyError|SSLError|Could not fetch/
        .test(text)
    ? [
      "the package index cannot be reached",
      `check the network and pip's index (pip config list) and run this again, or ${BY_HAND}`,
    ]
    : [`pip ${python.pip} failed`, `run this again, or ${BY_HAND}`];
  const said = words.filter((line) => /^\s*(ERROR|WARNING)/.test(line) && !/Retrying/.test(line)).slice(-4);
  return new LibraryError(`Cannot install JupyterLab: ${cause}`, {
    details: said.map((line) => `pip: ${line.trim()}`),
    help,
  });
}

/** Runs a short command to its end; never throws. `reason` says why it did not succeed. */
async function run(
  [program, ...args]: readonly string[],
  seconds = 60,
): Promise<{ success: boolean; stdout: string; reason: string }> {
  const signal = AbortSignal.timeout(seconds * 1000);
  try {
    const { success, stdout, stderr, code } = await new Deno.Command(program, { args, stdin: "null", signal })
      .output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const words = (text(stderr).trim() || text(stdout).trim()).split("\n");
    const reason = signal.aborted ? `no answer in ${seconds} s` : words.at(-1) || `exit code ${code}`;
    return { success, stdout: text(stdout), reason };
  } catch (thrown) {
    const isMissing = thrown instanceof Deno.errors.NotFound;
    return { success: false, stdout: "", reason: isMissing ? "not installed" : (thrown as Error).message };
  }
}

/** Runs a command and tells each line that it writes, to either stream. */
async function runLines(
  [program, ...args]: readonly string[],
  onLine: (line: string) => void,
): Promise<boolean> {
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  await Promise.all([child.stdout, child.stderr].map(async (stream) => {
    let rest = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split(/\r?\n/);
      rest = lines.pop()!;
      for (const line of lines) if (line.trim() !== "") onLine(line);
    }
    if (rest.trim() !== "") onLine(rest);
  }));
  return (await child.status).success;
}
