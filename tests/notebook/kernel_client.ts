/**
 * Drives a real Deno kernel over its wire protocol (ZMTP 3.0 without security, Jupyter 5.3), without Python: enough to
 * run cells, collect what they output and press Stop.
 */
import { createHmac } from "node:crypto";

/** A message that a kernel published while a cell ran. */
export interface Output {
  readonly type: string;
  // deno-lint-ignore no-explicit-any
  readonly content: any;
}

/** What a cell did. */
export interface CellResult {
  readonly status: "ok" | "error";
  readonly outputs: Output[];
}

/** A running kernel. */
export interface Kernel extends AsyncDisposable {
  /** Runs a cell and waits for its end. */
  run(code: string): Promise<CellResult>;
  /** Sends what the Stop button of a front end sends to this kernel: SIGINT. */
  stopButton(): void;
}

interface Message {
  header: { msg_id: string; msg_type: string };
  parent: { msg_id?: string };
  // deno-lint-ignore no-explicit-any
  content: any;
}

/** Starts a kernel in a folder. */
export async function startKernel(folder: string): Promise<Kernel> {
  const ports = freePorts(5);
  const key = crypto.randomUUID();
  const connection = {
    transport: "tcp",
    ip: "127.0.0.1",
    key,
    signature_scheme: "hmac-sha256",
    kernel_name: "deno",
    shell_port: ports[0],
    iopub_port: ports[1],
    stdin_port: ports[2],
    control_port: ports[3],
    hb_port: ports[4],
  };
  const file = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(file, JSON.stringify(connection));
  const process = new Deno.Command(Deno.execPath(), {
    args: ["jupyter", "--kernel", "--conn", file],
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const iopub = await connect(connection.iopub_port, "SUB");
  await iopub.send([new Uint8Array([1])]); // subscribe to everything
  const shell = await connect(connection.shell_port, "DEALER");
  const session = crypto.randomUUID();
  const published: Message[] = [];
  const replies: Message[] = [];
  const waiting = new Set<() => void>();
  const reading = [read(iopub, published), read(shell, replies)];
  async function read(socket: Socket, into: Message[]) {
    for await (const frames of socket.messages()) {
      into.push(decode(frames));
      for (const wake of waiting) wake();
      waiting.clear();
    }
  }

  /** Waits until a message is there. */
  async function waitFor(list: Message[], wanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = list.find(wanted);
      if (found) return found;
      await new Promise<void>((resolve) => waiting.add(resolve));
    }
  }

  /** Sends a request; returns its id. */
  async function request(type: string, content: unknown): Promise<string> {
    const id = crypto.randomUUID();
    const header = {
      msg_id: id,
      session,
      username: "test",
      date: new Date().toISOString(),
      msg_type: type,
      version: "5.3",
    };
    const parts = [header, {}, {}, content].map((part) => new TextEncoder().encode(JSON.stringify(part)));
    const signature = createHmac("sha256", key);
    for (const part of parts) signature.update(part);
    await shell.send(
      ["<IDS|MSG>", signature.digest("hex")].map((text) => new TextEncoder().encode(text)).concat(parts),
    );
    return id;
  }

  // The first answers may be published before the kernel knows of the subscription: ask until one arrives.
  for (let tries = 0; published.length === 0; tries++) {
    if (tries > 100) throw new Error("Cannot start a kernel: it did not answer within 30 seconds");
    await request("kernel_info_request", {});
    await new Promise((resolve) => setTimeout(resolve, 300));
  }

  return {
    async run(code) {
      const id = await request("execute_request", {
        code,
        silent: false,
        store_history: true,
        allow_stdin: false,
      });
      const reply = await waitFor(replies, (message) => message.parent.msg_id === id);
      // The kernel's word that a cell is done may overtake its outputs.
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const outputs = published.filter((message) =>
        message.parent.msg_id === id && !["status", "execute_input"].includes(message.header.msg_type)
      );
      return {
        status: reply.content.status,
        outputs: outputs.map(({ header, content }) => ({ type: header.msg_type, content })),
      };
    },
    stopButton: () => process.kill("SIGINT"),
    async [Symbol.asyncDispose]() {
      iopub.close();
      shell.close();
      try {
        process.kill("SIGKILL");
      } catch { /* it is dead already */ }
      await Promise.allSettled([process.status, ...reading]);
      await Deno.remove(file);
    },
  };
}

function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map((listener) => (listener.addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return ports;
}

function decode(frames: Uint8Array[]): Message {
  const texts = frames.map((frame) => new TextDecoder().decode(frame));
  const at = texts.indexOf("<IDS|MSG>");
  const json = (offset: number) => JSON.parse(texts[at + offset]);
  return { header: json(2), parent: json(3), content: json(5) };
}

interface Socket {
  send(frames: Uint8Array[]): Promise<void>;
  messages(): AsyncGenerator<Uint8Array[]>;
  close(): void;
}

/** Connects to a port that is perhaps not open yet, and shakes hands. */
async function connect(port: number, type: "SUB" | "DEALER"): Promise<Socket> {
  let connection: Deno.TcpConn | undefined;
  for (let tries = 0; !connection; tries++) {
    try {
      connection = await Deno.connect({ hostname: "127.0.0.1", port });
    } catch (error) {
      if (tries > 300) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  const conn = connection;
  let buffered = new Uint8Array(0);
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
  };
  const take = async (count: number): Promise<Uint8Array> => {
    const chunk = new Uint8Array(65536);
    while (buffered.length < count) {
      const size = await conn.read(chunk);
      if (size === null) throw new Deno.errors.UnexpectedEof("The kernel closed the connection");
      const longer = new Uint8Array(buffered.length + size);
      longer.set(buffered);
      longer.set(chunk.subarray(0, size), buffered.length);
      buffered = longer;
    }
    const taken = buffered.slice(0, count);
    buffered = buffered.slice(count);
    return taken;
  };
  const readFrame = async () => {
    const flags = (await take(1))[0]; // 1 = more frames follow, 2 = length in eight bytes
    const size = flags & 2
      ? Number(new DataView((await take(8)).buffer).getBigUint64(0))
      : (await take(1))[0];
    return { data: await take(size), hasMore: (flags & 1) === 1 };
  };
  const frame = (data: Uint8Array, flags: number): Uint8Array => {
    const head = data.length > 255 ? new Uint8Array(9) : new Uint8Array(2);
    head[0] = flags | (data.length > 255 ? 2 : 0);
    if (data.length > 255) new DataView(head.buffer).setBigUint64(1, BigInt(data.length));
    else head[1] = data.length;
    const whole = new Uint8Array(head.length + data.length);
    whole.set(head);
    whole.set(data, head.length);
    return whole;
  };

  const greeting = new Uint8Array(64);
  greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0]);
  greeting.set(new TextEncoder().encode("NULL"), 12);
  await write(greeting);
  await take(64);
  const value = new TextEncoder().encode(type);
  const ready = new TextEncoder().encode(
    `\x05READY\x0bSocket-Type\0\0\0${String.fromCharCode(value.length)}${type}`,
  );
  await write(frame(ready, 4)); // 4 = a command
  await readFrame();
  return {
    async send(frames) {
      for (const [i, data] of frames.entries()) await write(frame(data, i < frames.length - 1 ? 1 : 0));
    },
    async *messages() {
      let frames: Uint8Array[] = [];
      for (;;) {
        const { data, hasMore } = await readFrame().catch(() => ({ data: undefined, hasMore: false }));
        if (!data) return; // closed
        frames.push(data);
        if (hasMore) continue;
        yield frames;
        frames = [];
      }
    },
    close: () => conn.close(),
  };
}
