import { createHash } from "node:crypto";

/** Where a constant lies in the weights file. */
export interface PlacedConstant {
  /** In bytes from the start. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
}

/** The weights file of an OpenVINO model under way. */
export interface IRConstants {
  /**
   * Puts a constant into the file; one that is there already is not written twice.
   *
   * @param bytes Its numbers, little endian.
   * @returns Where it lies.
   */
  place(bytes: Uint8Array): PlacedConstant;
  /** The file. */
  bytes(): Uint8Array<ArrayBuffer>;
}

/** Constants start at cache lines, so that a runtime can use them where the file is mapped. */
const ALIGNMENT = 64;

/** An empty weights file. */
export function createIRConstants(): IRConstants {
  const placed = new Map<string, PlacedConstant>();
  const parts: { readonly offset: number; readonly bytes: Uint8Array }[] = [];
  let end = 0;
  return {
    place(bytes) {
      const digest = createHash("sha256").update(bytes).digest("hex");
      const known = placed.get(digest);
      if (known !== undefined) return known;
      const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
      const place = { offset, size: bytes.length };
      parts.push({ offset, bytes });
      placed.set(digest, place);
      end = offset + bytes.length;
      return place;
    },
    bytes() {
      const file = new Uint8Array(end);
      for (const { offset, bytes } of parts) file.set(bytes, offset);
      return file;
    },
  };
}
