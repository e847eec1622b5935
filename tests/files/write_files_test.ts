import assert from "node:assert/strict";
import { join } from "node:path";
import { writeFiles } from "../../lib/files/write_files.ts";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The files of a folder with their text. */
function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(Deno.readDirSync(folder), ({ name, isFile }) => [
      name,
      isFile ? Deno.readTextFileSync(join(folder, name)) : "(a folder)",
    ]),
  );
}

Deno.test("writeFiles() makes the folder, replaces older files and leaves nothing beside them", () =>
  inFolder(async (outer) => {
    const folder = join(outer, "new");
    const pair = (text: string) => [
      { path: join(folder, "model.bin"), content: new TextEncoder().encode(`numbers, ${text}`) },
      { path: join(folder, "model.xml"), content: `layers, ${text}` },
    ];
    await writeFiles(pair("old"));
    await writeFiles(pair("né"));
    assert.deepEqual(contents(folder), { "model.bin": "numbers, né", "model.xml": "layers, né" });
  }));

for (const inTheWay of ["model.bin", "model.xml"]) {
  Deno.test(`writeFiles() leaves the older files as they were where ${inTheWay} cannot get its name`, () =>
    inFolder(async (folder) => {
      const other = inTheWay === "model.bin" ? "model.xml" : "model.bin";
      await Deno.mkdir(join(folder, inTheWay, "full"), { recursive: true });
      await Deno.writeTextFile(join(folder, other), "old");
      await assert.rejects(
        writeFiles([
          { path: join(folder, "model.bin"), content: "new" },
          { path: join(folder, "model.xml"), content: "new" },
        ]),
        {
          message: `Cannot write "${join(folder, inTheWay)}": a folder of that name is there\n` +
            "  help: choose another path",
        },
      );
      assert.deepEqual(contents(folder), { [inTheWay]: "(a folder)", [other]: "old" });
    }));
}

Deno.test({
  name: "writeFiles() leaves no half file where the disk is full half-way",
  ignore: Deno.build.os === "windows", // no limit on the size of files there
  fn: () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(join(folder, "model.bin"), "old");
      await Deno.writeTextFile(join(folder, "model.xml"), "old");
      const module = new URL("../../lib/files/write_files.ts", import.meta.url).href;
      const script = `import { writeFiles } from ${JSON.stringify(module)};
        await writeFiles([
          { path: "model.xml", content: "new" },
          { path: "model.bin", content: new Uint8Array(1_000_000) },
        ]).catch(({ message }) => console.log(message));`;
      const file = join(folder, "script.ts");
      await Deno.writeTextFile(file, script);
      // A write that crosses the limit writes up to it and fails with the next: as on a disk that is full.
      const { stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", `trap "" XFSZ; ulimit -f 200; exec "$0" run -A --no-lock "$1"`, Deno.execPath(), file],
        cwd: folder,
        env: { DENO_DIR: join(folder, "deno") },
      }).output();
      const said = new TextDecoder().decode(stdout);
      assert.match(said, /^Cannot write "model\.bin": File too large/, new TextDecoder().decode(stderr));
      await Deno.remove(file);
      await Deno.remove(join(folder, "deno"), { recursive: true });
      assert.deepEqual(contents(folder), { "model.bin": "old", "model.xml": "old" });
    }),
});
