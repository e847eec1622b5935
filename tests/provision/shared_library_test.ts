import assert from "node:assert/strict";
import { join } from "node:path";
import { checkSharedLibrary } from "../../lib/provision/shared_library.ts";
import { messageOf, tempFolder } from "./_fake_index.ts";

/** Writes a file with these bytes. */
async function fileOf(folder: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, "library.so");
  await Deno.writeFile(path, bytes);
  return path;
}

/** An ELF header: 64 bit, little-endian. */
function elf(
  options: { machine?: number; type?: number; bits?: 1 | 2; sectionsAt?: bigint } = {},
): Uint8Array {
  const view = new DataView(new ArrayBuffer(200));
  view.setUint32(0, 0x7f454c46);
  view.setUint8(4, options.bits ?? 2);
  view.setUint8(5, 1);
  view.setUint16(16, options.type ?? 3, true);
  view.setUint16(18, options.machine ?? 0x3e, true);
  view.setBigUint64(40, options.sectionsAt ?? 0n, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, options.sectionsAt === undefined ? 0 : 2, true);
  return new Uint8Array(view.buffer);
}

function machO(...cpus: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(200));
  if (cpus.length === 1) {
    view.setUint32(0, 0xcffaedfe);
    view.setUint32(4, cpus[0], true);
  } else {
    view.setUint32(0, 0xcafebabe);
    view.setUint32(4, cpus.length);
    cpus.forEach((cpu, i) => view.setUint32(8 + 20 * i, cpu));
  }
  return new Uint8Array(view.buffer);
}

const LINUX = { os: "linux", arch: "x86_64" };
const MAC = { os: "darwin", arch: "aarch64" };

Deno.test("checkSharedLibrary() accepts the libraries of this machine", async () => {
  const path = Deno.build.os === "linux" ? await findLibM() : "/usr/lib/dyld";
  const found = await checkSharedLibrary(path);
  assert.equal(found.architectures.includes(Deno.build.arch), true);
  assert.equal(found.sizeBytes, (await Deno.stat(path)).size);
});

async function findLibM(): Promise<string> {
  for (const folder of [`/lib/${Deno.build.arch}-linux-gnu`, "/lib64", "/usr/lib"]) {
    const path = join(folder, "libm.so.6");
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  throw new Error("Cannot find libm.so.6 on this machine");
}

Deno.test("checkSharedLibrary() reads ELF and Mach-O, universal files too", async () => {
  await using folder = await tempFolder();
  const table: [Uint8Array, { os: string; arch: string }, string, string[]][] = [
    [elf(), LINUX, "ELF", ["x86_64"]],
    [elf({ machine: 0xb7 }), { os: "linux", arch: "aarch64" }, "ELF", ["aarch64"]],
    [elf({ sectionsAt: 72n }), LINUX, "ELF", ["x86_64"]],
    [machO(0x0100000c), MAC, "Mach-O", ["aarch64"]],
    [machO(0x01000007, 0x0100000c), MAC, "Mach-O", ["x86_64", "aarch64"]],
  ];
  for (const [bytes, target, format, architectures] of table) {
    assert.deepEqual(await checkSharedLibrary(await fileOf(folder.path, bytes), target), {
      format,
      architectures,
      sizeBytes: 200,
    });
  }
});

Deno.test("checkSharedLibrary() says what a file is that is not a library for this machine", async () => {
  await using folder = await tempFolder();
  const bytes = new TextEncoder();
  const wrong = (what: string, wanted: string) =>
    `it is ${what}, this machine needs ${wanted}\n  help: use the file that was built for this machine`;
  const noLibrary = (fact: string, file = "an .so") =>
    `it is not a shared library\n  ${fact}\n  help: give the path of ${file} file`;
  const table: [Uint8Array, { os: string; arch: string }, string][] = [
    [elf({ machine: 0xb7 }), LINUX, wrong("ELF for aarch64", "ELF for x86_64")],
    [elf({ machine: 243 }), LINUX, wrong("ELF for machine 243", "ELF for x86_64")],
    [elf({ machine: 3, bits: 1 }), LINUX, wrong("ELF for i386 (32 bit)", "ELF for x86_64")],
    [machO(0x0100000c), LINUX, wrong("Mach-O for aarch64", "ELF for x86_64")],
    [machO(0x01000007), MAC, wrong("Mach-O for x86_64", "Mach-O for aarch64")],
    [elf(), MAC, wrong("ELF for x86_64", "Mach-O for aarch64")],
    [
      bytes.encode("#!/bin/sh\n" + "echo hello\n".repeat(20)),
      LINUX,
      noLibrary('it has 230 B and starts with "#!/bin/sh\\necho h"'),
    ],
    [
      new Uint8Array(100).fill(0xfe),
      MAC,
      noLibrary("it has 100 B and starts with the bytes fe fe fe fe fe fe fe fe", "a .dylib"),
    ],
    [new Uint8Array(0), LINUX, noLibrary("it has 0 B and starts with nothing")],
    [
      elf().subarray(0, 40),
      LINUX,
      noLibrary("it has 40 B and starts with the bytes 7f 45 4c 46 02 01 00 00"),
    ],
    [
      elf({ type: 1 }),
      LINUX,
      "it is an ELF file, but no shared library\n  help: give the path of an .so file, not of a program or an object file",
    ],
    [
      elf({ sectionsAt: 1000n }),
      LINUX,
      "the file is cut off\n  it has 200 bytes, its header promises at least 1128\n  help: delete it and fetch it again",
    ],
  ];
  for (const [content, target, message] of table) {
    const path = await fileOf(folder.path, content);
    assert.equal(
      await messageOf(() => checkSharedLibrary(path, target)),
      `LibraryError: Cannot load "${path}": ${message}`,
    );
  }
});

Deno.test("checkSharedLibrary() says when there is no file, or a folder", async () => {
  await using temporary = await tempFolder();
  const folder = temporary.path;
  assert.equal(
    await messageOf(() => checkSharedLibrary(join(folder, "x.so"))),
    `LibraryError: Cannot load "${folder}/x.so": there is no such file\n  help: check the path`,
  );
  assert.equal(
    await messageOf(() => checkSharedLibrary(folder)),
    `LibraryError: Cannot load "${folder}": it is not a file\n  help: check the path`,
  );
});
