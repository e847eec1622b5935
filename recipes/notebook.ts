/**
 * `deno task notebook` opens the quickstart in JupyterLab, on the Deno kernel. A JupyterLab that is installed is used;
 * else one is put into Whittle's cache. Ctrl-C ends it.
 *
 * @module
 */
import { isAbsolute, relative, resolve } from "node:path";
import { Command, InvalidArgumentError } from "npm:commander@15.1.0";
import { cacheFolder } from "../lib/provision/cache.ts";
import { LibraryError } from "../lib/provision/library_error.ts";
import { writeDenoKernel } from "./_deno_kernel.ts";
import {
  cachedJupyterLab,
  findJupyterLab,
  findPython,
  installJupyterLab,
  type JupyterLab,
} from "./_jupyter_lab.ts";
import { bold, dim } from "./_terminal.ts";

const ROOT = resolve(import.meta.dirname!, "..");
const DEFAULT_PORT = 8888;
/** JupyterLab knows plotly's figures only by an extension that comes with plotly for Python. */
const PICTURES_ONLY = "are shown as pictures; pip install plotly makes them interactive";

const command = new Command("deno task notebook")
  .description(
    "Opens a notebook in JupyterLab, on the Deno kernel; installs into Whittle's cache what is missing.",
  )
  .argument("[notebook]", "the notebook", "notebooks/01_quickstart.ipynb")
  .option(
    "--port <n>",
    `port on 127.0.0.1; 0 takes any (default: ${DEFAULT_PORT} or the next that is free)`,
    toPort,
  )
  .option("--no-browser", "only print the address")
  .option("--check", "only tell what would be used and what would be installed")
  .parse(["deno", "notebook", ...Deno.args]);
const options = command.opts<{ port?: number; browser: boolean; check?: boolean }>();

try {
  const notebook = await resolveNotebook(command.args[0] ?? command.processedArgs[0]);
  if (options.check) await check(notebook);
  else await open(notebook);
} catch (thrown) {
  if (!(thrown instanceof LibraryError)) throw thrown;
  console.error(thrown.message);
  Deno.exit(1);
}

/** Tells what a start would do. */
async function check(notebook: string): Promise<void> {
  const cache = cacheFolder();
  const lab = await findJupyterLab() ?? await cachedJupyterLab(cache);
  if (lab) {
    console.log(`JupyterLab  ${describe(lab)}`);
    console.log(`figures     ${lab.drawsPlotly ? "are interactive" : PICTURES_ONLY}`);
  } else {
    const { program, version, pip } = await findPython();
    console.log(
      `JupyterLab  would be installed into ${cache} with pip ${pip} of Python ${version} (${program})`,
    );
  }
  console.log(`kernel      Deno ${Deno.version.deno} (${Deno.execPath()})`);
  console.log(`notebook    ${notebook}`);
}

/** Starts JupyterLab and stays until it ends. */
async function open(notebook: string): Promise<void> {
  const cache = cacheFolder();
  const lab = await findJupyterLab() ?? await install(cache);
  console.log(`${bold("JupyterLab")} ${describe(lab)}`);
  if (!lab.drawsPlotly) console.log(`Figures ${PICTURES_ONLY}.`);
  const port = choosePort(options.port);
  console.log(dim("Starting ..."));
  const token = crypto.randomUUID().replaceAll("-", "");
  const inFolder = relative(ROOT, notebook);
  const root = inFolder.startsWith("..") || isAbsolute(inFolder) ? resolve(notebook, "..") : ROOT;
  const [program, ...args] = lab.command;
  const server = new Deno.Command(program, {
    args: [
      ...args,
      notebook,
      "--ServerApp.ip=127.0.0.1",
      `--ServerApp.port=${port}`,
      "--ServerApp.port_retries=0",
      `--ServerApp.root_dir=${root}`,
      `--ServerApp.open_browser=${options.browser ? "True" : "False"}`,
      ...(Deno.build.os !== "windows" && Deno.uid() === 0 ? ["--allow-root"] : []),
    ],
    env: {
      JUPYTER_TOKEN: token,
      JUPYTER_PATH: [await writeDenoKernel(cache), Deno.env.get("JUPYTER_PATH")].filter(Boolean).join(
        Deno.build.os === "windows" ? ";" : ":",
      ),
    },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    // Ctrl-C is for this program: a server that is told twice to stop leaves its kernels running.
    detached: true,
  }).spawn();
  const log = keepLast(server.stderr, 12);
  const stopped = stopOnSignal(server);

  const path = relative(root, notebook).split(/[\\/]/).map(encodeURIComponent).join("/");
  const isUp = await waitUntilUp(`http://127.0.0.1:${port}/api`, server.status);
  if (isUp) {
    console.log(`\n  http://127.0.0.1:${port}/lab/tree/${path}?token=${token}\n`);
    console.log(dim(`${options.browser ? "It opens in the browser. " : ""}Ctrl-C ends it.`));
  }
  const { success, code } = await server.status;
  if (success || stopped()) {
    console.log(dim("JupyterLab has ended."));
    Deno.exit(0); // do not wait for a log that something else may hold open
  }
  const lines = await log;
  throw new LibraryError(`Cannot ${isUp ? "go on" : "start"}: JupyterLab ended with code ${code}`, {
    details: lines,
    help: "see the lines above; to use Whittle's own JupyterLab, take the other one off PATH",
  });
}

async function install(cache: string): Promise<JupyterLab> {
  const cached = await cachedJupyterLab(cache);
  if (cached) return cached;
  await findPython(); // throws before anything is promised
  console.log(`Installing JupyterLab into ${cache}, once (about 100 MB to download).`);
  const isTerminal = Deno.stdout.isTerminal();
  const start = performance.now();
  let packages = 0;
  const show = (text: string) => {
    if (isTerminal) Deno.stdout.writeSync(new TextEncoder().encode(`\r\x1b[2K${text}`));
  };
  const lab = await installJupyterLab({
    cache,
    onLine: (line) => {
      const name = /^Collecting ([\w.-]+)/.exec(line)?.[1];
      if (name) show(`  ${++packages} packages, ${name}`);
      if (line.startsWith("Installing collected")) show(`  unpacking ${packages} packages`);
    },
  });
  show("");
  console.log(`Installed in ${((performance.now() - start) / 1000).toFixed(0)} s.`);
  return lab;
}

function describe({ version, source, command }: JupyterLab): string {
  return `${version}, ${source === "cache" ? `from Whittle's cache (${command[0]})` : "the installed one"}`;
}

async function resolveNotebook(given: string): Promise<string> {
  // deno task runs in the folder of deno.json; people name files from where they are.
  for (const folder of [Deno.env.get("INIT_CWD") ?? Deno.cwd(), ROOT]) {
    const path = resolve(folder, given);
    if (await Deno.stat(path).then((info) => info.isFile, () => false)) return path;
  }
  throw new LibraryError(`Cannot open notebook "${given}": there is no such file`, {
    help: "give the path of an .ipynb file, or none for the quickstart",
  });
}

function toPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new InvalidArgumentError("wanted a whole number, 0..65535");
  }
  return port;
}

/** The wanted port if it is free; without a wish the first free one from the default on. */
function choosePort(wanted: number | undefined): number {
  const isFree = (port: number): number | undefined => {
    try {
      using listener = Deno.listen({ hostname: "127.0.0.1", port });
      return (listener.addr as Deno.NetAddr).port;
    } catch (thrown) {
      if (thrown instanceof Deno.errors.AddrInUse || thrown instanceof Deno.errors.PermissionDenied) {
        return undefined;
      }
      throw thrown;
    }
  };
  const wishes = wanted === undefined ? Array.from({ length: 20 }, (_, i) => DEFAULT_PORT + i) : [wanted];
  for (const wish of wishes) {
    const port = isFree(wish);
    if (port !== undefined) return port;
  }
  const which = wanted === undefined
    ? `ports ${DEFAULT_PORT} to ${DEFAULT_PORT + 19} are`
    : `port ${wanted} is`;
  throw new LibraryError(`Cannot start JupyterLab: ${which} in use or not allowed`, {
    help: "pass --port 0 for any free port",
  });
}

/** Waits until the server answers; false if it ended before. */
async function waitUntilUp(url: string, status: Promise<Deno.CommandStatus>): Promise<boolean> {
  let hasEnded = false;
  status.then(() => hasEnded = true);
  while (!hasEnded) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return true;
    await new Promise((done) => setTimeout(done, 200));
  }
  return false;
}

/** Reads a stream to its end and keeps its last lines. */
async function keepLast(stream: ReadableStream<Uint8Array<ArrayBuffer>>, count: number): Promise<string[]> {
  let tail = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) tail = (tail + text).slice(-8000);
  return tail.split("\n").filter((line) => line.trim() !== "").slice(-count);
}

/** Ends the server with its kernels on Ctrl-C. */
function stopOnSignal(server: Deno.ChildProcess): () => boolean {
  let isStopped = false;
  const kill = (signal: Deno.Signal) => {
    try {
      server.kill(signal);
    } catch {
      // It has ended by itself.
    }
  };
  const stop = () => {
    if (isStopped) return; // a terminal and a launcher may both pass on one Ctrl-C
    isStopped = true;
    kill("SIGTERM");
    // Kernels that compute get five seconds from the server.
    Deno.unrefTimer(setTimeout(() => kill("SIGKILL"), 20_000));
  };
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) Deno.addSignalListener(signal, stop);
  server.status.then(() => {
    for (const signal of signals) Deno.removeSignalListener(signal, stop);
  });
  return () => isStopped;
}
