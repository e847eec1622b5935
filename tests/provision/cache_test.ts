import assert from "node:assert/strict";
import { join } from "node:path";
import {
  cacheFolder,
  formatBytes,
  freeBytes,
  installOnce,
  requireFreeSpace,
} from "../../lib/provision/cache.ts";
import { messageOf, tempFolder, withEnvironment } from "./_fake_index.ts";

const isFile = async (path: string) => (await Deno.stat(path).catch(() => undefined))?.isFile ?? false;

/** Builds a folder with one file. */
function install(cache: string, build?: (folder: string, scratch: string) => Promise<void>) {
  return installOnce({
    cache,
    name: "thing",
    isWhole: (folder) => isFile(join(folder, "done")),
    build: build ?? ((folder) => Deno.writeTextFile(join(folder, "done"), "yes")),
  });
}

function names(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

Deno.test("cacheFolder() is WHITTLE_CACHE, else the system's folder for caches", async () => {
  const linux = Deno.build.os === "linux";
  await withEnvironment({ WHITTLE_CACHE: "/data/w", HOME: "/home/ada", XDG_CACHE_HOME: "/xdg" }, async () => {
    assert.equal(cacheFolder(), "/data/w");
    await withEnvironment({ WHITTLE_CACHE: "w" }, () => assert.equal(cacheFolder(), join(Deno.cwd(), "w")));
    Deno.env.delete("WHITTLE_CACHE");
    assert.equal(cacheFolder(), linux ? "/xdg/whittle" : "/home/ada/Library/Caches/whittle");
    Deno.env.delete("XDG_CACHE_HOME");
    assert.equal(cacheFolder(), linux ? "/home/ada/.cache/whittle" : "/home/ada/Library/Caches/whittle");
    Deno.env.delete("HOME");
    assert.throws(cacheFolder, {
      name: "LibraryError",
      message: "Cannot choose a cache folder: neither WHITTLE_CACHE nor HOME is set\n" +
        "  help: set WHITTLE_CACHE to a folder that can be written",
    });
  });
});

Deno.test("freeBytes() measures the disk of a folder, also of one that is not there yet", async () => {
  const free = await freeBytes(Deno.cwd());
  assert.equal(free > 1e6, true);
  const below = await freeBytes(join(Deno.cwd(), "not", "there"));
  assert.equal(Math.abs(below - free) < 1e9, true);
});

Deno.test("requireFreeSpace() says how much is free and how much is needed", async () => {
  const free = () => Promise.resolve(1_000_000);
  await requireFreeSpace("do it", "/cache", 1_000_000, free);
  assert.equal(
    await messageOf(() => requireFreeSpace("download x 1.0", "/cache", 1_100_000_000, free)),
    'LibraryError: Cannot download x 1.0: "/cache" has 1.0 MB free, 1.1 GB are needed\n' +
      "  help: make space there, or set WHITTLE_CACHE to a folder on a larger disk",
  );
});

Deno.test("formatBytes() gives two or three figures and a unit", () => {
  const table: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [1449, "1.4 kB"],
    [9994, "10.0 kB"],
    [12_345, "12.3 kB"],
    [99_949, "99.9 kB"],
    [99_950, "100 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [853_308_936, "853 MB"],
    [1.5e13, "15.0 TB"],
    [5e15, "5000 TB"],
  ];
  assert.deepEqual(table.map(([bytes]) => formatBytes(bytes)), table.map(([, text]) => text));
});

Deno.test("installOnce() builds what is missing or not whole, and nothing else", async () => {
  await using folder = await tempFolder();
  const cache = join(folder.path, "deep", "cache");
  const path = join(cache, "thing");
  assert.deepEqual(await install(cache), { path, built: true });
  assert.deepEqual(await install(cache, () => assert.fail("it is there")), { path, built: false });
  await Deno.remove(join(path, "done"));
  await Deno.writeTextFile(join(path, "rest"), "of a damaged one");
  assert.deepEqual(await install(cache), { path, built: true });
  assert.deepEqual(names(path), ["done"]);
  assert.deepEqual(names(cache), ["thing", "thing.lock"]);
});

Deno.test("installOnce() leaves nothing of a build that fails, and clears what a killed one left", async () => {
  await using temporary = await tempFolder();
  const cache = temporary.path;
  await Deno.mkdir(join(cache, "thing.partial-4711", "content"), { recursive: true });
  await Deno.mkdir(join(cache, "thing.else"));
  const message = await messageOf(() =>
    install(cache, async (folder, scratch) => {
      const [, , partial, ...more] = names(cache);
      assert.match(partial, /^thing\.partial-[0-9a-f]{8}$/);
      assert.deepEqual(more, []);
      await Deno.writeTextFile(join(folder, "half"), "a");
      await Deno.writeTextFile(join(scratch, "half"), "a");
      throw new Error("power cut");
    })
  );
  assert.equal(message, "Error: power cut");
  assert.deepEqual(names(cache), ["thing.else", "thing.lock"]);
});

Deno.test("installOnce() says when the cache cannot be written", async () => {
  await using folder = await tempFolder();
  const file = join(folder.path, "file");
  await Deno.writeTextFile(file, "");
  assert.equal(
    await messageOf(() => install(join(file, "cache"))),
    `LibraryError: Cannot create the cache folder "${file}/cache": Not a directory (os error 20): mkdir '${file}/cache'\n` +
      "  help: make it writable, or set WHITTLE_CACHE to another folder",
  );
});

/** Installs in another process, and builds half until somebody waits for it. */
const PROGRAM = `
import { installOnce } from ${JSON.stringify(import.meta.resolve("../../lib/provision/cache.ts"))};
const [cache] = Deno.args;
const exists = (path) => Deno.stat(path).then(() => true, () => false);
const { built } = await installOnce({
  cache,
  name: "thing",
  isWhole: (folder) => exists(folder + "/done"),
  onWait: (_, processId) => {
    console.log("waits for", processId);
    Deno.writeTextFileSync(cache + ".waiting", "");
  },
  build: async (folder) => {
    await Deno.writeTextFile(folder + "/first", "a");
    console.log("builds", Deno.pid);
    while (!await exists(cache + ".waiting")) await new Promise((resolve) => setTimeout(resolve, 20));
    await Deno.writeTextFile(folder + "/done", "b");
  },
});
console.log(built ? "built" : "found");
`;

function startInstaller(program: string, cache: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", program, cache],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

Deno.test("installOnce() of two processes at once: one builds, the other waits and finds it", async () => {
  await using folder = await tempFolder();
  const program = join(folder.path, "install.ts");
  await Deno.writeTextFile(program, PROGRAM);
  const cache = join(folder.path, "cache");
  const both = [startInstaller(program, cache), startInstaller(program, cache)];
  const outputs = await Promise.all(both.map((child) => new Response(child.stdout).text()));
  for (const child of both) assert.equal((await child.status).success, true);
  const [builder, waiter] = outputs.sort();
  const processId = /^builds (\d+)\nbuilt\n$/.exec(builder)?.[1];
  assert.notEqual(processId, undefined, outputs.join());
  assert.match(waiter, new RegExp(`^(waits for ${processId}\n)+found\n$`));
  assert.deepEqual(names(cache), ["thing", "thing.lock"]);
  assert.deepEqual(names(join(cache, "thing")), ["done", "first"]);
});

Deno.test("installOnce() killed in the middle leaves nothing under the name, and the next call builds", async () => {
  await using folder = await tempFolder();
  const program = join(folder.path, "install.ts");
  await Deno.writeTextFile(program, PROGRAM);
  const cache = join(folder.path, "cache");
  const child = startInstaller(program, cache);
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  assert.match((await reader.read()).value ?? "", /^builds/);
  child.kill("SIGKILL");
  await reader.cancel();
  await child.status;
  assert.deepEqual(names(cache).map((name) => name.split("-")[0]), ["thing.lock", "thing.partial"]);
  assert.equal((await install(cache)).built, true);
  assert.deepEqual(names(cache), ["thing", "thing.lock"]);
});
