import { createHash } from "node:crypto";
import { basename, dirname, join, relative } from "node:path";
import { writeFile } from "../../files/write_file.ts";

/** Where one repository lies in a cache of the Hugging Face hub; Python's `huggingface_hub` uses the same places. */
export interface HubFolder {
  /** Holds all repositories. */
  readonly cache: string;
  /** `models--timm--efficientnet_b0.ra_in1k` */
  readonly name: string;
  /** `join(cache, name)` */
  readonly path: string;
}

/**
 * The hub's cache as Python's client finds it: `HF_HUB_CACHE`, else `hub` in `HF_HOME`, else in the user's cache.
 *
 * @returns a path; the folder need not exist
 * @throws {Error} if the environment names no home
 */
export function hubCacheFolder(): string {
  const explicit = Deno.env.get("HF_HUB_CACHE") || Deno.env.get("HUGGINGFACE_HUB_CACHE");
  return explicit || join(hubHome(), "hub");
}

/** The access token of the environment or of Python's `hf auth login`, if there is one. */
export function hubToken(): string | undefined {
  const explicit = Deno.env.get("HF_TOKEN") || Deno.env.get("HUGGING_FACE_HUB_TOKEN");
  if (explicit) return explicit.trim();
  try {
    return Deno.readTextFileSync(Deno.env.get("HF_TOKEN_PATH") || join(hubHome(), "token")).trim() ||
      undefined;
  } catch {
    return undefined; // public weights need none
  }
}

function hubHome(): string {
  const explicit = Deno.env.get("HF_HOME");
  if (explicit) return explicit;
  const caches = Deno.env.get("XDG_CACHE_HOME");
  if (caches) return join(caches, "huggingface");
  const home = Deno.env.get("HOME") || Deno.env.get("USERPROFILE");
  if (home) return join(home, ".cache", "huggingface");
  throw new Error(
    "Cannot choose a cache folder for weights: neither HF_HOME nor HOME is set\n  help: set HF_HOME to a folder that can be written",
  );
}

/** The folder of a repository whose id was checked. */
export function hubFolder(cache: string, repoId: string): HubFolder {
  const name = `models--${repoId.replaceAll("/", "--")}`;
  return { cache, name, path: join(cache, name) };
}

/** Path of the blob with this ETag. */
export function blobPath(folder: HubFolder, etag: string): string {
  return join(folder.path, "blobs", etag);
}

/**
 * Finds a file that was downloaded before, here or by Python, and checks it by the hash that is its blob's name.
 *
 * @param folder the repository's place
 * @param revision branch, tag or commit
 * @param file path in the repository
 * @returns the file, or `undefined` if it is not there or damaged
 */
export async function findCached(
  folder: HubFolder,
  revision: string,
  file: string,
): Promise<string | undefined> {
  const isCommit = /^[0-9a-f]{40}$/.test(revision);
  try {
    const commit = isCommit
      ? revision
      : (await Deno.readTextFile(join(folder.path, "refs", revision))).trim();
    if (!/^[0-9a-f]{40}$/.test(commit)) return undefined;
    const path = join(folder.path, "snapshots", commit, file);
    const blob = await Deno.realPath(path);
    return await isWhole(blob, basename(blob)) ? path : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/**
 * Gives a blob its name in a snapshot, and the revision its commit.
 *
 * @returns the file in the snapshot
 */
export async function linkSnapshot(
  folder: HubFolder,
  { revision, commit, file, etag }: { revision: string; commit: string; file: string; etag: string },
): Promise<string> {
  const path = join(folder.path, "snapshots", commit, file);
  await Deno.mkdir(dirname(path), { recursive: true });
  const blob = blobPath(folder, etag);
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await Deno.symlink(relative(dirname(path), blob), temporary);
  } catch {
    await Deno.copyFile(blob, temporary); // file systems without links, Windows without the right to them
  }
  await Deno.rename(temporary, path);
  if (revision !== commit) {
    const ref = join(folder.path, "refs", revision);
    await writeFile(ref, commit);
  }
  return path;
}

/**
 * The hash of a file that an ETag of the hub claims: SHA-256 for large files, Git's blob SHA-1 for small ones.
 *
 * @param path the file
 * @param etag 64 or 40 hexadecimal digits; others promise nothing
 * @returns the file's hash of that kind, or `undefined` for other ETags
 */
export async function hashLike(path: string, etag: string): Promise<string | undefined> {
  if (!/^(?:[0-9a-f]{64}|[0-9a-f]{40})$/.test(etag)) return undefined;
  const isGit = etag.length === 40;
  const hash = createHash(isGit ? "sha1" : "sha256");
  using file = await Deno.open(path);
  if (isGit) hash.update(`blob ${(await file.stat()).size}\0`);
  const buffer = new Uint8Array(1 << 20);
  for (let count; (count = await file.read(buffer)) !== null;) hash.update(buffer.subarray(0, count));
  return hash.digest("hex");
}

/** Whether a blob has the content its name claims; a copy under the file's own name claims nothing. */
export async function isWhole(path: string, etag: string): Promise<boolean> {
  try {
    const found = await hashLike(path, etag);
    return found === undefined ? (await Deno.stat(path)).isFile : found === etag;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
