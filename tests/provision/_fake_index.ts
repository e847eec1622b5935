/** Small wheels and a package index that serves them on this machine: what pip sees is real, and quick. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import type { WheelRequest } from "../../lib/provision/python_wheel.ts";

/** A file in a wheel. */
export interface FakeMember {
  readonly path: string;
  readonly content: Uint8Array;
  /** Put a wrong CRC-32 into the archive. */
  readonly wrongChecksum?: boolean;
}

/** Bytes that look like a shared library for this machine: a whole ELF (or Mach-O) header, and noise. */
export function fakeLibrary(sizeBytes: number, arch: string = Deno.build.arch): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  // Noise that does not compress, so that a wheel has about the size of its files.
  for (let i = 64, state = 1; i < sizeBytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  const view = new DataView(bytes.buffer);
  if (Deno.build.os === "darwin") {
    view.setUint32(0, 0xcffaedfe);
    view.setUint32(4, arch === "aarch64" ? 0x0100000c : 0x01000007, true);
    return bytes;
  }
  view.setUint32(0, 0x7f454c46);
  view.setUint8(4, 2);
  view.setUint8(5, 1);
  view.setUint16(16, 3, true);
  view.setUint16(18, arch === "aarch64" ? 0xb7 : 0x3e, true);
  return bytes;
}

/** A zip archive. */
export function zip(members: readonly FakeMember[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { path, content, wrongChecksum } of members) {
    const name = new TextEncoder().encode(path);
    const packed = new Uint8Array(deflateRawSync(content));
    const checksum = crc32(content) ^ (wrongChecksum ? 1 : 0);
    // The same fields in the local header and in the directory, where two more come before and four after them.
    const fields = (signature: number, before: number[], after: number[]) => {
      const values16 = [...before, 20, 0, 8, 0, 0x21];
      const head = new DataView(new ArrayBuffer(4 + values16.length * 2 + 12 + 4 + after.length * 2));
      head.setUint32(0, signature, true);
      values16.forEach((value, i) => head.setUint16(4 + 2 * i, value, true));
      const at = 4 + 2 * values16.length;
      head.setUint32(at, checksum >>> 0, true);
      head.setUint32(at + 4, packed.length, true);
      head.setUint32(at + 8, content.length, true);
      head.setUint16(at + 12, name.length, true);
      after.forEach((value, i) => head.setUint16(at + 16 + 2 * i, value, true));
      return new Uint8Array(head.buffer);
    };
    const local = fields(0x04034b50, [], []);
    parts.push(local, name, packed);
    directory.push(fields(0x02014b50, [20], [0, 0, 0, 0, 0, offset & 0xffff, offset >>> 16]), name);
    offset += local.length + name.length + packed.length;
  }
  const directoryBytes = directory.reduce((sum, part) => sum + part.length, 0);
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, members.length, true);
  end.setUint16(10, members.length, true);
  end.setUint32(12, directoryBytes, true);
  end.setUint32(16, offset, true);
  return concatenate([...parts, ...directory, new Uint8Array(end.buffer)]);
}

/** A wheel named `demo_native-1.0`, with the metadata pip looks at and a RECORD. */
export function fakeWheel(
  members: readonly FakeMember[],
  recordOf: readonly FakeMember[] = members,
): Uint8Array {
  const text = (path: string, content: string): FakeMember => ({
    path,
    content: new TextEncoder().encode(content),
  });
  const record = recordOf.map(({ path, content }) =>
    `${path},sha256=${createHash("sha256").update(content).digest("base64url")},${content.length}\n`
  );
  return zip([
    text("demo_native-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo-native\nVersion: 1.0\n"),
    text(
      "demo_native-1.0.dist-info/WHEEL",
      `Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: cp313-cp313-${TAG}\n`,
    ),
    ...members,
    text("demo_native-1.0.dist-info/RECORD", record.join("") + "demo_native-1.0.dist-info/RECORD,,\n"),
  ]);
}

const TAG = "manylinux_2_27_x86_64";
const WHEEL_NAME = `demo_native-1.0-cp313-cp313-${TAG}.whl`;

/** The request that goes with {@linkcode fakeWheel}. */
export function demoRequest(
  overrides: Partial<WheelRequest["platforms"]["linux-x86_64"]> = {},
): WheelRequest {
  return {
    package: "demo-native",
    version: "1.0",
    pythonVersion: "3.13",
    otherwise: "set DEMO to the path of libdemo",
    platforms: {
      [`${Deno.build.os}-${Deno.build.arch}`]: {
        tag: TAG,
        sizeBytes: 50_000,
        members: ["demo/libdemo.so.2"],
        unpackedBytes: 40_000,
        ...overrides,
      },
    },
  };
}

/** How {@linkcode serveIndex} answers. */
export interface IndexBehaviour {
  /** Send so many bytes of the wheel and hang up. */
  readonly cutAfter?: number;
  /** Bytes per second, to have the time to stop it. */
  readonly bytesPerSecond?: number;
  /** The hash the index promises, where it is not the wheel's. */
  readonly sha256?: string;
  /** Answer everything with this status. */
  readonly status?: number;
  /** The platform in the wheel's name. */
  readonly tag?: string;
  /** The Python and its ABI in the wheel's name. */
  readonly python?: string;
}

/** A package index with one package; `requests` counts downloads of its wheel. */
export interface FakeIndex extends AsyncDisposable {
  readonly url: string;
  readonly requests: () => number;
}

/** Serves a wheel as package `demo-native`. */
export function serveIndex(wheel: Uint8Array, behaviour: IndexBehaviour = {}): FakeIndex {
  let requests = 0;
  const { tag = TAG, python = "cp313-cp313" } = behaviour;
  const name = `demo_native-1.0-${python}-${tag}.whl`;
  const digest = behaviour.sha256 ?? createHash("sha256").update(wheel).digest("hex");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answer = async (connection: Deno.Conn) => {
    try {
      // One request a connection; sent by hand, because a proper server would not lie about the length.
      const buffer = new Uint8Array(8192);
      const count = await connection.read(buffer) ?? 0;
      const path = new TextDecoder().decode(buffer.subarray(0, count)).split(" ")[1] ?? "";
      const send = async (status: number, type: string, body: Uint8Array) => {
        const isWheel = path.endsWith(".whl");
        const head = `HTTP/1.1 ${status} X\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n` +
          "Connection: close\r\n\r\n";
        await writeAll(connection, new TextEncoder().encode(head));
        const end = isWheel && behaviour.cutAfter !== undefined ? behaviour.cutAfter : body.length;
        const step = isWheel && behaviour.bytesPerSecond
          ? Math.ceil(behaviour.bytesPerSecond / 20)
          : body.length;
        for (let at = 0; at < end; at += step) {
          await writeAll(connection, body.subarray(at, Math.min(end, at + step)));
          if (at + step < end) await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      if (behaviour.status !== undefined) await send(behaviour.status, "text/plain", new Uint8Array());
      else if (path.endsWith(".whl")) {
        requests++;
        await send(200, "application/octet-stream", wheel);
      } else if (path === "/simple/demo-native/") {
        const page =
          `<!DOCTYPE html><html><body><a href="/files/${name}#sha256=${digest}">${name}</a></body></html>`;
        await send(200, "text/html", new TextEncoder().encode(page));
      } else await send(404, "text/plain", new Uint8Array());
    } catch {
      // The client went away.
    } finally {
      try {
        connection.close();
      } catch {
        // Closed already.
      }
    }
  };
  const serving = (async () => {
    for await (const connection of listener) void answer(connection);
  })();
  return {
    url: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/simple`,
    requests: () => requests,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await serving;
    },
  };
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done));
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** pip's settings while a test runs: this index and nothing else. */
export function pipEnvironment(url: string): Record<string, string | undefined> {
  return {
    PIP_CONFIG_FILE: "/dev/null",
    PIP_INDEX_URL: url,
    PIP_EXTRA_INDEX_URL: undefined,
    PIP_FIND_LINKS: undefined,
    PIP_RETRIES: "1",
    PIP_DEFAULT_TIMEOUT: "5",
    NO_PROXY: "127.0.0.1",
    no_proxy: "127.0.0.1",
  };
}

/** A folder for PATH with a program named `name` that runs these lines of shell script. */
export async function fakeProgram(folder: string, name: string, body: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

/** A pip that "downloads" a wheel from this machine: for tests of what comes after the download. */
export async function fakePip(folder: string, wheel: Uint8Array): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeFile(join(folder, WHEEL_NAME), wheel);
  await fakeProgram(
    folder,
    "python3",
    `for a in "$@"; do
  case $a in
    -c) echo "[\\"$0\\", \\"23.0\\", \\"3.9\\"]"; exit;;
    --dest=*) exec /bin/cp "$(dirname "$0")/${WHEEL_NAME}" "\${a#--dest=}";;
  esac
done`,
  );
}

/** A folder that is removed in the end. */
export async function tempFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "whittle test " });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Sets environment variables (or unsets those that are `undefined`) while `work` runs. */
export async function withEnvironment<T>(
  values: Readonly<Record<string, string | undefined>>,
  work: () => Promise<T> | T,
): Promise<T> {
  const set = (name: string, value: string | undefined) =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  const before = Object.keys(values).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(values)) set(name, value);
  try {
    return await work();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

/** The message of what `work` throws. */
export async function messageOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (thrown) {
    return `${(thrown as Error).name}: ${(thrown as Error).message}`;
  }
  return "nothing was thrown";
}
