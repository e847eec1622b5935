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

/** Parts the tests run in: enough of them that both processes end at about the same time. */
const GROUPS = 24;

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
if (chosen.length > 0) await runTests(["--no-check", ...chosen]);
else {
  const groups = Array.from({ length: GROUPS }, (_, group) => `--shard=${group + 1}/${GROUPS}`);
  const runs = groups.map((group) => ["--no-check", group, "tests"]);
  runs.push(["--doc", "--no-check", "lib", "mod.ts"]);
  // Two at a time: while one waits for a program or loads a module, the other computes.
  const next = async () => {
    for (let args = runs.shift(); args !== undefined; args = runs.shift()) await runTests(args);
  };
  await Promise.all([next(), next()]);
}

console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);

/** A check that passes or fails as a whole. */
async function check(name: string, args: string[]): Promise<void> {
  console.log(`\n-- ${name}: deno ${args.join(" ")}`);
  const { success } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn().status;
  if (success) passed++;
  else failed++;
}

/** A run of `deno test`, shown when it has ended, and counted by its own summary. */
async function runTests(args: string[]): Promise<void> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...args],
    stdin: "null",
    env: { NO_COLOR: "1" },
  });
  const { success, stdout, stderr } = await command.output();
  const text = new TextDecoder().decode(stdout);
  console.log(`\n-- tests: deno test ${args.join(" ")}\n${new TextDecoder().decode(stderr)}${text}`);
  const summary = /(\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/g;
  const last = [...text.matchAll(summary)].at(-1);
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
