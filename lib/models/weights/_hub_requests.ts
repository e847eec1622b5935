/** A file on the hub, as the answer to a HEAD request describes it. */
export interface RemoteFile {
  /** SHA-256 of a large file, Git's SHA-1 of a small one, without quotes. */
  readonly etag: string;
  /** The revision as a commit, 40 hexadecimal digits. */
  readonly commit: string;
  /** `undefined` if the hub does not say it. */
  readonly sizeBytes: number | undefined;
}

/** What a request needs besides its URL. */
export interface HubAccess {
  /** Access token, for the first host only. */
  readonly token: string | undefined;
  /** Stops the request. */
  readonly signal: AbortSignal | undefined;
}

/** An answer of the hub that is no success. */
export class HubStatusError extends Error {
  /** Worth another try a little later. */
  readonly isTemporary: boolean;

  /**
   * @param status HTTP status
   * @param code the hub's own word for what is missing, e.g. `EntryNotFound`
   */
  constructor(readonly status: number, readonly code: string | null) {
    super(`HTTP ${status}`);
    this.isTemporary = status === 408 || status === 429 || status >= 500;
  }
}

/** The bytes that came differ from those announced. */
export class HubContentError extends Error {}

/** Nothing came for this long: the connection is dead. */
const silenceSeconds = 30;

/** Asks what a file is, without following the redirect to where its bytes are. */
export async function askForFile(url: string, access: HubAccess): Promise<RemoteFile> {
  const watch = watchSilence(access.signal);
  try {
    const seen: Headers[] = [];
    await request(url, "HEAD", {}, access.token, watch.signal, (headers) => seen.push(headers));
    const first = (name: string) => seen.map((headers) => headers.get(name)).find((value) => value !== null);
    const etag = (first("x-linked-etag") ?? seen.at(-1)?.get("etag") ?? "").replace(/^W\//, "").replaceAll(
      '"',
      "",
    );
    const commit = first("x-repo-commit") ?? "";
    const size = Number(first("x-linked-size") ?? seen.at(-1)?.get("content-length") ?? NaN);
    if (!/^[0-9A-Za-z_-]+$/.test(etag) || !/^[0-9a-f]{40}$/.test(commit)) {
      throw new HubContentError(`the answer has ETag "${etag}" and commit "${commit}"`);
    }
    return { etag, commit, sizeBytes: Number.isSafeInteger(size) ? size : undefined };
  } finally {
    watch.stop();
  }
}

/**
 * Appends the missing end of a file: asks for the bytes after those it has, and starts over if the server sends all.
 *
 * @param url where the file is; redirects are followed, the token stays with the first host
 * @param file open for reading and writing, with what came earlier
 * @param remote what the file should be
 * @param access token, signal
 * @param onBytes told how many bytes the file has
 */
export async function appendRest(
  url: string,
  file: Deno.FsFile,
  remote: RemoteFile,
  access: HubAccess,
  onBytes: (doneBytes: number) => void,
): Promise<void> {
  let { size: done } = await file.stat();
  if (done === remote.sizeBytes) return;
  if (remote.sizeBytes !== undefined && done > remote.sizeBytes) await file.truncate(done = 0);
  const watch = watchSilence(access.signal);
  try {
    const headers: Record<string, string> = done > 0 ? { range: `bytes=${done}-` } : {};
    const response = await request(url, "GET", headers, access.token, watch.signal).catch(async (error) => {
      if (!(error instanceof HubStatusError) || error.status !== 416) throw error;
      await file.truncate(0); // no such range: what is here is not the file's beginning
      throw new Error("the server has no such range of bytes");
    });
    if (response.status === 206) {
      const range = response.headers.get("content-range") ?? "";
      const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range) ?? [];
      const isOther = total !== "*" && remote.sizeBytes !== undefined && Number(total) !== remote.sizeBytes;
      if (Number(start) !== done || isOther) {
        await response.body?.cancel();
        await file.truncate(0); // the next try starts over
        throw new HubContentError(`bytes from ${done} were asked for, the answer has "${range}"`);
      }
    } else if (done > 0) {
      await file.truncate(done = 0);
    }
    await file.seek(done, Deno.SeekMode.Start);
    for await (const chunk of response.body ?? []) {
      watch.heard();
      for (let at = 0; at < chunk.length;) at += await writeSome(file, chunk.subarray(at));
      onBytes(done += chunk.length);
      if (remote.sizeBytes !== undefined && done > remote.sizeBytes) {
        throw new HubContentError(`${remote.sizeBytes} bytes were announced, found more`);
      }
    }
    if (remote.sizeBytes !== undefined && done < remote.sizeBytes) {
      throw new Error("the connection was closed");
    }
  } finally {
    watch.stop();
  }
}

/** The disk's troubles are not the network's: another try would not help. */
export class DiskError extends Error {}

async function writeSome(file: Deno.FsFile, bytes: Uint8Array): Promise<number> {
  try {
    return await file.write(bytes);
  } catch (error) {
    throw new DiskError((error as Error).message, { cause: error });
  }
}

/** fetch() with redirects followed by hand: each hop is reported, and the token never leaves the first host. */
async function request(
  url: string,
  method: "GET" | "HEAD",
  headers: Record<string, string>,
  token: string | undefined,
  signal: AbortSignal,
  onHeaders?: (headers: Headers) => void,
): Promise<Response> {
  const origin = new URL(url).origin;
  let at = new URL(url);
  for (let hops = 0; hops < 8; hops++) {
    const authorization: Record<string, string> = token !== undefined && at.origin === origin
      ? { authorization: `Bearer ${token}` }
      : {};
    const response = await fetch(at, {
      method,
      redirect: "manual",
      headers: { "accept-encoding": "identity", "user-agent": "whittle", ...headers, ...authorization },
      signal,
    });
    onHeaders?.(response.headers);
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || location === null) {
      if (response.ok) return response;
      await response.body?.cancel();
      throw new HubStatusError(response.status, response.headers.get("x-error-code"));
    }
    await response.body?.cancel();
    const next = new URL(location, at);
    if (next.protocol !== "https:" && next.protocol !== "http:") {
      throw new Error(`a redirect to ${next.protocol}`);
    }
    // What a file is says its own host; the other host only has the bytes.
    if (method === "HEAD" && next.origin !== origin) return response;
    at = next;
  }
  throw new Error("too many redirects");
}

/** A signal that also fires when nothing was heard for a while. */
function watchSilence(outer: AbortSignal | undefined): { signal: AbortSignal; heard(): void; stop(): void } {
  const controller = new AbortController();
  const giveUp = () => controller.abort(new Error(`no answer for ${silenceSeconds} s`));
  let timer = setTimeout(giveUp, silenceSeconds * 1000);
  const pass = () => controller.abort(outer!.reason);
  if (outer?.aborted) pass();
  outer?.addEventListener("abort", pass);
  return {
    signal: controller.signal,
    heard() {
      clearTimeout(timer);
      timer = setTimeout(giveUp, silenceSeconds * 1000);
    },
    stop() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", pass);
    },
  };
}
