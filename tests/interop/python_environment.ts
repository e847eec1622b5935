import { dirname, join } from "node:path";
import { cacheFolder } from "../../lib/provision/cache.ts";
import { withFileLock } from "../../lib/provision/file_lock.ts";
import { findPip } from "../../lib/provision/pip.ts";

/** What pip is to install; `withoutDependencies` for a package that would bring another version of something. */
export type PythonPackage = string | { readonly name: string; readonly withoutDependencies: true };

/**
 * What comparing with PyTorch takes. timm wants torchvision, and of that only functions that need none of its compiled
 * operators. Where pip's index offers PyTorch for CUDA only (PyPI on Linux), this is a download of some gigabytes; an
 * index with CPU builds (`PIP_EXTRA_INDEX_URL`, `PIP_FIND_LINKS`) makes it 200 MB.
 */
export const torchPackages: readonly PythonPackage[] = [
  "torch==2.13.0",
  "numpy",
  "pillow",
  "pyyaml",
  "safetensors",
  "huggingface_hub",
  { name: "torchvision", withoutDependencies: true },
  { name: "timm==1.0.31", withoutDependencies: true },
];

/**
 * A Python for tests, in a virtual environment in the cache folder: made at the first call, and given the packages that
 * it lacks, once. Processes that ask at the same time wait for each other.
 *
 * `WHITTLE_TEST_PYTHON` names another Python to use as it is in place of `test-python`; it must have the packages.
 *
 * @param packages What the tests import.
 * @param name The environment's folder in the cache: packages that do not go together have one each.
 * @default {"test-python"}
 * @returns The path of the Python.
 * @throws {Error} If there is no Python with pip, or pip fails.
 */
export async function pythonEnvironment(
  packages: readonly PythonPackage[] = torchPackages,
  name = "test-python",
): Promise<string> {
  const given = name === "test-python" ? Deno.env.get("WHITTLE_TEST_PYTHON") : undefined;
  if (given) {
    const { success, text } = await run([given, "--version"]);
    if (!success) throw new Error(`Cannot run the Python of WHITTLE_TEST_PYTHON, ${given}: ${text}`);
    return given;
  }
  const folder = join(cacheFolder(), name);
  const python = join(folder, Deno.build.os === "windows" ? "Scripts/python.exe" : "bin/python");
  const record = join(folder, "installed.json");
  const missing = async () => {
    const installed: string[] = JSON.parse(await Deno.readTextFile(record).catch(() => "[]"));
    return { installed, missing: packages.filter((wanted) => !installed.includes(nameOf(wanted))) };
  };
  if ((await missing()).missing.length === 0) return python;
  await Deno.mkdir(dirname(folder), { recursive: true });
  await withFileLock(`${folder}.lock`, async () => {
    const { installed, missing: wanted } = await missing(); // another process may have been faster
    if (wanted.length === 0) return;
    const install = await findInstaller(folder, python);
    // Without dependencies first: what comes then finds them in place.
    const alone = wanted.filter((item) => typeof item !== "string").map(nameOf);
    const others = wanted.filter((item) => typeof item === "string");
    if (alone.length > 0) await runPip([...install, "--no-deps", ...alone]);
    if (others.length > 0) await runPip([...install, ...others]);
    await Deno.writeTextFile(`${record}.tmp`, JSON.stringify([...installed, ...wanted.map(nameOf)]));
    await Deno.rename(`${record}.tmp`, record);
  });
  return python;
}

function nameOf(wanted: PythonPackage): string {
  return typeof wanted === "string" ? wanted : wanted.name;
}

/** The command that installs into the environment, which is made if it is not there. */
async function findInstaller(folder: string, python: string): Promise<string[]> {
  const { command } = await findPip("set WHITTLE_TEST_PYTHON to a Python that has the packages");
  const outer = command.length === 3 ? command[0]! : "python3";
  const options = ["install", "--disable-pip-version-check", "--no-input", "--progress-bar=off", "--quiet"];
  if ((await run([python, "-m", "pip", "--version"])).success) return [python, "-m", "pip", ...options];
  const made = await run([outer, "-m", "venv", "--clear", folder]);
  if (made.success) return [python, "-m", "pip", ...options];
  // Debian and Ubuntu leave pip out of new environments unless python3-venv is there; the outer pip can do it.
  const bare = await run([outer, "-m", "venv", "--clear", "--without-pip", folder]);
  const reaches = await run([...command, "--python", python, "--version"]);
  if (bare.success && reaches.success) return [...command, "--python", python, ...options];
  throw new Error(
    `Cannot make a Python environment for the tests in "${folder}": ${made.text}\n` +
      "  help: install Python's venv module (on Debian and Ubuntu: apt-get install python3-venv), or set " +
      "WHITTLE_TEST_PYTHON to a Python that has the packages",
  );
}

async function runPip(command: string[]): Promise<void> {
  const { success, text } = await run(command);
  if (success) return;
  throw new Error(
    `Cannot install the Python packages that tests need: ${text}\n` +
      `  tried: ${command.join(" ")}\n` +
      "  help: check the network and pip's index, or set WHITTLE_TEST_PYTHON to a Python that has the packages",
  );
}

/** Runs a command to its end; `text` is the last of what it said. */
async function run([program, ...args]: string[]): Promise<{ success: boolean; text: string }> {
  try {
    const { success, stderr, stdout } = await new Deno.Command(program!, { args, stdin: "null" }).output();
    const said = new TextDecoder().decode(stderr).trim() || new TextDecoder().decode(stdout).trim();
    return { success, text: said.split("\n").slice(-5).join("\n    ") };
  } catch (error) {
    return { success: false, text: (error as Error).message };
  }
}
