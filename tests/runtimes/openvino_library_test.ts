import assert from "node:assert/strict";
import { join } from "node:path";
import { checkOpenVINO, findOpenVINO, openOpenVINO } from "../../lib/runtimes/openvino_library.ts";
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

const NOWHERE = { WHITTLE_OPENVINO: undefined };

Deno.test("checkOpenVINO() refuses other libraries and other versions", async () => {
  const help =
    "help: unset WHITTLE_OPENVINO to have the right one downloaded, or point it to a supported one";
  const path = "/x/libopenvino_c.so";
  checkOpenVINO({ path, version: "2026.4.1", missing: [] });
  checkOpenVINO({ path, version: "2026.5.0", missing: [] });
  const wrong = (version: string) =>
    `it is OpenVINO ${version}, wanted is 2026.4 or later, below 2027\n  ${help}`;
  const table: [string | undefined, string[], string][] = [
    [
      undefined,
      [],
      "it is a shared library, but not OpenVINO's C API: it has no function ov_get_openvino_version\n" +
      "  help: set WHITTLE_OPENVINO to the path of libopenvino_c",
    ],
    ["2026.3.0", [], wrong("2026.3.0")],
    ["2025.4.1", ["ov_core_compile_model_props"], wrong("2025.4.1")],
    ["2027.0.0", [], wrong("2027.0.0")],
    [
      "2026.4.1",
      ["ov_core_compile_model_props"],
      `OpenVINO 2026.4.1 lacks 1 of the functions needed\n  missing: ov_core_compile_model_props\n  ${help}`,
    ],
  ];
  for (const [version, missing, reason] of table) {
    assert.equal(
      await messageOf(() => checkOpenVINO({ path, version, missing })),
      `LibraryError: Cannot use "${path}": ${reason}`,
    );
  }
});

Deno.test("findOpenVINO() takes the file that WHITTLE_OPENVINO names, or the one in that folder", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "libopenvino_c.so.2641");
  await Deno.writeFile(path, fakeLibrary(1000));
  await Deno.writeFile(join(folder.path, "libopenvino.so.2641"), fakeLibrary(1000));
  for (const value of [path, folder.path]) {
    assert.deepEqual(await withEnvironment({ WHITTLE_OPENVINO: value }, () => findOpenVINO()), {
      path,
      source: "environment",
      sizeBytes: 1000,
    });
  }
});

Deno.test("findOpenVINO() says what is wrong with WHITTLE_OPENVINO", async () => {
  await using folder = await tempFolder();
  const at = (name: string) => join(folder.path, name);
  await Deno.writeTextFile(at("notes.txt"), "These are no machine instructions, but a text.".repeat(3));
  const other = Deno.build.arch === "x86_64" ? "aarch64" : "x86_64";
  await Deno.writeFile(at("foreign.so"), fakeLibrary(1000, other));
  const table: [string, RegExp][] = [
    [at("nothing.so"), /there is no such file$/],
    [folder.path, /there is no libopenvino_c in this folder$/],
    [at("notes.txt"), /it is not a shared library\n {2}it has 138 B and starts with "These are no mac"$/],
    [at("foreign.so"), /it is .* for \w+, this machine needs .* for \w+$/],
  ];
  const help = "\n  help: set it to the path of libopenvino_c or of the folder it is in, " +
    "or unset it to have the library downloaded";
  for (const [value, reason] of table) {
    const message = await withEnvironment({ WHITTLE_OPENVINO: value }, () => messageOf(() => findOpenVINO()));
    assert.ok(message.startsWith(`LibraryError: Cannot use WHITTLE_OPENVINO=${value}: `), message);
    assert.ok(message.endsWith(help), message);
    assert.match(message.slice(0, -help.length), reason);
  }
});

Deno.test("findOpenVINO() downloads once, and then takes the files from the cache", async () => {
  await using folder = await tempFolder();
  const names = ["libopenvino_c.so.2641", "libopenvino.so.2641", "libopenvino_intel_gpu_plugin.so"];
  const content = fakeLibrary(3000);
  await using index = serveIndex(
    fakeWheel(names.map((name) => ({ path: `openvino/libs/${name}`, content }))),
  );
  const wheel = demoRequest({
    members: [/^openvino\/libs\/libopenvino(_c)?\.so\.\d+$/],
    unpackedBytes: 6000,
  });
  const environment = { ...NOWHERE, ...pipEnvironment(index.url), WHITTLE_CACHE: folder.path };
  await withEnvironment(environment, async () => {
    assert.equal(
      await messageOf(() => findOpenVINO({ wheel, download: false })),
      "LibraryError: Cannot find libopenvino_c: it is not in the cache\n" +
        "  help: deno task doctor --download fetches it",
    );
    const found = await findOpenVINO({ wheel });
    assert.ok(found.path.endsWith("/openvino/libs/libopenvino_c.so.2641"), found.path);
    assert.deepEqual([found.source, found.package, found.sizeBytes], ["download", "demo-native", 6000]);
    assert.deepEqual(await findOpenVINO({ wheel, download: false }), { ...found, source: "cache" });
    assert.equal(index.requests(), 1);
    const beside = Array.from(Deno.readDirSync(join(found.path, "..")), ({ name }) => name).sort();
    assert.deepEqual(beside, ["libopenvino.so.2641", "libopenvino_c.so.2641"]);
  });
});

Deno.test("findOpenVINO() says what to do without pip", async () => {
  await using folder = await tempFolder();
  for (const name of ["python3", "python", "py", "pip3", "pip"]) {
    await fakeProgram(folder.path, name, "exit 3");
  }
  const environment = { ...NOWHERE, PATH: folder.path, WHITTLE_CACHE: join(folder.path, "cache") };
  assert.match(
    await withEnvironment(environment, () => messageOf(() => findOpenVINO())),
    /^LibraryError: Cannot find pip, which fetches the native library\n(.*\n)*.*; or set WHITTLE_OPENVINO to the path of libopenvino_c or of the folder it is in$/,
  );
});

Deno.test("openOpenVINO() opens OpenVINO, and refuses what is none", async () => {
  const { path, sizeBytes } = await findOpenVINO();
  assert.ok(sizeBytes > 1e5);
  const { version, native } = await openOpenVINO(path);
  assert.match(version, /^2026\.\d+\.\d+$/);
  const core = new BigUint64Array(1);
  assert.equal(native.ov_core_create(core), 0);
  await using folder = await tempFolder();
  const hollow = join(folder.path, "hollow.so");
  await Deno.writeFile(hollow, fakeLibrary(1000));
  assert.match(
    await messageOf(() => openOpenVINO(hollow)),
    /^LibraryError: Cannot open ".*hollow\.so": the system's loader refuses it\n {2}\S.*\n {2}help: unset WHITTLE_OPENVINO to have the library downloaded with all it needs$/,
  );
});
