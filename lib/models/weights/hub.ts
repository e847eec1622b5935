import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { formatBytes, freeBytes } from "../../provision/cache.ts";
import { type ProvisionListener, reportBytes } from "../../provision/events.ts";
import { withFileLock } from "../../provision/file_lock.ts";
import {
  blobPath,
  findCached,
  hashLike,
  hubCacheFolder,
  hubFolder,
  hubToken,
  isWhole,
  linkSnapshot,
} from "./_hub_cache.ts";
import {
  appendRest,
  askForFile,
  DiskError,
  HubContentError,
  HubStatusError,
  type RemoteFile,
} from "./_hub_requests.ts";

/** How {@linkcode downloadFromHub} works. */
export interface HubOptions {
  /**
   * Address of the hub.
   * @default {Deno.env.get("HF_ENDPOINT") ?? "https://huggingface.co"}
   */
  readonly endpoint?: string;
  /**
   * Folder of all repositories, in the layout of Python's client; both share it.
   * @default {HF_HUB_CACHE, else `hub` in HF_HOME, else in the user's cache folder}
   */
  readonly cacheDir?: string;
  /**
   * Branch, tag or commit.
   * @default {"main"}
   */
  readonly revision?: string;
  /** Told about progress. */
  readonly onProgress?: ProvisionListener;
  /** Stops the download; what came so far is kept for the next time. The signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /**
   * How often a cut-off download is resumed before giving up.
   * @default {5}
   */
  readonly attempts?: number;
  /**
   * Pause before the second attempt; it doubles each time.
   * @default {0.5}
   */
  readonly retryDelaySeconds?: number;
}

/**
 * Provides a file of a model repository on the Hugging Face hub: from the cache (what Python's client downloaded
 * counts), else over the network. A cut-off download goes on where it stopped, in this call or in a later one; the
 * file gets its name only when its size and hash are those the hub announced. Safe when several processes, Python's
 * among them, want the same file at once.
 *
 * Reads the environment as Python's client does: `HF_ENDPOINT`, `HF_TOKEN`, `HF_HOME`, `HF_HUB_CACHE`, `HF_HUB_OFFLINE`.
 *
 * @param repoId e.g. `timm/mobilenetv3_large_100.ra_in1k`
 * @param file path in the repository, e.g. `model.safetensors`
 * @param options where to, who is told, how to stop
 * @returns path of the file in the cache
 * @throws {TypeError} if the id, the file or the revision would leave the cache
 * @throws {Error} if the file cannot be had: no network, offline, no access, no such repository or file, a full disk,
 * or other bytes than announced
 * @example
 * ```ts ignore
 * import { downloadFromHub } from "./hub.ts";
 *
 * const path = await downloadFromHub("timm/efficientnet_b0.ra_in1k", "model.safetensors");
 * ```
 */
export async function downloadFromHub(
  repoId: string,
  file: string,
  options: HubOptions = {},
): Promise<string> {
  const { revision = "main", onProgress, signal } = options;
  checkNames(repoId, file, revision);
  const endpoint = (options.endpoint ?? (Deno.env.get("HF_ENDPOINT") || "https://huggingface.co")).replace(
    /\/+$/,
    "",
  );
  const folder = hubFolder(options.cacheDir ?? hubCacheFolder(), repoId);
  const cached = await findCached(folder, revision, file);
  if (cached !== undefined) return cached;

  const url = `${endpoint}/${repoId}/resolve/${encodeURIComponent(revision)}/${
    file.split("/").map(encodeURIComponent).join("/")
  }`;
  const task: Task = { repoId, file, url, token: hubToken() };
  if (isTrue(Deno.env.get("HF_HUB_OFFLINE")) || isTrue(Deno.env.get("TRANSFORMERS_OFFLINE"))) {
    throw new Error(
      describe(task, `HF_HUB_OFFLINE is set, and the file is not in "${folder.path}"`, byHand(task)),
    );
  }
  const access = { token: task.token, signal };
  const remote = await askForFile(url, access).catch((error) => fail(task, error, signal));

  const locks = join(folder.cache, ".locks", folder.name); // where Python's client locks, with the same kind of lock
  const blob = blobPath(folder, remote.etag);
  const what = `${repoId} ${file}`;
  await makeFolders(task, [locks, dirname(blob)]);
  await withFileLock(join(locks, `${remote.etag}.lock`), async () => {
    if (await isWhole(blob, remote.etag)) return;
    const partial = `${blob}.incomplete`;
    const report = reportBytes("download", what, onProgress);
    const onBytes = (done: number) => report(done, remote.sizeBytes ?? Infinity);
    await requireSpace(task, partial, remote);
    await download(task, partial, remote, onBytes, options);
    const problem = await disagreement(partial, remote);
    if (problem !== undefined) {
      await Deno.remove(partial); // resuming it would only keep the damage
      throw new Error(
        describe(
          task,
          `the download is damaged: ${problem}`,
          `run this again; nothing was kept. Or ${byHand(task)}`,
        ),
      );
    }
    await Deno.rename(partial, blob);
  }, {
    signal,
    onWait: (elapsedSeconds, processId) => onProgress?.({ type: "wait", what, processId, elapsedSeconds }),
  });
  return await linkSnapshot(folder, { revision, file, ...remote });
}

interface Task {
  readonly repoId: string;
  readonly file: string;
  readonly url: string;
  readonly token: string | undefined;
}

async function download(
  task: Task,
  partial: string,
  remote: RemoteFile,
  onBytes: (done: number) => void,
  { attempts = 5, retryDelaySeconds = 0.5, signal, onProgress }: HubOptions,
): Promise<void> {
  using file = await Deno.open(partial, { read: true, write: true, create: true })
    .catch((error) => fail(task, new DiskError(error.message), signal));
  for (let attempt = 1;; attempt++) {
    try {
      await appendRest(task.url, file, remote, { token: task.token, signal }, onBytes);
      return await file.sync();
    } catch (error) {
      const isHopeless = error instanceof DiskError ||
        (error instanceof HubStatusError && !error.isTemporary) ||
        signal?.aborted;
      if (isHopeless || attempt >= attempts) {
        const { size } = await file.stat();
        fail(task, error, signal, `${size} of ${remote.sizeBytes ?? "?"} bytes came and are kept`);
      }
      const seconds = retryDelaySeconds * 2 ** (attempt - 1);
      const message = `${reasonOf(error)}; trying again in ${seconds} s`;
      onProgress?.({ type: "warning", what: `${task.repoId} ${task.file}`, message });
      await delay(seconds * 1000, undefined, { signal }).catch((error) => fail(task, error, signal));
    }
  }
}

async function disagreement(path: string, { etag, sizeBytes }: RemoteFile): Promise<string | undefined> {
  const { size } = await Deno.stat(path);
  if (sizeBytes !== undefined && size !== sizeBytes) {
    return `${sizeBytes} bytes were announced, found ${size}`;
  }
  const found = await hashLike(path, etag);
  if (found === undefined || found === etag) return undefined;
  return `${etag.length === 64 ? "SHA-256" : "Git SHA-1"} ${etag} was announced, found ${found}`;
}

async function requireSpace(task: Task, partial: string, { sizeBytes = 0 }: RemoteFile): Promise<void> {
  const folder = dirname(partial);
  const { size: present } = await Deno.stat(partial).catch(() => ({ size: 0 }));
  const free = await freeBytes(folder);
  if (free >= sizeBytes - present) return;
  const cause = `"${folder}" has ${formatBytes(free)} free, ${formatBytes(sizeBytes - present)} are needed`;
  throw new Error(describe(task, cause, "make space there, or set HF_HOME to a folder on a larger disk"));
}

async function makeFolders(task: Task, folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    await Deno.mkdir(folder, { recursive: true }).catch((error) => {
      const cause = `the cache folder "${folder}" cannot be made: ${error.message}`;
      throw new Error(describe(task, cause, "make it writable, or set HF_HOME to another folder"), {
        cause: error,
      });
    });
  }
}

/** Turns whatever stopped a request into one clear error. */
function fail(task: Task, error: unknown, signal: AbortSignal | undefined, progress?: string): never {
  signal?.throwIfAborted();
  const [cause, help] = explain(task, error);
  throw new Error(describe(task, cause, help, progress), { cause: error });
}

function explain(task: Task, error: unknown): [cause: string, help: string] {
  const host = new URL(task.url).host;
  if (error instanceof DiskError) {
    return [
      `the file cannot be written: ${error.message}`,
      "make space, or set HF_HOME to a folder that can be written",
    ];
  }
  if (error instanceof HubContentError) {
    return [`${host} does not answer as a hub does: ${error.message}`, byHand(task)];
  }
  if (!(error instanceof HubStatusError)) {
    return [`no network for weights: ${reasonOf(error)} (${host})`, `check the network, or ${byHand(task)}`];
  }
  const { status, code } = error;
  if (status === 401 || status === 403) {
    const token = task.token === undefined
      ? "no access token was found"
      : "the access token in use has no right to it";
    return [
      `${host} refuses access (HTTP ${status}), and ${token}`,
      "check the id; for a private or gated repository set HF_TOKEN to a token that may read it",
    ];
  }
  if (status === 404) {
    const missing = code === "EntryNotFound"
      ? "the repository has no such file"
      : code === "RevisionNotFound"
      ? "the repository has no such revision"
      : "there is no such repository or file";
    return [`${missing} (HTTP 404 from ${host})`, "check the id and the file's name"];
  }
  return [`${host} answers HTTP ${status}`, `try again later, or ${byHand(task)}`];
}

/** fetch() hides why it failed in its cause, behind an address that may hold a signature. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return error.message.replace(/^error sending request for url \([^)]*\): /, "").replace(
    /^client error \(\w+\): /,
    "",
  );
}

function describe({ repoId, file }: Task, cause: string, help: string, detail?: string): string {
  return [`Cannot download "${file}" of ${repoId}: ${cause}`, ...(detail ? [detail] : []), `help: ${help}`]
    .join("\n  ");
}

function byHand({ file, url }: Task): string {
  return `get ${url} by hand and pass { weights: "path/to/${file.split("/").at(-1)}" }`;
}

function checkNames(repoId: string, file: string, revision: string): void {
  const isPlain = (part: string) => /^[\w.-]+$/.test(part) && !/^\.+$/.test(part);
  const problem = !(repoId.split("/").length <= 2 && repoId.split("/").every(isPlain))
    ? `the repository is "${repoId}", "owner/name" was wanted`
    : !file.split("/").every(isPlain)
    ? `the file is "${file}", a plain relative path was wanted`
    : !revision.split("/").every(isPlain)
    ? `the revision is "${revision}", a branch, tag or commit was wanted`
    : undefined;
  if (problem !== undefined) {
    throw new TypeError(
      `Cannot download from the hub: ${problem}\n  help: write e.g. downloadFromHub("timm/efficientnet_b0.ra_in1k", "model.safetensors")`,
    );
  }
}

function isTrue(text: string | undefined): boolean {
  return /^(?:1|on|yes|true)$/i.test(text ?? "");
}
