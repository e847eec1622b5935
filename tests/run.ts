/**
 * `deno task test`: installs what the tests need where that takes no more than root, then runs every check. The last
 * line counts them: `N passed, N failed`.
 *
 * `deno task test tests/data` runs the tests of one folder or file only.
 *
 * @module
 */
import { cacheFolder } from "../lib/provision/cache.ts";
import { onednnUnavailable } from "../lib/onednn/availability.ts";
import { findOneDNN } from "../lib/onednn/library.ts";
import { findOpenVINO } from "../lib/runtimes/openvino_library.ts";
import { startBackend } from "../lib/tensorflow/backend.ts";
import { terminalProgress } from "../lib/provision/terminal_progress.ts";
import { installJupyterLab } from "../recipes/_jupyter_lab.ts";

/** Debian packages the tests use, each with a file that tells whether it is there. */
const debianPackages = [
  { name: "chromium", file: "/usr/bin/chromium" },
  { name: "dataset-fashion-mnist", file: "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz" },
];

let passed = 0, failed = 0;
const chosen = Deno.args;

await installDebianPackages();
// Once before the tests, so that a download is not one test's time-out.
await startBackend({ onProgress: terminalProgress() });
if (onednnUnavailable() === undefined) await findOneDNN({ onProgress: terminalProgress() });
await findOpenVINO({ onProgress: terminalProgress() });
if (chosen.length === 0 || chosen.some((path) => path.includes("notebooks"))) {
  console.log("JupyterLab, for the notebooks; installed into Whittle's cache if it is not there");
  await installJupyterLab({ cache: cacheFolder() });
}

if (chosen.length === 0) {
  await check("format", ["fmt", "--check"]);
  await check("lint", ["lint"]);
  await check("types", ["check", "mod.ts", "lib", "recipes", "tests", "bench"]);
  await check("documentation", ["run", "-A", "tests/doc_lint.ts"]);
}
await runTests(["--no-check", ...(chosen.length > 0 ? chosen : ["tests"])]);
if (chosen.length === 0) await runTests(["--doc", "--no-check", "lib", "mod.ts"]);

console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);

/** A check that passes or fails as a whole. */
async function check(name: string, args: string[]): Promise<void> {
  console.log(`\n-- ${name}: deno ${args.join(" ")}`);
  const { success } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn().status;
  if (success) passed++;
  else failed++;
}

/** A run of `deno test`, counted by its own summary. */
async function runTests(args: string[]): Promise<void> {
  console.log(`\n-- tests: deno test ${args.join(" ")}`);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...args],
    stdin: "null",
    stdout: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  let tail = "";
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    tail = (tail + new TextDecoder().decode(chunk)).slice(-4000);
  }
  const { success } = await child.status;
  const summary = /(\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/g;
  const last = [...tail.matchAll(summary)].at(-1);
  passed += Number(last?.[1] ?? 0);
  failed += Number(last?.[2] ?? 0);
  // A module that does not load, or a leak, fails the run without failing a test.
  if (!success && Number(last?.[2] ?? 0) === 0) failed++;
}

async function installDebianPackages(): Promise<void> {
  const missing: string[] = [];
  for (const { name, file } of debianPackages) {
    if (!await Deno.stat(file).then(() => true, () => false)) missing.push(name);
  }
  if (missing.length === 0) return;
  const isRoot = Deno.build.os === "linux" && Deno.uid() === 0;
  const commands = [["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", ...missing]];
  if (isRoot) {
    let success = true;
    for (const args of commands) {
      success &&=
        (await new Deno.Command("apt-get", { args, stdin: "null", stdout: "null" }).spawn().status).success;
    }
    if (success) return;
  }
  console.error(
    `Cannot run the tests: these Debian packages are missing: ${missing.join(", ")}\n` +
      `  help: sudo apt-get update && sudo apt-get install ${missing.join(" ")}`,
  );
  console.log("0 passed, 1 failed");
  Deno.exit(1);
}
