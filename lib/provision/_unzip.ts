import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
// @ts-types="npm:@types/yauzl@3.4.0"
import yauzl from "npm:yauzl@3.4.0";
import { LibraryError, reasonOf } from "./library_error.ts";

/** One file inside an archive, as the archive's directory describes it. */
export interface ZipEntry {
  /** Path inside the archive, with slashes. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** An open archive. Entries are streamed: none is held in memory but by `read`. */
export interface ZipArchive {
  readonly entries: readonly ZipEntry[];
  /** The bytes of an entry; for small ones. */
  readonly read: (entry: ZipEntry) => Promise<Uint8Array>;
  /** Writes an entry to a new file, synced to disk, and returns its SHA-256 as base64url without padding. */
  readonly extract: (entry: ZipEntry, target: string, onBytes: (count: number) => void) => Promise<string>;
  readonly close: () => void;
}

/**
 * Opens a zip archive. Names that would leave the folder they are unpacked to (`../x`, `/x`, `a\b`) are refused.
 * Sizes and CRC-32 checksums are checked while an entry is read.
 *
 * @param path The archive.
 * @returns Its entries and how to get at them.
 * @throws {LibraryError} If it is no archive, is cut off, or has such names.
 */
export async function openZip(path: string): Promise<ZipArchive> {
  const handles = new Map<ZipEntry, yauzl.Entry>();
  let zip: yauzl.ZipFile;
  try {
    zip = await yauzl.openPromise(path, {
      lazyEntries: true,
      autoClose: false,
      strictFileNames: true,
      validateEntrySizes: true,
    });
    for await (const entry of zip.eachEntry()) {
      handles.set({ path: entry.fileName, sizeBytes: entry.uncompressedSize }, entry);
    }
  } catch (thrown) {
    throw damaged(path, reasonOf(thrown));
  }

  async function* chunks(entry: ZipEntry): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const handle = handles.get(entry)!;
    const stream = await zip.openReadStreamPromise(handle).catch((thrown: unknown) => thrown as Error);
    if (stream instanceof Error) throw damaged(path, `${entry.path}: ${reasonOf(stream)}`);
    let checksum = 0;
    const iterator = stream[Symbol.asyncIterator]();
    for (;;) {
      const next = await iterator.next().catch((thrown: unknown) => thrown as Error);
      if (next instanceof Error) throw damaged(path, `${entry.path}: ${reasonOf(next)}`);
      if (next.done) break;
      checksum = crc32(next.value, checksum);
      yield next.value;
    }
    if (checksum !== handle.crc32) throw damaged(path, `${entry.path}: its checksum is wrong`);
  }

  return {
    entries: [...handles.keys()],
    close: () => zip.close(),
    read: async (entry) => {
      const parts: Uint8Array<ArrayBuffer>[] = [];
      for await (const chunk of chunks(entry)) parts.push(chunk);
      return new Uint8Array(await new Blob(parts).arrayBuffer());
    },
    extract: async (entry, target, onBytes) => {
      await Deno.mkdir(dirname(target), { recursive: true });
      using file = await Deno.open(target, { write: true, createNew: true });
      const hash = createHash("sha256");
      for await (const chunk of chunks(entry)) {
        hash.update(chunk);
        for (let done = 0; done < chunk.length;) done += await file.write(chunk.subarray(done));
        onBytes(chunk.length);
      }
      await file.sync();
      return hash.digest("base64url");
    },
  };
}

function damaged(path: string, reason: string): LibraryError {
  return new LibraryError(`Cannot unpack "${path}": the archive is damaged`, {
    details: [reason],
    help: "fetch it again",
  });
}
