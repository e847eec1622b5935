import assert from "node:assert/strict";
import { join } from "node:path";
import { onednnUnavailable } from "../../lib/onednn/availability.ts";
import { findOneDNN } from "../../lib/onednn/library.ts";
import { fakeProgram, tempFolder } from "../provision/_fake_index.ts";

/** The library itself, downloaded once. */
const onlyWithOneDNN = { ignore: onednnUnavailable() !== undefined };
const DOCTOR = new URL("../../recipes/doctor.ts", import.meta.url).pathname;

async function doctor(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", DOCTOR, ...args],
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("doctor prints what was found and computes something with it", async () => {
  const { code, stdout, stderr } = await doctor([]);
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stderr, "");
  const patterns = [
    /^Whittle on Deno \d+\.\d+\.\d+, (linux|darwin) (x86_64|aarch64)\n\n/,
    /^. library +TensorFlow 2\.\d+\.\d+, \S+ [MG]B, .+\n +\/.*libtensorflow/m,
    /^✓ device +(cpu|gpu), \d+ GFLOP\/s in a float32 matrix product$/m,
    /^. kernels +(oneDNN's, in TensorFlow|TensorFlow's own, .*)$/m,
    /^. oneDNN +(oneDNN 3\.\d+\.\d+, \S+ MB, .+, computes with (AVX|SSE).*\n +\/.*libdnnl|Cannot (find|use) )/m,
    /^. OpenVINO +(OpenVINO 2026\.\d+\.\d+, \S+ MB, .+, runs exported \.xml files\n +\/.*libopenvino_c|Cannot (find|use) )/m,
    /^✓ processor +.+, \d+ threads?/m,
    /^. memory +\S+ GB of \S+ GB available$/m,
    /^✓ cache +\/.*: .* free on the disk$/m,
    /^✓ downloads +(pip \S+ \(.*\)|no pip), .*$/m,
    /\n\nReady\.\n$/,
  ];
  for (const pattern of patterns) assert.match(stdout, pattern);
});

Deno.test("doctor says what is missing, with help, and ends with 1", async () => {
  await using folder = await tempFolder();
  await fakeProgram(folder.path, "python3", `echo "No module named pip" >&2; exit 1`);
  const { code, stdout } = await doctor([], {
    PATH: folder.path,
    WHITTLE_TENSORFLOW: "",
    WHITTLE_CACHE: join(folder.path, "cache"),
  });
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^✗ library +Cannot find libtensorflow: it is neither installed nor in the cache\n +help: deno task doctor --download fetches it$/m,
  );
  assert.match(stdout, /^! oneDNN +Cannot (find libdnnl: it is not in the cache|use oneDNN: .*)\n +help: /m);
  assert.match(stdout, /^! OpenVINO +Cannot find libopenvino_c: it is not in the cache\n +help: /m);
  assert.match(stdout, /^✗ downloads +Cannot find pip, .*\n( +.*\n)+ +help: .*; or set WHITTLE_TENSORFLOW /m);
  assert.match(stdout, /\n\nNot ready: library, downloads\.\n$/);
});

Deno.test("doctor tells about oneDNN, and goes on without it", onlyWithOneDNN, async () => {
  await using folder = await tempFolder();
  const row = async (env: Record<string, string>, wanted = 0) => {
    const { code, stdout } = await doctor([], env);
    assert.equal(code, wanted, stdout);
    return /^(. oneDNN .*\n(?: +.*\n)*)/m.exec(stdout)![1].replaceAll(/ +/g, " ");
  };
  const { path } = await findOneDNN();
  const limited = await row({ WHITTLE_ONEDNN: path, ONEDNN_MAX_CPU_ISA: "SSE41" });
  assert.equal(
    limited.replace(/3\.\d+\.\d+, \S+ MB/, "3.x, N MB"),
    `! oneDNN oneDNN 3.x, N MB, from WHITTLE_ONEDNN, computes with SSE4.1\n ${path}\n` +
      " limited by ONEDNN_MAX_CPU_ISA=SSE41\n help: unset it\n",
  );
  const file = join(folder.path, "libdnnl.so.3");
  assert.match(
    await row({ WHITTLE_ONEDNN: file }, 1),
    /^✗ oneDNN Cannot use WHITTLE_ONEDNN=.*: there is no such file\n help: set it to .*\n$/,
  );
});

Deno.test("doctor names a wrong WHITTLE_OPENVINO, and does without OpenVINO", async () => {
  const { code, stdout } = await doctor([], { WHITTLE_OPENVINO: "/nowhere" });
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^✗ OpenVINO +Cannot use WHITTLE_OPENVINO=\/nowhere: there is no such file\n +help: /m,
  );
  assert.match(stdout, /\n\nNot ready: OpenVINO\.\n$/);
});

Deno.test("doctor names a wrong WHITTLE_TENSORFLOW", async () => {
  const { code, stdout } = await doctor([], { WHITTLE_TENSORFLOW: "/nowhere" });
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^✗ library +Cannot use WHITTLE_TENSORFLOW=\/nowhere: there is no such file or folder\n +help: /m,
  );
  assert.match(stdout, /\n\nNot ready: library\.\n$/);
});

Deno.test("doctor refuses unknown options and explains itself", async () => {
  const wrong = await doctor(["--fix"]);
  assert.equal(wrong.code, 2);
  assert.match(
    wrong.stderr,
    /^Unknown option --fix: known is --download\n\ndeno task doctor \[--download\]\n/,
  );
  const asked = await doctor(["--help"]);
  assert.equal(asked.code, 0);
  assert.match(asked.stdout, /^deno task doctor \[--download\]\n/);
});
