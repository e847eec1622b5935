import { createHash } from "node:crypto";

/** A hub on this machine: one repository, large files behind a redirect to another host, as the real one has them. */
export interface HubServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly commit: string;
  /** Each request, e.g. `HEAD /timm/net/resolve/main/model.safetensors`, with its range and whether it had a token. */
  readonly requests: { line: string; range: string | null; token: string | null }[];
}

/** What the server does wrong. */
export interface HubServerOptions {
  /** Files of `timm/net` by name. */
  readonly files: Record<string, Uint8Array<ArrayBuffer>>;
  /** Files that are stored as Git blobs, without a redirect. */
  readonly small?: readonly string[];
  /** The connection of the n-th GET (from 0) breaks after so many bytes. */
  readonly cutAfter?: readonly number[];
  /** GETs send these bytes instead. */
  readonly sent?: Uint8Array<ArrayBuffer>;
  /** Ranges are ignored: every GET gets the whole file. */
  readonly ignoresRanges?: boolean;
  /** Every request gets this answer. */
  readonly answer?: () => Response;
}

export const commit = "0123456789abcdef0123456789abcdef01234567";

/** Starts the hub and the host that has its bytes. */
export function startHub(options: HubServerOptions): HubServer {
  const requests: HubServer["requests"] = [];
  let gets = 0;
  const log = (host: string, request: Request) => {
    const line = `${host} ${request.method} ${new URL(request.url).pathname}`;
    requests.push({ line, range: request.headers.get("range"), token: request.headers.get("authorization") });
  };
  const send = (request: Request, bytes: Uint8Array<ArrayBuffer>): Response => {
    const start = options.ignoresRanges
      ? 0
      : Number(/^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
    if (start >= bytes.length) return new Response(null, { status: 416 });
    const cut = options.cutAfter?.[gets++];
    const headers = new Headers({ "content-length": String(bytes.length - start) });
    if (start > 0) headers.set("content-range", `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
    const rest = bytes.subarray(start);
    const body = cut === undefined ? rest : new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(rest.subarray(0, cut));
        await new Promise((resolve) => setTimeout(resolve, 20)); // so that the bytes leave before the end
        controller.error(new Error("cut off"));
      },
    });
    return new Response(body, { status: start > 0 ? 206 : 200, headers });
  };
  const store = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {}, onError: () => new Response() },
    (request) => {
      log("store", request);
      const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
      return send(request, options.sent ?? options.files[name]);
    },
  );
  const hub = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    log("hub", request);
    if (options.answer) return options.answer();
    const { pathname } = new URL(request.url);
    const [, repository, name] = /^\/(.+)\/resolve\/[^/]+\/(.+)$/.exec(pathname) ?? [];
    if (repository !== "timm/net") return failure(401, "RepoNotFound");
    const bytes = options.files[name];
    if (bytes === undefined) return failure(404, "EntryNotFound");
    if (options.small?.includes(name)) {
      const sha1 = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
      const headers = { "x-repo-commit": commit, etag: `"${sha1}"`, "content-length": String(bytes.length) };
      if (request.method === "HEAD") return new Response(null, { headers });
      const response = send(request, options.sent ?? bytes);
      return response;
    }
    const headers = {
      "x-repo-commit": commit,
      "x-linked-etag": `"${createHash("sha256").update(bytes).digest("hex")}"`,
      "x-linked-size": String(bytes.length),
      location: `http://127.0.0.1:${store.addr.port}/${name}?signature=secret`,
    };
    return new Response(null, { status: 302, headers });
  });
  return {
    endpoint: `http://127.0.0.1:${hub.addr.port}`,
    commit,
    requests,
    async [Symbol.asyncDispose]() {
      await Promise.all([hub.shutdown(), store.shutdown()]);
    },
  };
}

function failure(status: number, code: string): Response {
  return new Response("no", { status, headers: { "x-error-code": code } });
}
