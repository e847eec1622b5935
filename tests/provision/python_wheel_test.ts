import assert from "node:assert/strict";
import { join } from "node:path";
import type { ProvisionEvent } from "../../lib/provision/events.ts";
import { findProvidedWheel, provideFromWheel } from "../../lib/provision/python_wheel.ts";
import {
  demoRequest,
  fakeLibrary,
  type FakeMember,
  fakePip,
  fakeProgram,
  fakeWheel,
  type IndexBehaviour,
  messageOf,
  pipEnvironment,
  serveIndex,
  tempFolder,
  withEnvironment,
} from "./_fake_index.ts";

const LIBRARY: FakeMember = { path: "demo/libdemo.so.2", content: fakeLibrary(30_000) };
const OTHER: FakeMember = { path: "demo/huge.py", content: new Uint8Array(20_000).fill(65) };

/** A cache, an index with this wheel, and pip that uses it. */
async function withIndex(
  wheel: Uint8Array,
  behaviour: IndexBehaviour,
  work: (cache: string, requests: () => number) => Promise<void>,
): Promise<void> {
  await using folder = await tempFolder();
  await using index = serveIndex(wheel, behaviour);
  await withEnvironment(pipEnvironment(index.url), () => work(folder.path, index.requests));
}

/** The message for a wheel that cannot be used; nothing but the lock may stay in the cache. */
async function failure(
  wheel: Uint8Array,
  behaviour?: IndexBehaviour,
  request = demoRequest(),
  options: Parameters<typeof provideFromWheel>[1] = {},
): Promise<string> {
  let message = "";
  const run = async (cache: string) => {
    message = (await messageOf(() => provideFromWheel(request, { cache, ...options })))
      .replaceAll(cache, "CACHE").replaceAll(/partial-[0-9a-f]+/g, "partial");
    const left = Array.from(Deno.readDirSync(cache), ({ name }) => name);
    assert.deepEqual(left.filter((name) => !name.endsWith(".lock")), [], message);
  };
  if (behaviour === undefined) await withFakePip(wheel, run);
  else await withIndex(wheel, behaviour, run);
  return message;
}

/** A cache, and a pip that hands out this wheel at once. */
async function withFakePip(wheel: Uint8Array, work: (cache: string) => Promise<void>): Promise<void> {
  await using folder = await tempFolder();
  await fakePip(join(folder.path, "bin"), wheel);
  await withEnvironment({ PATH: `${folder.path}/bin:/usr/bin:/bin` }, () => work(join(folder.path, "cache")));
}

Deno.test("provideFromWheel() downloads once, keeps only the wanted files and tells about it", async () => {
  await withIndex(fakeWheel([LIBRARY, OTHER]), {}, async (cache, requests) => {
    const events: ProvisionEvent[] = [];
    const request = demoRequest();
    assert.equal(await findProvidedWheel(request, { cache }), undefined);
    const first = await provideFromWheel(request, { cache, onProgress: (event) => events.push(event) });
    assert.equal(first.source, "download");
    assert.deepEqual(first.files, [join(first.folder, "demo/libdemo.so.2")]);
    assert.equal(first.sizeBytes, 30_000);
    assert.deepEqual(await Deno.readFile(first.files[0]), LIBRARY.content);
    const below = Array.from(Deno.readDirSync(join(first.folder, "demo")), ({ name }) => name);
    assert.deepEqual(below, ["libdemo.so.2"]);
    assert.deepEqual(Array.from(new Set(events.map(({ type }) => type))), ["download", "unpack", "ready"]);
    const last = events.filter((event) => event.type === "unpack").at(-1)!;
    assert.deepEqual(last, {
      type: "unpack",
      what: "demo-native 1.0",
      doneBytes: 30_000,
      totalBytes: 30_000,
    });
    const again = await provideFromWheel(request, {
      cache,
      onProgress: () => assert.fail("nothing to tell"),
    });
    assert.deepEqual(again, { ...first, source: "cache" });
    assert.deepEqual(await findProvidedWheel(request, { cache }), again);
    assert.equal(requests(), 1);
  });
});

Deno.test("provideFromWheel() takes a wheel that is for any Python", async () => {
  const tag = "manylinux1_x86_64";
  await withIndex(fakeWheel([LIBRARY]), { tag, python: "py2.py3-none" }, async (cache) => {
    const { source, files } = await provideFromWheel(demoRequest({ tag }), { cache });
    assert.equal(source, "download");
    assert.deepEqual(await Deno.readFile(files[0]), LIBRARY.content);
  });
});

Deno.test("provideFromWheel() takes members by pattern", async () => {
  const plugin = { path: "demo/plugins/libplugin.so", content: fakeLibrary(2_000) };
  await withFakePip(fakeWheel([LIBRARY, plugin, OTHER]), async (cache) => {
    const { files, folder } = await provideFromWheel(demoRequest({ members: [/\.so(\.\d+)?$/] }), { cache });
    assert.deepEqual(files, [join(folder, LIBRARY.path), join(folder, plugin.path)]);
  });
});

Deno.test("provideFromWheel() fetches anew what is damaged in the cache", async () => {
  await withFakePip(fakeWheel([LIBRARY]), async (cache) => {
    const { files } = await provideFromWheel(demoRequest(), { cache });
    await Deno.truncate(files[0], 1000);
    assert.equal(await findProvidedWheel(demoRequest(), { cache }), undefined);
    const again = await provideFromWheel(demoRequest(), { cache });
    assert.equal(again.source, "download");
    assert.equal((await Deno.stat(files[0])).size, 30_000);
  });
});

Deno.test("provideFromWheel() says when there is no wheel for the platform", async () => {
  const request = { ...demoRequest(), platforms: { "linux-x86_64": undefined, "darwin-aarch64": undefined } };
  delete request.platforms["linux-x86_64"];
  assert.equal(
    await messageOf(() => provideFromWheel(request, { platform: "windows-x86_64", cache: "/nonexistent" })),
    "LibraryError: Cannot download demo-native 1.0: there is no wheel for windows-x86_64, only for darwin-aarch64\n" +
      "  help: set DEMO to the path of libdemo",
  );
});

Deno.test("provideFromWheel() says when the disk is too full, before downloading", async () => {
  const message = await failure(fakeWheel([LIBRARY]), undefined, demoRequest(), {
    freeBytes: () => Promise.resolve(12_345),
  });
  assert.equal(
    message,
    'LibraryError: Cannot download demo-native 1.0: "CACHE" has 12.3 kB free, 90.0 kB are needed\n' +
      "  help: make space there, or set WHITTLE_CACHE to a folder on a larger disk",
  );
});

Deno.test("provideFromWheel() says when a download is cut off", async () => {
  const message = await failure(fakeWheel([LIBRARY]), { cutAfter: 20_000 });
  assert.match(
    message,
    /^LibraryError: Cannot download demo-native 1\.0: the download was cut off or damaged\n/,
  );
  assert.match(message, /\n {2}help: run this again; nothing half-downloaded was kept$/);
});

Deno.test("provideFromWheel() says when the file is not the one the index promises", async () => {
  const message = await failure(fakeWheel([LIBRARY]), { sha256: "0".repeat(64) });
  assert.match(
    message,
    /^LibraryError: Cannot download demo-native 1\.0: the download was cut off or damaged\n/,
  );
  assert.match(message, /pip: +Got +[0-9a-f]{64}/);
});

Deno.test("provideFromWheel() says when the file is not the one that was published", async () => {
  const message = await failure(fakeWheel([LIBRARY]), undefined, demoRequest({ sha256: "0".repeat(64) }));
  assert.match(
    message,
    /^LibraryError: Cannot use demo-native 1\.0: demo_native-1\.0-\S+\.whl is not the file that was published\n {2}it has 3\d\.\d kB and SHA-256 [0-9a-f]{64}\n {2}wanted is SHA-256 0{64}\n {2}help: /,
  );
});

Deno.test("provideFromWheel() says when the index cannot be reached, and warns while pip tries", async () => {
  const warnings: string[] = [];
  await using folder = await tempFolder();
  const cache = folder.path;
  const message = await withEnvironment(
    pipEnvironment("http://127.0.0.1:9/simple"),
    () =>
      messageOf(() =>
        provideFromWheel(demoRequest(), {
          cache,
          onProgress: (event) => event.type === "warning" && warnings.push(event.message),
        })
      ),
  );
  assert.match(
    message,
    /^LibraryError: Cannot download demo-native 1\.0: the package index cannot be reached\n/,
  );
  assert.match(
    message,
    /\n {2}help: check the network and pip's index \(pip config list\), and run this again; or set DEMO to the path of libdemo$/,
  );
  assert.equal(warnings.length > 0, true);
  assert.match(warnings[0], /^Retrying .* after \w+$/);
});

Deno.test("provideFromWheel() says when the index answers with an error", async () => {
  const message = await failure(fakeWheel([LIBRARY]), { status: 503 });
  assert.match(
    message,
    /^LibraryError: Cannot download demo-native 1\.0: the package index .*cannot be (read|reached)\n/,
  );
});

Deno.test("provideFromWheel() says when the index has no such wheel", async () => {
  const message = await failure(fakeWheel([LIBRARY]), { tag: "win_amd64" });
  assert.match(
    message,
    /^LibraryError: Cannot download demo-native 1\.0: the package index has no wheel for manylinux_2_27_x86_64 \(Python 3\.13\), or cannot be read\n/,
  );
  assert.match(message, /pip: ERROR: No matching distribution found for demo-native==1\.0/);
});

Deno.test("provideFromWheel() says when the wheel lacks a file", async () => {
  const message = await failure(fakeWheel([OTHER]));
  assert.equal(
    message,
    "LibraryError: Cannot use demo_native-1.0-cp313-cp313-manylinux_2_27_x86_64.whl: it is not the wheel that is wanted\n" +
      "  missing: demo/libdemo.so.2\n  help: check pip's index (pip config list)",
  );
});

Deno.test("provideFromWheel() says when a wheel has a file twice", async () => {
  assert.match(await failure(fakeWheel([LIBRARY, LIBRARY])), /\n {2}there twice: demo\/libdemo\.so\.2\n/);
});

Deno.test("provideFromWheel() says when a file is not what the wheel records", async () => {
  const other = { ...LIBRARY, content: fakeLibrary(30_001) };
  const message = await failure(fakeWheel([LIBRARY], [other]));
  assert.match(
    message,
    /^LibraryError: Cannot use demo_native\S+: demo\/libdemo\.so\.2 is not what the wheel records\n {2}its SHA-256 is \S+, recorded is \S+\n/,
  );
});

Deno.test("provideFromWheel() says when a checksum inside the wheel is wrong", async () => {
  const message = await failure(fakeWheel([{ ...LIBRARY, wrongChecksum: true }]));
  assert.match(
    message,
    /^LibraryError: Cannot unpack "CACHE\/.*\.whl": the archive is damaged\n {2}demo\/libdemo\.so\.2: its checksum is wrong\n {2}help: fetch it again$/,
  );
});

Deno.test("provideFromWheel() refuses names that leave the folder", async () => {
  for (const path of ["../../evil.so", "/etc/evil.so", "demo\\..\\evil.so"]) {
    const message = await failure(
      fakeWheel([LIBRARY, { ...LIBRARY, path }]),
      undefined,
      demoRequest({ members: [/\.so/] }),
    );
    assert.match(
      message,
      /^LibraryError: Cannot unpack .*: the archive is damaged\n {2}.*(relative|absolute|invalid)/,
    );
  }
});

Deno.test("provideFromWheel() says when the wheel is no archive or ends early, though its hash is right", async () => {
  const whole = fakeWheel([LIBRARY]);
  for (const wheel of [new TextEncoder().encode("<html>not found</html>"), whole.subarray(0, 20_000)]) {
    const message = await failure(wheel);
    assert.match(message, /^LibraryError: Cannot (unpack|download) .*\n(.*\n)* {2}help: /);
  }
});

Deno.test("provideFromWheel() says when the file is no library, or for another machine", async () => {
  const wheel = "LibraryError: Cannot use demo_native-1.0-cp313-cp313-manylinux_2_27_x86_64.whl: ";
  const message = (reason: string) =>
    `${wheel}demo/libdemo.so.2 is not the library that is wanted\n  ${reason}\n  help: check pip's index (pip config list)`;
  const text = new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\n".repeat(10));
  assert.equal(
    await failure(fakeWheel([{ ...LIBRARY, content: text }])),
    message('it is not a shared library\n  it has 430 B and starts with "version https://"'),
  );
  const foreign = Deno.build.arch === "x86_64" ? "aarch64" : "x86_64";
  const format = Deno.build.os === "darwin" ? "Mach-O" : "ELF";
  assert.equal(
    await failure(fakeWheel([{ ...LIBRARY, content: fakeLibrary(5000, foreign) }])),
    message(`it is ${format} for ${foreign}, this machine needs ${format} for ${Deno.build.arch}`),
  );
});

Deno.test("provideFromWheel() stops pip and clears up when it is aborted", async () => {
  const large = { ...LIBRARY, content: fakeLibrary(2_000_000) };
  await withIndex(fakeWheel([large]), { bytesPerSecond: 400_000 }, async (cache) => {
    const stop = new AbortController();
    let bytes = 0;
    const message = await messageOf(() =>
      provideFromWheel(demoRequest({ sizeBytes: 2_000_000 }), {
        cache,
        signal: stop.signal,
        onProgress: (event) => {
          if (event.type !== "download" || event.doneBytes === 0) return;
          bytes = event.doneBytes;
          stop.abort();
        },
      })
    );
    assert.match(message, /^AbortError: /);
    assert.equal(bytes > 0 && bytes < 2_000_000, true);
    assert.deepEqual(Array.from(Deno.readDirSync(cache), ({ name }) => name.split(".").at(-1)), ["lock"]);
  });
});

Deno.test("provideFromWheel() says what was tried when there is no pip", async () => {
  await using temporary = await tempFolder();
  const folder = temporary.path;
  await fakeProgram(folder, "python3", `echo "$0: No module named pip" >&2; exit 1`);
  await fakeProgram(folder, "pip", `echo "pip 99 from nowhere"`);
  const message = await withEnvironment(
    { PATH: folder },
    () => messageOf(() => provideFromWheel(demoRequest(), { cache: join(folder, "cache") })),
  );
  const help = Deno.build.os === "linux"
    ? "install pip (on Debian and Ubuntu: apt-get install python3-pip) and run this again"
    : "install Python 3, which brings pip, and run this again";
  assert.equal(
    message,
    "LibraryError: Cannot find pip, which fetches the native library\n" +
      `  python3 -m pip: ${folder}/python3: No module named pip\n` +
      "  python -m pip: not installed\n  py -m pip: not installed\n  pip3: not installed\n  pip: unknown answer\n" +
      `  help: ${help}; or set DEMO to the path of libdemo`,
  );
});

Deno.test("provideFromWheel() passes on what pip says when it fails in an unknown way", async () => {
  await using temporary = await tempFolder();
  const folder = temporary.path;
  const pip = `case "$1" in -c) echo "[\\"$0\\", \\"23.0\\", \\"3.9\\"]";; `;
  await fakeProgram(folder, "python3", `${pip} *) echo "Segmentation fault" >&2; exit 139;; esac`);
  const cache = join(folder, "cache");
  const run = () =>
    withEnvironment(
      { PATH: `${folder}:/usr/bin:/bin` },
      () => messageOf(() => provideFromWheel(demoRequest(), { cache })),
    );
  assert.equal(
    await run(),
    "LibraryError: Cannot download demo-native 1.0: pip 23.0 ended with code 139\n  pip: Segmentation fault\n" +
      "  help: try it by hand: python3 -m pip download --no-deps --only-binary=:all: --python-version=3.13 " +
      "--platform=manylinux_2_27_x86_64 demo-native==1.0",
  );
  await fakeProgram(folder, "python3", `${pip} *) exit 0;; esac`);
  assert.match(
    await run(),
    /: pip 23\.0 left no wheel, though it reported no error\n {2}help: try it by hand: /,
  );
  await fakeProgram(
    folder,
    "python3",
    `${pip} *) echo "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device" >&2; exit 1;; esac`,
  );
  assert.equal(
    await run(),
    "LibraryError: Cannot download demo-native 1.0: the disk is full\n" +
      "  pip: ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n" +
      "  help: make space there, or set WHITTLE_CACHE to a folder on a larger disk",
  );
});

Deno.test({
  name: "provideFromWheel() says when the disk fills up while it unpacks",
  // Only root can mount a small disk.
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0,
  fn: async () => {
    await using folder = await tempFolder();
    const cache = join(folder.path, "small disk");
    await Deno.mkdir(cache);
    await run("mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", cache);
    try {
      // Fits as a wheel, but not beside it.
      await fakePip(join(folder.path, "bin"), fakeWheel([{ ...LIBRARY, content: fakeLibrary(300_000) }]));
      const message = await withEnvironment(
        { PATH: `${folder.path}/bin:/usr/bin:/bin` },
        () =>
          messageOf(() => provideFromWheel(demoRequest(), { cache, freeBytes: () => Promise.resolve(1e12) })),
      );
      assert.match(
        message,
        /^LibraryError: Cannot unpack demo-native 1\.0: the disk of ".*small disk.*" is full\n {2}No space left on device .*\n {2}help: make space there, or set WHITTLE_CACHE to a folder on a larger disk$/,
      );
      const real = await messageOf(() =>
        provideFromWheel(demoRequest({ sizeBytes: 300_000, unpackedBytes: 300_000 }), { cache })
      );
      assert.match(real, /has \d+ kB free, 600 kB are needed\n/);
      assert.deepEqual(Array.from(Deno.readDirSync(cache), ({ name }) => name.split(".").at(-1)), ["lock"]);
    } finally {
      await run("umount", cache);
    }
  },
});

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stderr: "piped" }).output();
  assert.equal(success, true, new TextDecoder().decode(stderr));
}
