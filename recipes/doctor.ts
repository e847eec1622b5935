/**
 * `deno task doctor` prints what Whittle found on this machine: the native libraries, the device, the processor, memory,
 * the cache and pip. The exit code is 1 if something that is needed is missing; `--download` fetches it.
 *
 * @module
 */
import { cacheFolder, formatBytes, freeBytes } from "../lib/provision/cache.ts";
import { reasonOf } from "../lib/provision/library_error.ts";
import { findPip } from "../lib/provision/pip.ts";
import { terminalProgress } from "../lib/provision/terminal_progress.ts";
import { effectiveInstructionSet, findOneDNN, openOneDNN } from "../lib/onednn/library.ts";
import { findOpenVINO, openOpenVINO } from "../lib/runtimes/openvino_library.ts";
import { openLibrary } from "../lib/tensorflow/library.ts";
import { askPython } from "../lib/tensorflow/python_tensorflow.ts";
import { symbols } from "../lib/tensorflow/symbols.ts";
import { listFolder, readGPUs, readMemory, readProcessor } from "./_machine.ts";

/** One row of the answer. Without `missing` nothing can be computed; `advice` is worth reading. */
interface Finding {
  readonly name: string;
  readonly lines: readonly string[];
  readonly state: "good" | "advice" | "missing";
}

const USAGE = `deno task doctor [--download]

Prints what was found on this machine. The exit code is 1 if something that is needed is missing.
  --download   fetch the native libraries if they are not there
`;

async function examine(download: boolean): Promise<Finding[]> {
  const oneDNN = await examineOneDNN(download);
  const library = await examineLibrary(download);
  const canDoWithout = library.state === "missing" && oneDNN.state === "good" &&
    !Deno.env.get("WHITTLE_TENSORFLOW");
  return [
    canDoWithout ? { ...library, lines: [...library.lines, withoutTensorFlow], state: "advice" } : library,
    ...(library.state === "missing" ? [] : await examineEngine()),
    oneDNN,
    await examineOpenVINO(download),
    await examineProcessor(),
    await examineMemory(),
    await examineCache(),
    await examinePython(library.state === "missing" && !canDoWithout),
  ];
}

const withoutTensorFlow = "oneDNN runs the networks: TensorFlow is for GPUs and for tfjs op by op";

async function examineLibrary(download: boolean): Promise<Finding> {
  const name = "library";
  try {
    const onProgress = terminalProgress();
    const found = await openLibrary(symbols, { download, onProgress });
    const origin = {
      environment: "from WHITTLE_TENSORFLOW",
      python: `from the installed Python package ${found.package}`,
      cache: `${found.package}, from the cache`,
      download: `${found.package}, downloaded just now`,
    }[found.source];
    const first = `TensorFlow ${found.version}, ${formatBytes(found.sizeBytes)}, ${origin}`;
    const passedOver = found.passedOver.map((line) => `passed over: ${line}`);
    return { name, lines: [first, found.path, ...passedOver], state: "good" };
  } catch (thrown) {
    return { name, lines: linesOf(thrown), state: "missing" };
  }
}

/** Starts the engine and computes something: more than any version number can say. */
async function examineEngine(): Promise<Finding[]> {
  try {
    const { tf } = await import("../lib/tensorflow/mod.ts");
    const { currentEngine } = await import("../lib/tensorflow/engine.ts");
    const { device } = currentEngine();
    const gpus = await readGPUs();
    const size = 1024;
    const seconds: number[] = [];
    for (let i = 0; i < 6; i++) {
      const start = performance.now();
      const [sum] = tf.tidy(() => tf.matMul(tf.ones([size, size]), tf.ones([size, size])).mean().dataSync());
      seconds.push((performance.now() - start) / 1000);
      if (sum !== size) {
        throw new Error(`Cannot trust device ${device}: a matrix product gave ${sum}, not ${size}`);
      }
    }
    const rate = Math.round(2 * size ** 3 / Math.min(...seconds) / 1e9);
    const oneDNN = Deno.env.get("TF_ENABLE_ONEDNN_OPTS") ?? "unset";
    const findings: Finding[] = [
      { name: "device", lines: [`${device}, ${rate} GFLOP/s in a float32 matrix product`], state: "good" },
      oneDNN === "1" ? { name: "kernels", lines: ["oneDNN's, in TensorFlow"], state: "good" } : {
        name: "kernels",
        lines: [`TensorFlow's own, which are slower: TF_ENABLE_ONEDNN_OPTS=${oneDNN}`, "help: unset it"],
        state: "advice",
      },
    ];
    if (gpus.length === 0) return findings;
    const help = 'help: pip install "tensorflow[and-cuda]==2.21.*" brings CUDA along, and is found by itself';
    findings.splice(
      1,
      0,
      device === "gpu" ? { name: "GPU", lines: gpus, state: "good" } : {
        name: "GPU",
        lines: [...gpus, "not used: this library is built for CPUs or lacks CUDA", help],
        state: "advice",
      },
    );
    return findings;
  } catch (thrown) {
    return [{ name: "device", lines: linesOf(thrown), state: "missing" }];
  }
}

/** oneDNN as an executor of its own. TensorFlow computes where it cannot be had, so it is needed only if asked for. */
async function examineOneDNN(download: boolean): Promise<Finding> {
  const name = "oneDNN";
  try {
    const found = await findOneDNN({ download, onProgress: terminalProgress() });
    const { version, native } = await openOneDNN(found.path);
    const origin = {
      environment: "from WHITTLE_ONEDNN",
      cache: `${found.package}, from the cache`,
      download: `${found.package}, downloaded just now`,
    }[found.source];
    const lines = [
      `oneDNN ${version}, ${formatBytes(found.sizeBytes)}, ${origin}, computes with ${
        effectiveInstructionSet(native)
      }`,
      found.path,
    ];
    const limit = ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"].find((variable) => Deno.env.get(variable));
    if (limit === undefined) return { name, lines, state: "good" };
    lines.push(`limited by ${limit}=${Deno.env.get(limit)}`, "help: unset it");
    return { name, lines, state: "advice" };
  } catch (thrown) {
    return { name, lines: linesOf(thrown), state: Deno.env.get("WHITTLE_ONEDNN") ? "missing" : "advice" };
  }
}

/** What runs exported `.xml` files; fetched when the first is opened, so it is missing only where it is asked for. */
async function examineOpenVINO(download: boolean): Promise<Finding> {
  const name = "OpenVINO";
  try {
    const found = await findOpenVINO({ download, onProgress: terminalProgress() });
    const { version } = await openOpenVINO(found.path);
    const origin = {
      environment: "from WHITTLE_OPENVINO",
      cache: `${found.package}, from the cache`,
      download: `${found.package}, downloaded just now`,
    }[found.source];
    const line = `OpenVINO ${version}, ${formatBytes(found.sizeBytes)}, ${origin}, runs exported .xml files`;
    return { name, lines: [line, found.path], state: "good" };
  } catch (thrown) {
    return { name, lines: linesOf(thrown), state: Deno.env.get("WHITTLE_OPENVINO") ? "missing" : "advice" };
  }
}

async function examineProcessor(): Promise<Finding> {
  const { model, threads, features } = await readProcessor();
  const parts = [model, `${threads} thread${threads === 1 ? "" : "s"}`, ...(features ?? [])];
  return { name: "processor", lines: [parts.join(", ")], state: "good" };
}

async function examineMemory(): Promise<Finding> {
  const { availableBytes, totalBytes } = await readMemory();
  const line = `${formatBytes(availableBytes)} of ${formatBytes(totalBytes)} available`;
  // What training the largest of the models takes at the default batch size of the examples.
  if (availableBytes >= 6e9) return { name: "memory", lines: [line], state: "good" };
  return {
    name: "memory",
    lines: [line, "help: pass a smaller batchSize if training runs out of it"],
    state: "advice",
  };
}

async function examineCache(): Promise<Finding> {
  const name = "cache";
  try {
    const folder = cacheFolder();
    const entries = await listFolder(folder);
    const used = entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const first = `${folder}: ${formatBytes(used)}, ${formatBytes(await freeBytes(folder))} free on the disk`;
    const rest = entries.filter(({ sizeBytes }) => sizeBytes >= 1e6);
    const lines = [first, ...rest.map((entry) => `${entry.name}: ${formatBytes(entry.sizeBytes)}`)];
    return { name, lines, state: "good" };
  } catch (thrown) {
    return { name, lines: linesOf(thrown), state: "missing" };
  }
}

/** Needed for downloads only. */
async function examinePython(needed: boolean): Promise<Finding> {
  const answer = await askPython();
  const python = answer === undefined
    ? "no Python on PATH"
    : `Python ${answer.pythonVersion} (${answer.python})`;
  try {
    const pip = await findPip("set WHITTLE_TENSORFLOW to the path of libtensorflow_cc");
    const line = `pip ${pip.version} (${pip.name}), ${python}`;
    return { name: "downloads", lines: [line], state: "good" };
  } catch (thrown) {
    if (needed) return { name: "downloads", lines: linesOf(thrown), state: "missing" };
    return { name: "downloads", lines: [`no pip, ${python}; not needed now`], state: "good" };
  }
}

function linesOf(thrown: unknown): string[] {
  if (thrown instanceof Error) return thrown.message.split("\n").map((line) => line.trim());
  return [reasonOf(thrown)];
}

function print(findings: readonly Finding[], colour: boolean): void {
  const paint = (code: number, text: string) => colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  const marks = { good: paint(32, "✓"), advice: paint(33, "!"), missing: paint(31, "✗") };
  const width = Math.max(...findings.map(({ name }) => name.length));
  console.log(`${paint(1, "Whittle")} on Deno ${Deno.version.deno}, ${Deno.build.os} ${Deno.build.arch}\n`);
  for (const { name, lines, state } of findings) {
    const [first, ...rest] = lines;
    console.log(`${marks[state]} ${paint(1, name.padEnd(width))}  ${first}`);
    for (const line of rest) {
      console.log(`${" ".repeat(width + 4)}${line.startsWith("help:") ? paint(36, line) : paint(2, line)}`);
    }
  }
  const missing = findings.filter(({ state }) => state === "missing").map(({ name }) => name);
  console.log(missing.length === 0 ? "\nReady." : `\nNot ready: ${missing.join(", ")}.`);
}

if (import.meta.main) {
  const unknown = Deno.args.find((argument) => argument !== "--download");
  if (unknown !== undefined) {
    const asked = unknown === "--help" || unknown === "-h";
    if (asked) console.log(USAGE);
    else console.error(`Unknown option ${unknown}: known is --download\n\n${USAGE}`);
    Deno.exit(asked ? 0 : 2);
  }
  const findings = await examine(Deno.args.includes("--download"));
  print(findings, Deno.stdout.isTerminal() && !Deno.noColor);
  if (findings.some(({ state }) => state === "missing")) Deno.exit(1);
}
