import { resize } from "./resize.ts";
import type { RGBImage } from "./decode.ts";

const side = 16;

/** What is kept of a picture to find its like. */
export interface Signature {
  /** SHA-256 of the file, or of the pixels. */
  readonly contentHash: string;
  /** `[16, 16, 3]` RGB bytes: the picture made small. */
  readonly small: Uint8Array;
  /** Four times 16 bits: whether each of 64 places is brighter than its neighbour. */
  readonly gradients: Uint16Array;
}

/** Pictures that are the same. */
export interface SamePictures {
  /** Positions in the list, ascending. */
  readonly members: readonly number[];
  /** Whether all of them have the same content, byte for byte; otherwise some only look the same. */
  readonly identical: boolean;
}

/**
 * Takes the signature of a picture: a difference hash (Krawetz, 2013: is each of 8 x 8 places brighter than the one to
 * its left?), and a small copy to check it against.
 *
 * @param image The decoded picture.
 * @param contentHash Hash of its content.
 * @returns Its signature.
 */
export function signatureOf(image: RGBImage, contentHash: string): Signature {
  const small = resize(image.data, image, { width: side, height: side }, "bilinear");
  const coarse = resize(small, { width: side, height: side }, { width: 9, height: 8 }, "bilinear");
  const brightness = (x: number, y: number) => {
    const at = (y * 9 + x) * 3;
    return coarse[at] * 0.299 + coarse[at + 1] * 0.587 + coarse[at + 2] * 0.114;
  };
  const gradients = new Uint16Array(4);
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++) {
      const bit = y * 8 + x;
      if (brightness(x + 1, y) > brightness(x, y)) gradients[bit >> 4] |= 1 << (bit & 15);
    }
  }
  return { contentHash, small, gradients };
}

// Between small copies, of 255. Photographs saved at JPEG quality 25, at half or at double size stay below 1.4 in the
// mean and 8 at most; two clocks that show different times do not.
const meanDifference = 2, largestDifference = 12;
const leastSpread = 12; // nearly plain pictures are all alike: only their bytes can tell that they are the same

/**
 * Groups pictures that are the same: with equal content, or so alike that they are copies of one picture at another
 * size or quality.
 *
 * @param signatures One a picture; `undefined` for pictures that could not be read.
 * @returns Groups of two and more, in the order of their first members.
 */
export function findSamePictures(signatures: readonly (Signature | undefined)[]): SamePictures[] {
  const parent = Int32Array.from(signatures.keys());
  const root = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  };
  const join = (a: number, b: number) => {
    const [first, second] = [root(a), root(b)];
    parent[Math.max(first, second)] = Math.min(first, second);
  };
  const firstOf = new Map<string, number>();
  signatures.forEach((signature, i) => {
    if (!signature) return;
    const first = firstOf.get(signature.contentHash);
    if (first === undefined) firstOf.set(signature.contentHash, i);
    else join(first, i);
  });
  // Copies share at least one quarter of their hash, if no more than three places differ.
  for (let quarter = 0; quarter < 4; quarter++) {
    const buckets = new Map<number, number[]>();
    for (const i of firstOf.values()) {
      const key = signatures[i]!.gradients[quarter];
      const bucket = buckets.get(key);
      if (bucket) bucket.push(i);
      else buckets.set(key, [i]);
    }
    for (const bucket of buckets.values()) {
      if (bucket.length > 2000) continue; // plain backgrounds: nothing can be said there
      for (let i = 0; i < bucket.length; i++) {
        for (let j = i + 1; j < bucket.length; j++) {
          const a = bucket[i], b = bucket[j];
          if (looksTheSame(signatures[a]!, signatures[b]!)) join(a, b);
        }
      }
    }
  }
  const groups = Map.groupBy(signatures.keys(), root);
  return [...groups.values()].filter((members) => members.length > 1).map((members) => ({
    members,
    identical: new Set(members.map((i) => signatures[i]!.contentHash)).size === 1,
  }));
}

function looksTheSame(a: Signature, b: Signature): boolean {
  let different = 0;
  for (let quarter = 0; quarter < 4; quarter++) {
    different += ones(a.gradients[quarter] ^ b.gradients[quarter]);
  }
  if (different > 6) return false;
  let sum = 0, spread = 0;
  for (let i = 0; i < a.small.length; i++) {
    const difference = Math.abs(a.small[i] - b.small[i]);
    if (difference > largestDifference) return false;
    sum += difference;
    spread += Math.abs(a.small[i] - a.small[i % 3]);
  }
  return sum <= meanDifference * a.small.length && spread >= leastSpread * a.small.length;
}

function ones(bits: number): number {
  let count = 0;
  for (; bits !== 0; bits &= bits - 1) count++;
  return count;
}
