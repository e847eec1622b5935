import { basename, join } from "node:path";
import { freeBytes, requireFreeSpace } from "./cache.ts";
import { reportBytes } from "./events.ts";
import { LibraryError, reasonOf } from "./library_error.ts";
import type { Platform, PlatformWheel, ProvideOptions, WheelRequest } from "./python_wheel.ts";
import { checkSharedLibrary } from "./shared_library.ts";
import { openZip, type ZipArchive, type ZipEntry } from "./_unzip.ts";

/** `wheel.json` beside the files: what the folder must hold to be whole. */
export interface Manifest {
  readonly package: string;
  readonly version: string;
  readonly tag: string;
  readonly files: readonly { readonly path: string; readonly sizeBytes: number; readonly sha256: string }[];
}

/**
 * Unpacks the wanted files of a wheel into a folder, in the wheel's layout, and writes `wheel.json` beside them. Sizes,
 * CRC-32 and the SHA-256 of the wheel's RECORD are checked, and shared libraries must fit the machine.
 *
 * @param archive Path of the wheel.
 * @param request What the wheel is.
 * @param wheel Which files are wanted.
 * @param folder An empty folder.
 * @param options What it is called, and who is told.
 * @throws {LibraryError} If the wheel is damaged or another one, or the disk fills up.
 */
export async function unpackWheel(
  archive: string,
  request: WheelRequest,
  wheel: PlatformWheel,
  folder: string,
  options: ProvideOptions & { readonly what: string },
): Promise<void> {
  const { what } = options;
  const zip = await openZip(archive);
  try {
    const entries = chooseMembers(zip, wheel.members, archive);
    const totalBytes = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
    await requireFreeSpace(`unpack ${what}`, folder, totalBytes, options.freeBytes ?? freeBytes);
    const digests = await readRecord(zip);
    const report = reportBytes("unpack", what, options.onProgress);
    let doneBytes = 0;
    const files: Manifest["files"][number][] = [];
    for (const entry of entries) {
      options.signal?.throwIfAborted();
      const target = join(folder, entry.path);
      const digest = await zip.extract(entry, target, (count) => {
        options.signal?.throwIfAborted();
        report(doneBytes += count, totalBytes);
      });
      const wanted = digests.get(entry.path);
      if (wanted !== undefined && wanted !== digest) {
        throw new LibraryError(
          `Cannot use ${basename(archive)}: ${entry.path} is not what the wheel records`,
          {
            details: [`its SHA-256 is ${digest}, recorded is ${wanted}`],
            help: "run this again; if that does not help, check pip's index (pip config list)",
          },
        );
      }
      await checkMember(target, entry.path, archive, options.platform);
      files.push({ path: entry.path, sizeBytes: entry.sizeBytes, sha256: digest });
    }
    const { version } = request;
    const manifest: Manifest = { package: wheel.package ?? request.package, version, tag: wheel.tag, files };
    await writeSynced(join(folder, "wheel.json"), JSON.stringify(manifest, null, 2) + "\n");
  } catch (thrown) {
    throw explainWriting(thrown, what, folder);
  } finally {
    zip.close();
  }
}

function chooseMembers(zip: ZipArchive, wanted: PlatformWheel["members"], archive: string): ZipEntry[] {
  const chosen = new Set<ZipEntry>();
  const missing: string[] = [];
  const twice: string[] = [];
  for (const member of wanted) {
    const matches = zip.entries.filter(({ path }) =>
      typeof member === "string" ? path === member : !path.endsWith("/") && member.test(path)
    );
    if (matches.length === 0) missing.push(String(member));
    if (new Set(matches.map(({ path }) => path)).size < matches.length) twice.push(String(member));
    for (const entry of matches) chosen.add(entry);
  }
  if (missing.length === 0 && twice.length === 0) return [...chosen];
  throw new LibraryError(`Cannot use ${basename(archive)}: it is not the wheel that is wanted`, {
    details: [
      ...missing.map((member) => `missing: ${member}`),
      ...twice.map((member) => `there twice: ${member}`),
    ],
    help: "check pip's index (pip config list)",
  });
}

/** The SHA-256 (base64url) of each file, as the wheel's RECORD has them; signed wheels and odd ones may have none. */
async function readRecord(zip: ZipArchive): Promise<Map<string, string>> {
  const record = zip.entries.find(({ path }) => /^[^/]+\.dist-info\/RECORD$/.test(path));
  const digests = new Map<string, string>();
  if (record === undefined || record.sizeBytes > 64e6) return digests;
  const text = new TextDecoder().decode(await zip.read(record));
  for (const line of text.split(/\r?\n/)) {
    const match = /^"?(.*?)"?,sha256=([\w-]+)=*,\d*$/.exec(line);
    if (match) digests.set(match[1], match[2]);
  }
  return digests;
}

async function checkMember(
  target: string,
  member: string,
  archive: string,
  platform?: Platform,
): Promise<void> {
  if (!/\.(so|dylib)(\.[\d.]+)?$/.test(target)) return;
  const [os, arch] = platform?.split("-") ?? [];
  try {
    await checkSharedLibrary(target, { os, arch });
  } catch (thrown) {
    const lines = (thrown as Error).message.replace(`Cannot load "${target}": `, "").split("\n");
    throw new LibraryError(`Cannot use ${basename(archive)}: ${member} is not the library that is wanted`, {
      details: lines.map((line) => line.trim()).filter((line) => !line.startsWith("help:")),
      help: "check pip's index (pip config list)",
    });
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  await file.sync();
}

function explainWriting(thrown: unknown, what: string, folder: string): unknown {
  if (!(thrown instanceof Error) || !/os error (28|122)\b|ENOSPC|EDQUOT/.test(thrown.message)) return thrown;
  return new LibraryError(`Cannot unpack ${what}: the disk of "${folder}" is full`, {
    details: [reasonOf(thrown)],
    help: "make space there, or set WHITTLE_CACHE to a folder on a larger disk",
  });
}
