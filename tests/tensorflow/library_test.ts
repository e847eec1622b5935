import assert from "node:assert/strict";
import { join } from "node:path";
import { findLibrary, openLibrary } from "../../lib/tensorflow/library.ts";
import {
  fakeLibrary,
  fakeProgram,
  messageOf,
  tempFolder,
  withEnvironment,
} from "../provision/_fake_index.ts";

const [LIBRARY, FRAMEWORK] = Deno.build.os === "darwin"
  ? ["libtensorflow_cc.2.dylib", "libtensorflow_framework.2.dylib"]
  : ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];
const HELP = `help: set it to the path of ${LIBRARY}, or unset it to have the library found or downloaded`;
const NOWHERE = { WHITTLE_TENSORFLOW: undefined, WHITTLE_TENSORFLOW_PACKAGE: undefined };

/** Puts files that look like the two libraries into a folder. */
async function putLibraries(folder: string, ...names: string[]): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const name of names) await Deno.writeFile(join(folder, name), fakeLibrary(1000));
}

/** A folder with a Python that has a TensorFlow which may be looked at, but not imported. */
async function putPythonPackage(folder: string, packageName: string, version: string): Promise<void> {
  await putLibraries(join(folder, "tensorflow"), LIBRARY, FRAMEWORK);
  await Deno.writeTextFile(join(folder, "tensorflow", "__init__.py"), "raise SystemExit('imported')\n");
  const info = join(folder, `${packageName.replaceAll("-", "_")}-${version}.dist-info`);
  await Deno.mkdir(info);
  await Deno.writeTextFile(
    join(info, "METADATA"),
    `Metadata-Version: 2.1\nName: ${packageName}\nVersion: ${version}\n`,
  );
}

Deno.test("findLibrary() takes what WHITTLE_TENSORFLOW names: the file, its folder, or the folder above", async () => {
  await using folder = await tempFolder();
  const package_ = join(folder.path, "tensorflow");
  await putLibraries(package_, LIBRARY, FRAMEWORK);
  for (const value of [join(package_, LIBRARY), package_, folder.path]) {
    assert.deepEqual(await withEnvironment({ WHITTLE_TENSORFLOW: value }, () => findLibrary()), {
      path: join(package_, LIBRARY),
      frameworkPath: join(package_, FRAMEWORK),
      sizeBytes: 2000,
      source: "environment",
      passedOver: [],
    });
  }
});

Deno.test("findLibrary() says what is wrong with WHITTLE_TENSORFLOW", async () => {
  await using folder = await tempFolder();
  const at = (name: string) => join(folder.path, name);
  await Deno.writeTextFile(at("notes.txt"), "These are no machine instructions, but a text.".repeat(3));
  await putLibraries(at("half"), LIBRARY);
  const foreign = Deno.build.arch === "x86_64" ? "aarch64" : "x86_64";
  await Deno.writeFile(at("foreign.so"), fakeLibrary(1000, foreign));
  const format = Deno.build.os === "darwin" ? "Mach-O" : "ELF";
  const table: [string, string][] = [
    [at("nothing"), "there is no such file or folder"],
    [folder.path, `there is no ${LIBRARY} in "${folder.path}" or "${at("tensorflow")}"`],
    [at("notes.txt"), 'it is not a shared library\n  it has 138 B and starts with "These are no mac"'],
    [at("foreign.so"), `it is ${format} for ${foreign}, this machine needs ${format} for ${Deno.build.arch}`],
    [at("half"), `"${join(at("half"), LIBRARY)}" needs ${FRAMEWORK} beside it, which is not there`],
  ];
  for (const [value, reason] of table) {
    assert.equal(
      await withEnvironment({ WHITTLE_TENSORFLOW: value }, () => messageOf(() => findLibrary())),
      `LibraryError: Cannot use WHITTLE_TENSORFLOW=${value}: ${reason}\n  ${HELP}`,
    );
  }
});

Deno.test("findLibrary() takes the TensorFlow of the Python on PATH without importing it", async () => {
  await using folder = await tempFolder();
  await putPythonPackage(folder.path, "tensorflow-cpu", "2.20.1");
  const found = await withEnvironment(
    { ...NOWHERE, PYTHONPATH: folder.path },
    () => findLibrary({ download: false }),
  );
  assert.deepEqual(found, {
    path: join(folder.path, "tensorflow", LIBRARY),
    frameworkPath: join(folder.path, "tensorflow", FRAMEWORK),
    sizeBytes: 2000,
    version: "2.20.1",
    source: "python",
    package: "tensorflow-cpu",
    passedOver: [],
  });
});

Deno.test("findLibrary() passes over a Python's TensorFlow that does not fit, and says so", async () => {
  await using folder = await tempFolder();
  const look = (options: Parameters<typeof findLibrary>[0] = {}) =>
    withEnvironment(
      { ...NOWHERE, PYTHONPATH: folder.path, WHITTLE_CACHE: join(folder.path, "cache") },
      () => messageOf(() => findLibrary({ download: false, ...options })),
    );
  const message = (reason: string) =>
    new RegExp(
      "^LibraryError: Cannot find libtensorflow: it is neither installed nor in the cache\\n" +
        `  tensorflow-cpu \\S+ of /\\S+: ${reason}\\n  help: deno task doctor --download fetches it$`,
    );
  await putPythonPackage(folder.path, "tensorflow-cpu", "2.15.0");
  assert.match(await look(), message("wanted is 2\\.19 or later, below 2\\.22"));
  await Deno.rename(
    join(folder.path, "tensorflow_cpu-2.15.0.dist-info"),
    join(folder.path, "tensorflow_cpu-2.21.0.dist-info"),
  );
  const metadata = join(folder.path, "tensorflow_cpu-2.21.0.dist-info", "METADATA");
  await Deno.writeTextFile(metadata, "Metadata-Version: 2.1\nName: tensorflow-cpu\nVersion: 2.21.0\n");
  assert.match(await look({ device: "gpu" }), message("it is a build for CPUs only"));
  await Deno.remove(join(folder.path, "tensorflow", FRAMEWORK));
  assert.match(await look(), message(`"\\S.*${LIBRARY}" needs ${FRAMEWORK} beside it, which is not there`));
  await Deno.remove(join(folder.path, "tensorflow", LIBRARY));
  assert.match(await look(), message(`there is no ${LIBRARY} in ".*" or ".*/lib"`));
});

Deno.test("findLibrary() gets over a broken Python", async () => {
  await using folder = await tempFolder();
  await fakeProgram(folder.path, "python3", "echo '{nonsense'; exit 0");
  await fakeProgram(folder.path, "python", "exit 3");
  const environment = { ...NOWHERE, PATH: folder.path, WHITTLE_CACHE: join(folder.path, "cache") };
  assert.equal(
    await withEnvironment(environment, () => messageOf(() => findLibrary({ download: false }))),
    "LibraryError: Cannot find libtensorflow: it is neither installed nor in the cache\n" +
      "  help: deno task doctor --download fetches it",
  );
  assert.match(
    await withEnvironment(environment, () => messageOf(() => findLibrary())),
    /^LibraryError: Cannot find pip, which fetches the native library\n(.*\n)*.*; or copy libtensorflow_cc and libtensorflow_framework from another machine and set WHITTLE_TENSORFLOW$/,
  );
});

Deno.test("findLibrary() refuses a WHITTLE_TENSORFLOW_PACKAGE it does not know", async () => {
  assert.equal(
    await withEnvironment(
      { ...NOWHERE, WHITTLE_TENSORFLOW_PACKAGE: "tensorflow-gpu" },
      () => messageOf(() => findLibrary({ download: false })),
    ),
    "LibraryError: Cannot use WHITTLE_TENSORFLOW_PACKAGE=tensorflow-gpu: it is not a package that is known\n" +
      "  help: set it to tensorflow-cpu, or to tensorflow for a GPU",
  );
});

Deno.test("openLibrary() opens TensorFlow, finds its functions and names the version", async () => {
  const library = await openLibrary({
    TF_DataTypeSize: { parameters: ["i32"], result: "usize" },
    status: { name: "TF_NewStatus", parameters: [], result: "pointer" },
  });
  assert.equal(library.symbols.TF_DataTypeSize(1), 4n);
  assert.notEqual(library.symbols.status(), null);
  assert.match(library.version, /^2\.(19|20|21)\./);
  assert.equal(library.sizeBytes > 1e8, true);
  assert.equal(library.oneDNN, Deno.build.os === "linux" && Deno.env.get("TF_ENABLE_ONEDNN_OPTS") === "1");
  assert.equal(Deno.env.get("TF_ENABLE_ONEDNN_OPTS") !== undefined, true);
});

Deno.test("openLibrary() names all functions that are missing", async () => {
  const nothing = { parameters: [], result: "void" } as const;
  const message = await messageOf(() =>
    openLibrary({ TF_Version: nothing, TF_Forecast: nothing, other: { name: "TF_Gone", ...nothing } })
  );
  assert.match(
    message,
    /^LibraryError: Cannot use ".*": TensorFlow 2\.\S+ lacks 2 of the 3 functions needed\n {2}missing: TF_Forecast\n {2}missing: TF_Gone\n {2}help: use the libtensorflow_cc of the tensorflow or tensorflow-cpu package, version 2\.21$/,
  );
});

Deno.test("openLibrary() passes on the loader's reason", async () => {
  await using folder = await tempFolder();
  // Headers without what they promise: the check lets it through, the loader does not.
  await putLibraries(folder.path, LIBRARY, FRAMEWORK);
  const path = join(folder.path, FRAMEWORK);
  assert.match(
    await withEnvironment({ WHITTLE_TENSORFLOW: folder.path }, () => messageOf(() => openLibrary({}))),
    new RegExp(
      `^LibraryError: Cannot open "${path}": the system's loader refuses it\\n  \\S.*\\n` +
        `  help: set WHITTLE_TENSORFLOW to another ${LIBRARY}; deno task doctor shows what was found$`,
    ),
  );
});

const fixtures = new URL("fixtures/", import.meta.url).pathname;
const onlyLinux = { ignore: Deno.build.os !== "linux" || Deno.build.arch !== "x86_64" };

Deno.test("openLibrary() refuses another version", onlyLinux, async () => {
  const path = join(fixtures, "old_tensorflow_x86_64.so");
  assert.equal(
    await withEnvironment({ WHITTLE_TENSORFLOW: path }, () => messageOf(() => openLibrary({}))),
    `LibraryError: Cannot use "${path}": it is TensorFlow 1.15.5, wanted is 2.19 or later, below 2.22\n` +
      "  help: unset WHITTLE_TENSORFLOW, or point it to a supported version",
  );
});

Deno.test("openLibrary() refuses a library that is not TensorFlow", onlyLinux, async () => {
  const path = "/lib/x86_64-linux-gnu/libm.so.6";
  assert.equal(
    await withEnvironment({ WHITTLE_TENSORFLOW: path }, () => messageOf(() => openLibrary({}))),
    `LibraryError: Cannot use "${path}": it is a shared library, but not TensorFlow's: it has no function TF_Version\n` +
      `  help: set WHITTLE_TENSORFLOW to the path of ${LIBRARY}`,
  );
});

Deno.test("openLibrary() says nothing in the terminal, and the process ends well", async () => {
  const library = JSON.stringify(import.meta.resolve("../../lib/tensorflow/library.ts"));
  const program = `
    import { openLibrary } from ${library};
    const { symbols } = await openLibrary({ TF_NewStatus: { parameters: [], result: "pointer" } });
    console.log(symbols.TF_NewStatus() !== null);`;
  const { code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.deepEqual({ code, signal, stdout: text(stdout), stderr: text(stderr) }, {
    code: 0,
    signal: null,
    stdout: "true\n",
    stderr: "",
  });
});
