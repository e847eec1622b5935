import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { writeError, writeFile, writeFileSync } from "../../lib/files/write_file.ts";

const writers = [
  { name: "writeFile()", write: writeFile },
  {
    name: "writeFile() without sync",
    write: (path: string, text: string) => writeFile(path, text, { sync: false }),
  },
  // deno-lint-ignore require-await
  { name: "writeFileSync()", write: async (path: string, text: string) => writeFileSync(path, text) },
];

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

for (const { name, write } of writers) {
  Deno.test(`${name} makes folders, replaces a file whole and leaves nothing beside it`, () =>
    inFolder(async (folder) => {
      const path = join(folder, "a b", "ü\n.txt");
      await write(path, "old and longer");
      await write(path, "né");
      assert.equal(await Deno.readTextFile(path), "né");
      assert.deepEqual(namesIn(join(folder, "a b")), ["ü\n.txt"]);
    }));

  Deno.test(`${name} says what stands in the way and leaves it alone`, () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(join(folder, "file"), "x");
      await Deno.mkdir(join(folder, "folder/full"), { recursive: true });
      for (const path of ["file/a", "file/a/b"].map((path) => join(folder, path))) {
        await assert.rejects(write(path, "y"), {
          message:
            `Cannot write "${path}": a file stands where its folder should be\n  help: choose another path`,
        });
      }
      await assert.rejects(write(join(folder, "folder"), "y"), {
        message: `Cannot write "${join(folder, "folder")}": a folder of that name is there\n` +
          "  help: choose another path",
      });
      const long = join(folder, "n".repeat(300));
      await assert.rejects(write(long, "y"), {
        message: `Cannot write "${long}": the name is too long\n  help: choose a shorter one`,
      });
      assert.deepEqual(namesIn(folder), ["file", "folder"]);
    }));

  Deno.test({
    name: `${name} keeps the old file when the disk is full`,
    ignore: Deno.build.os !== "linux" || Deno.uid() !== 0, // only root can mount a small disk
    fn: () =>
      inFolder(async (folder) => {
        const disk = join(folder, "disk");
        await Deno.mkdir(disk);
        await run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk);
        try {
          const path = join(disk, "a.txt");
          await write(path, "old");
          await assert.rejects(write(path, "x".repeat(100_000)), {
            message: `Cannot write "${path}": no space is left on the device\n` +
              "  help: free some space, or choose a path on another disk",
          });
          assert.equal(await Deno.readTextFile(path), "old");
          assert.deepEqual(namesIn(disk), ["a.txt"]);
        } finally {
          await run("umount", disk);
        }
      }),
  });

  Deno.test({
    name: `${name} says that it may not write`,
    ignore: Deno.build.os === "windows",
    fn: () =>
      inFolder(async (folder) => {
        const closed = join(folder, "closed");
        await Deno.chmod(folder, 0o755);
        await Deno.mkdir(closed, { mode: 0o555 });
        const path = join(closed, "a.txt");
        const user = process.geteuid!();
        if (user === 0) process.seteuid!(65534); // root may write everywhere
        try {
          await assert.rejects(write(path, "x"), {
            message: `Cannot write "${path}": no permission to write there\n` +
              "  help: choose another path, or change the folder's permissions",
          });
        } finally {
          if (user === 0) process.seteuid!(user);
        }
        assert.deepEqual(namesIn(closed), []);
      }),
  });
}

Deno.test("writeError() tells what cannot be written from what Deno does not permit, and keeps other reasons", () => {
  assert.equal(
    writeError("a.txt", new Deno.errors.NotCapable('Requires write access to "a.txt"')).message,
    'Cannot write "a.txt": Deno was not permitted to\n  help: run with --allow-write, or -A',
  );
  assert.equal(
    writeError("a.txt", Object.assign(new Error("x"), { code: "EROFS" })).message,
    'Cannot write "a.txt": the file system can only be read\n  help: choose a path on another disk',
  );
  const cause = new Error("Input/output error (os error 5)");
  const error = writeError("a.txt", cause);
  assert.equal(error.message, 'Cannot write "a.txt": Input/output error (os error 5)');
  assert.equal(error.cause, cause);
});

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stderr: "piped" }).output();
  assert.equal(success, true, new TextDecoder().decode(stderr));
}
