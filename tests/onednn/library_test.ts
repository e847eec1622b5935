import assert from "node:assert/strict";
import { join } from "node:path";
import { type Machine, onednnUnavailable, requireOneDNN } from "../../lib/onednn/availability.ts";
import { checkOneDNN, effectiveInstructionSet, findOneDNN, openOneDNN } from "../../lib/onednn/library.ts";
import { missingFunctions } from "../../lib/provision/native_library.ts";
import type { ProvisionEvent } from "../../lib/provision/events.ts";
import {
  demoRequest,
  fakeLibrary,
  fakeProgram,
  fakeWheel,
  messageOf,
  pipEnvironment,
  serveIndex,
  tempFolder,
  withEnvironment,
} from "../provision/_fake_index.ts";

/** Where oneDNN cannot be used, there is nothing to find and nothing to open. */
const onlyWithOneDNN = { ignore: onednnUnavailable() !== undefined };
const NOWHERE = { WHITTLE_ONEDNN: undefined };

const GOOD: Machine = { os: "linux", arch: "x86_64", processorFlags: new Set(["sse4_1", "avx", "avx2"]) };

/** Runs a program in a process of its own. */
async function runProgram(
  program: string,
): Promise<{ code: number; signal: string | null; stdout: string; stderr: string }> {
  const { code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", program],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, signal, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("onednnUnavailable() and requireOneDNN() say what a machine lacks", async () => {
  const openMPFailure = "libgomp.so.1: cannot open shared object file: No such file or directory";
  const { processorFlags: _, ...unknownProcessor } = GOOD;
  const help = 'help: pass { executor: "tensorflow" }';
  const table: [Machine, string | undefined, string?][] = [
    [GOOD, undefined],
    [unknownProcessor, undefined],
    [
      { ...GOOD, os: "darwin", arch: "aarch64" },
      "there is no build for darwin-aarch64, only for linux-x86_64",
      help,
    ],
    [
      { ...GOOD, arch: "aarch64" },
      "there is no build for linux-aarch64, only for linux-x86_64",
      help,
    ],
    [
      { ...GOOD, processorFlags: new Set(["sse4_1", "avx"]) },
      "this processor has no AVX2, and oneDNN's kernels without it are slow",
      help,
    ],
    [
      { ...GOOD, openMPFailure },
      "the system's loader does not open libgomp.so.1, which it needs",
      `${openMPFailure}\n  help: install libgomp1 (Debian, Ubuntu) or libgomp (Fedora), ` +
      'or pass { executor: "tensorflow" }',
    ],
  ];
  for (const [machine, reason, rest] of table) {
    assert.equal(onednnUnavailable(machine), reason);
    assert.equal(
      await messageOf(() => requireOneDNN(machine)),
      reason === undefined ? "nothing was thrown" : `LibraryError: Cannot use oneDNN: ${reason}\n  ${rest}`,
    );
  }
});

Deno.test("checkOneDNN() accepts oneDNN 3.2 and later 3.x with OpenMP", () => {
  for (const version of ["3.2.0", "3.2.1", "3.10.4"]) {
    checkOneDNN({ path: "/x/libdnnl.so.3", version, cpuRuntime: 2, missing: [] });
  }
});

Deno.test("checkOneDNN() says what is wrong with a library", async () => {
  const help = "help: unset WHITTLE_ONEDNN to have the right one downloaded, or point it to a supported one";
  const wrongVersion = (version: string) =>
    `it is oneDNN ${version}, wanted is 3.2 or later, below 4\n  ${help}`;
  const wrongRuntime = (runtime: string) =>
    `it is oneDNN 3.2.0 built for ${runtime}, wanted is the build for OpenMP\n` +
    `  the number of threads is set through OpenMP\n  ${help}`;
  const good = { path: "/x/libdnnl.so.3", version: "3.2.0", cpuRuntime: 2, missing: [] };
  const missing = ["dnnl_primitive_execute", "omp_set_num_threads"];
  const table: [Partial<typeof good> | { missing: string[] }, string][] = [
    [
      { version: undefined, cpuRuntime: undefined, missing },
      "it is a shared library, but not oneDNN's: it has no function dnnl_version\n" +
      "  help: set WHITTLE_ONEDNN to the path of a libdnnl.so.3",
    ],
    [{ version: "2.7.3", missing: [] }, wrongVersion("2.7.3")],
    [{ version: "3.1.1", missing: [] }, wrongVersion("3.1.1")],
    [{ version: "4.0.0", missing: [] }, wrongVersion("4.0.0")],
    [{ cpuRuntime: 1 }, wrongRuntime("one thread")],
    [{ cpuRuntime: 4 }, wrongRuntime("TBB")],
    [{ cpuRuntime: 8 }, wrongRuntime("a thread pool")],
    [{ cpuRuntime: 512 }, wrongRuntime("SYCL")],
    [{ cpuRuntime: 16 }, wrongRuntime("runtime 16")],
    [
      { missing },
      "oneDNN 3.2.0 lacks 2 of the functions needed\n" +
      `  missing: dnnl_primitive_execute\n  missing: omp_set_num_threads\n  ${help}`,
    ],
  ];
  for (const [facts, reason] of table) {
    assert.equal(
      await messageOf(() => checkOneDNN({ ...good, ...facts })),
      `LibraryError: Cannot use "/x/libdnnl.so.3": ${reason}`,
    );
  }
});

Deno.test("effectiveInstructionSet() names what oneDNN generates", () => {
  const name = (value: number) => effectiveInstructionSet({ dnnl_get_effective_cpu_isa: () => value });
  assert.equal(name(0x7), "AVX2");
  assert.equal(name(0x67), "AVX-512 with VNNI");
  assert.equal(name(0xfef), "AVX-512 with VNNI, bf16, fp16 and AMX");
  assert.equal(name(0x7fffef), "instruction set 0x7fffef");
});

Deno.test(
  "findOneDNN() takes the file that WHITTLE_ONEDNN names, or the one in that folder",
  onlyWithOneDNN,
  async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, "libdnnl.so.3");
    await Deno.writeFile(path, fakeLibrary(1000));
    for (const value of [path, folder.path]) {
      assert.deepEqual(await withEnvironment({ WHITTLE_ONEDNN: value }, () => findOneDNN()), {
        path,
        source: "environment",
        sizeBytes: 1000,
      });
    }
  },
);

Deno.test("findOneDNN() says what is wrong with WHITTLE_ONEDNN", onlyWithOneDNN, async () => {
  await using folder = await tempFolder();
  const at = (name: string) => join(folder.path, name);
  await Deno.writeTextFile(at("notes.txt"), "These are no machine instructions, but a text.".repeat(3));
  await Deno.writeFile(at("foreign.so"), fakeLibrary(1000, "aarch64"));
  const cut = fakeLibrary(1000);
  new DataView(cut.buffer).setBigUint64(40, 54_000_000n, true);
  new DataView(cut.buffer).setUint32(58, 0, true);
  await Deno.writeFile(at("cut.so"), cut);
  const table: [string, string][] = [
    [at("nothing.so"), "there is no such file"],
    [folder.path, "there is no libdnnl in this folder"],
    [at("notes.txt"), 'it is not a shared library\n  it has 138 B and starts with "These are no mac"'],
    [at("foreign.so"), "it is ELF for aarch64, this machine needs ELF for x86_64"],
    [
      at("cut.so"),
      "the file is cut off\n  it has 1000 bytes, its header promises at least 54000000",
    ],
  ];
  for (const [value, reason] of table) {
    assert.equal(
      await withEnvironment({ WHITTLE_ONEDNN: value }, () => messageOf(() => findOneDNN())),
      `LibraryError: Cannot use WHITTLE_ONEDNN=${value}: ${reason}\n` +
        "  help: set it to the path of a libdnnl.so.3 or of the folder it is in, or unset it to have the library " +
        "downloaded",
    );
  }
});

Deno.test("findOneDNN() downloads once, and then takes the file from the cache", onlyWithOneDNN, async () => {
  await using folder = await tempFolder();
  const tag = "manylinux1_x86_64";
  const path = "demo_native-1.0.data/data/lib/libdnnl.so.3.2";
  // The wheel holds the same file under three names.
  const names = [path.slice(0, -4), path.slice(0, -2), path];
  const content = fakeLibrary(30_000);
  await using index = serveIndex(fakeWheel(names.map((path) => ({ path, content }))), {
    tag,
    python: "py2.py3-none",
  });
  const wheel = demoRequest({ tag, members: [path], unpackedBytes: 30_000 });
  const environment = { ...NOWHERE, ...pipEnvironment(index.url), WHITTLE_CACHE: folder.path };
  await withEnvironment(environment, async () => {
    assert.equal(
      await messageOf(() => findOneDNN({ wheel, download: false })),
      "LibraryError: Cannot find libdnnl: it is not in the cache\n" +
        "  help: deno task doctor --download fetches it",
    );
    const events: ProvisionEvent[] = [];
    const found = await findOneDNN({ wheel, onProgress: (event) => events.push(event) });
    assert.deepEqual(found, {
      path: join(folder.path, "demo-native-1.0-linux-x86_64", path),
      source: "download",
      package: "demo-native",
      sizeBytes: 30_000,
    });
    assert.deepEqual([...new Set(events.map(({ type }) => type))], ["download", "unpack", "ready"]);
    assert.deepEqual(await Deno.readFile(found.path), content);
    const again = { ...found, source: "cache" };
    assert.deepEqual(await findOneDNN({ wheel, onProgress: () => assert.fail("nothing to tell") }), again);
    assert.deepEqual(await findOneDNN({ wheel, download: false }), again);
    assert.equal(index.requests(), 1);
  });
});

Deno.test("findOneDNN() stops a download, with the reason of the signal", onlyWithOneDNN, async () => {
  await using folder = await tempFolder();
  const signal = AbortSignal.abort(new Error("enough"));
  await withEnvironment({ ...NOWHERE, WHITTLE_CACHE: folder.path }, async () => {
    assert.equal(await messageOf(() => findOneDNN({ signal })), "Error: enough");
  });
});

Deno.test("findOneDNN() says what to do without pip", onlyWithOneDNN, async () => {
  await using folder = await tempFolder();
  for (const name of ["python3", "python", "py", "pip3", "pip"]) {
    await fakeProgram(folder.path, name, "exit 3");
  }
  const environment = { ...NOWHERE, PATH: folder.path, WHITTLE_CACHE: join(folder.path, "cache") };
  assert.match(
    await withEnvironment(environment, () => messageOf(() => findOneDNN())),
    /^LibraryError: Cannot find pip, which fetches the native library\n(.*\n)*.*; or set WHITTLE_ONEDNN to the path of a libdnnl\.so\.3, or pass \{ executor: "tensorflow" \}$/,
  );
});

Deno.test(
  "openOneDNN() refuses what is no library, passes on the loader's reason, and refuses other libraries",
  onlyWithOneDNN,
  async () => {
    await using folder = await tempFolder();
    const text = join(folder.path, "text.so");
    await Deno.writeTextFile(text, "These are no machine instructions, but a text.".repeat(3));
    assert.match(
      await messageOf(() => openOneDNN(text)),
      /^LibraryError: Cannot load ".*": it is not a shared library\n/,
    );
    // Headers without what they promise: the check lets it through, the loader does not.
    const hollow = join(folder.path, "hollow.so");
    await Deno.writeFile(hollow, fakeLibrary(1000));
    assert.match(
      await messageOf(() => openOneDNN(hollow)),
      /^LibraryError: Cannot open ".*hollow\.so": the system's loader refuses it\n {2}\S.*\n {2}help: set WHITTLE_ONEDNN to another libdnnl\.so\.3; deno task doctor shows what was found$/,
    );
    const others = ["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6"];
    const other = others.find((path) => Deno.statSync(path).isFile)!;
    assert.equal(
      await messageOf(() => openOneDNN(other)),
      `LibraryError: Cannot use "${other}": it is a shared library, but not oneDNN's: ` +
        "it has no function dnnl_version\n  help: set WHITTLE_ONEDNN to the path of a libdnnl.so.3",
    );
  },
);

Deno.test("openOneDNN() opens oneDNN with the OpenMP it computes with", onlyWithOneDNN, async () => {
  const { path, sizeBytes } = await findOneDNN();
  assert.ok(sizeBytes > 1e7);
  const { version, native, openMP, system } = await openOneDNN(path);
  const [major, minor] = version.split(".").map(Number);
  assert.ok(major === 3 && minor >= 2, version);
  assert.match(effectiveInstructionSet(native), /^(AVX|SSE|instruction set)/);
  const threads = openMP.omp_get_max_threads();
  openMP.omp_set_num_threads(1);
  assert.equal(openMP.omp_get_max_threads(), 1);
  openMP.omp_set_num_threads(threads);
  const environment = new Uint8Array(32);
  assert.equal(system.fegetenv(environment), 0);
  // MXCSR after the start of a process: all exceptions masked.
  assert.equal(new DataView(environment.buffer).getUint32(28, true) & 0x1f80, 0x1f80);
  assert.deepEqual(missingFunctions(path, ["dnnl_forecast", "dnnl_version", "dnnl_gone"]), [
    "dnnl_forecast",
    "dnnl_gone",
  ]);
});

/** Computes where `order` says, one after the other, in a process of its own. */
async function computeIn(order: readonly ("main" | "worker")[]): Promise<void> {
  const { path } = await findOneDNN();
  const result = await runProgram(`
    import { multiply } from ${JSON.stringify(import.meta.resolve("./_multiply.ts"))};
    const path = ${JSON.stringify(path)};
    for (const place of ${JSON.stringify(order)}) {
      if (place === "main") {
        console.log(JSON.stringify(await multiply(path)));
        continue;
      }
      const worker = new Worker(${
    JSON.stringify(import.meta.resolve("./_multiply_worker.ts"))
  }, { type: "module" });
      const answer = new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
      worker.postMessage(path);
      console.log(JSON.stringify(await answer));
      worker.terminate();
    }`);
  const line = /^\{"version":"3\.\d+\.\d+","isRight":true,"threads":2\}\n/.exec(result.stdout)?.[0];
  assert.ok(line, result.stdout + result.stderr);
  assert.deepEqual(result, { code: 0, signal: null, stdout: line.repeat(order.length), stderr: "" });
}

Deno.test(
  "openOneDNN() computes in the main thread and in Workers, says nothing, and the process ends well",
  onlyWithOneDNN,
  async () => {
    await computeIn(["main", "worker", "worker", "main"]);
  },
);

Deno.test("openOneDNN() computes in Workers only, one after the other", onlyWithOneDNN, async () => {
  await computeIn(["worker", "worker", "worker"]);
});
