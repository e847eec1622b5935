import assert from "node:assert/strict";
import { join } from "node:path";
import { withFileLock } from "../../lib/provision/file_lock.ts";
import { messageOf, tempFolder } from "./_fake_index.ts";

/** Holds a lock until it is released. */
async function hold(path: string): Promise<() => Promise<void>> {
  const release = Promise.withResolvers<void>();
  const holding = Promise.withResolvers<void>();
  const done = withFileLock(path, () => {
    holding.resolve();
    return release.promise;
  });
  await holding.promise;
  return () => {
    release.resolve();
    return done;
  };
}

Deno.test("withFileLock() returns what the work returns, and is free again after it failed", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "x.lock");
  assert.equal(await withFileLock(path, () => Promise.resolve(42)), 42);
  assert.equal(await messageOf(() => withFileLock(path, () => Promise.reject(new Error("no")))), "Error: no");
  assert.equal(await withFileLock(path, () => Promise.resolve(43)), 43);
  assert.equal(await Deno.readTextFile(path), "");
});

Deno.test("withFileLock() lets one at a time work", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "x.lock");
  let inside = 0;
  const work = async () => {
    assert.equal(++inside, 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    inside--;
  };
  await Promise.all([1, 2, 3].map(() => withFileLock(path, work)));
});

Deno.test("withFileLock() tells who holds the lock, and gives up in the end", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "x.lock");
  const release = await hold(path);
  const waits: (number | undefined)[] = [];
  const message = await messageOf(() =>
    withFileLock(path, () => Promise.resolve(), {
      timeoutSeconds: 0.2,
      onWait: (_, processId) => waits.push(processId),
    })
  );
  assert.equal(
    message,
    `LibraryError: Cannot wait any longer for "${path}": process ${Deno.pid} has held it for over 0.2 s\n` +
      `  help: look whether process ${Deno.pid} still makes progress, end it if not, and run this again`,
  );
  assert.deepEqual(waits, [Deno.pid]);
  await release();
});

Deno.test("withFileLock() stops waiting when it is aborted", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "x.lock");
  const release = await hold(path);
  const stop = new AbortController();
  const waiting = messageOf(() =>
    withFileLock(path, () => Promise.resolve(), { signal: stop.signal, onWait: () => stop.abort() })
  );
  assert.match(await waiting, /^AbortError/);
  await release();
});

Deno.test("withFileLock() says when the lock file cannot be written", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "missing", "x.lock");
  assert.match(
    await messageOf(() => withFileLock(path, () => Promise.resolve())),
    /^LibraryError: Cannot write to the cache: No such file or directory .*\n {2}help: make the folder writable, or set WHITTLE_CACHE to another folder$/,
  );
});
