/**
 * Deterministic weights, images and labels that TypeScript and Python generate alike, bit for bit.
 *
 * The twin of tests/oracles/models/hash_weights.py; the rule is written down in tests/oracles/models/README.md.
 * Everything is uint32 arithmetic followed by one correctly rounded float32 operation.
 */

const golden = 0x9e3779b9;
const f = Math.fround;

/** FNV-1a, 32 bits, over the UTF-8 bytes of a name. */
export function fnv1a(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

/** The finaliser of MurmurHash3 on uint32. */
export function mix(value: number): number {
  let x = value | 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  x ^= x >>> 16;
  return x >>> 0;
}

/** Element `index` of the stream of `seed` (which is `fnv1a` of a name). */
export function hashAt(seed: number, index: number): number {
  return mix(seed + Math.imul(index, golden));
}

/** 24 bits of the hash as float32 in [-1, 1), exact. */
export function uniform(name: string, count: number): Float32Array {
  const seed = fnv1a(name);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = ((hashAt(seed, i) >>> 8) - 0x800000) / 0x800000;
  return values;
}

/**
 * The float32 values of a parameter or statistic under timm's name, in PyTorch's layout, row-major.
 *
 * Weights of convolutions and dense layers are uniform in +-sqrt(gain / fanIn); those of squeeze-excite twice as wide.
 */
export function tensorValues(name: string, shape: readonly number[], gain = 6): Float32Array {
  const values = uniform(name, shape.reduce((product, n) => product * n, 1));
  const scaled = (scale: number, offset: number) => values.map((value) => f(f(value * scale) + offset));
  if (name.endsWith("running_mean")) return scaled(0.25, 0);
  if (name.endsWith("running_var")) return scaled(0.5, 1);
  if (name.endsWith("bias")) return scaled(0.125, 0);
  if (shape.length === 1) return scaled(0.25, 1);
  const fanIn = shape.slice(1).reduce((product, n) => product * n, 1);
  return scaled(f(Math.sqrt((name.includes(".se.") ? 4 * gain : gain) / fanIn)), 0);
}

/** uint8 [count, height, width, 3]: patches of 16 x 16 pixels of one colour under noise. */
export function imageBytes(first: number, count: number, height: number, width: number): Uint8Array {
  const noiseSeed = fnv1a("images.noise"), patchSeed = fnv1a("images.patch");
  const bytes = new Uint8Array(count * height * width * 3);
  let i = 0;
  for (let n = first; n < first + count; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < 3; c++) {
          const noise = hashAt(noiseSeed, ((n * height + y) * width + x) * 3 + c) >>> 26;
          const patch = hashAt(patchSeed, ((n * 32 + (y >> 4)) * 32 + (x >> 4)) * 3 + c) % 192;
          bytes[i++] = noise + patch;
        }
      }
    }
  }
  return bytes;
}

/** What the networks read: (pixel - 127.5) / 64 as float32, NHWC, exact. */
export function networkInput(first: number, count: number, height: number, width: number): Float32Array {
  return Float32Array.from(imageBytes(first, count, height, width), (byte) => (byte - 127.5) / 64);
}

/** Class indices. */
export function labels(first: number, count: number, classes: number): Int32Array {
  const seed = fnv1a("labels");
  return Int32Array.from({ length: count }, (_, i) => hashAt(seed, first + i) % classes);
}

/** One weight a class, in [0.5, 1.5). */
export function classWeights(classes: number): Float32Array {
  return uniform("class_weights", classes).map((value) => f(f(value * 0.5) + 1));
}

/** How many random directions a tensor is projected on. */
export const projections = 8;

/** Dot products with the sign vectors of `name`: vector k is bit 24 + k of the stream "projection:" + name. */
export function project(name: string, values: ArrayLike<number>): number[] {
  const seed = fnv1a("projection:" + name);
  const sums = new Float64Array(projections);
  for (let i = 0; i < values.length; i++) {
    const bits = hashAt(seed, i);
    const value = values[i];
    for (let k = 0; k < projections; k++) sums[k] += (bits >>> (24 + k)) & 1 ? -value : value;
  }
  return [...sums];
}
