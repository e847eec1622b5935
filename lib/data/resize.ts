/** The triangle and the cubic filter (a = -0.5) that Pillow calls `BILINEAR` and `BICUBIC`. */
const filters: Record<Interpolation, { support: number; weight: (x: number) => number }> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight: (x) => {
      const t = Math.abs(x);
      if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
      return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
    },
  },
};

/** Weights are integers of 22 fractional bits: 8 bits of pixel + 22 + 2 of head-room fill an int32. */
const precisionBits = 32 - 8 - 2;

/** Kernel of a resize: Pillow's antialiased `BILINEAR` or `BICUBIC`. */
export type Interpolation = "bilinear" | "bicubic";

/** For each output position of one axis: the first input position it reads and one weight per input read. */
interface AxisWeights {
  /** First input position, per output position. */
  readonly start: Int32Array;
  /** How many inputs are read, per output position. */
  readonly count: Int32Array;
  /** Row stride of `weights`. */
  readonly taps: number;
  /** Fixed-point weights, `[output, taps]`. */
  readonly weights: Int32Array;
}

/**
 * Resizes a picture straight to a size: antialiased, aspect ratio not kept. The result equals Pillow's
 * `Image.resize((width, height), BILINEAR | BICUBIC)` bit for bit, because that is what the weights of timm were
 * trained and measured with.
 *
 * When shrinking, the kernel is stretched by the scale, so that every input pixel counts. Rows first, rounded to
 * 8 bits, then columns; weights are fixed-point, as in Pillow's `Resample.c`.
 *
 * @param pixels `[height, width, 3]` bytes, interleaved RGB.
 * @param from Size of `pixels`.
 * @param to Size wanted, both sides >= 1.
 * @param interpolation The kernel.
 * @param window The part of the result to compute, in its pixels; all of it by default.
 * @returns `[window.height, window.width, 3]` bytes; `pixels` itself if there is nothing to do.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { resize } from "./resize.ts";
 * const grey = resize(new Uint8Array(4 * 4 * 3).fill(128), { height: 4, width: 4 }, { height: 2, width: 3 }, "bilinear");
 * assert(grey.length === 2 * 3 * 3 && grey.every((value) => value === 128));
 * ```
 */
export function resize(
  pixels: Uint8Array,
  from: { height: number; width: number },
  to: { height: number; width: number },
  interpolation: Interpolation,
  window: { left: number; top: number; height: number; width: number } = { left: 0, top: 0, ...to },
): Uint8Array {
  const { left, top, height, width } = window;
  if (from.height === height && from.width === width && to.height === height && to.width === width) {
    return pixels;
  }
  const columns = axisWeights(from.width, to.width, interpolation);
  const rows = axisWeights(from.height, to.height, interpolation);
  const firstRow = rows.start[top];
  const lastRow = rows.start[top + height - 1] + rows.count[top + height - 1];
  const narrow = resizeRows(pixels, from.width, firstRow, lastRow, columns, left, width);
  return resizeColumns(narrow, width, firstRow, rows, top, height);
}

const recentWeights = new Map<string, AxisWeights>();

/** Weights for one axis; the last few are kept, as most pictures of a set share a few sizes. */
function axisWeights(inputs: number, outputs: number, interpolation: Interpolation): AxisWeights {
  const key = `${inputs} ${outputs} ${interpolation}`;
  let weights = recentWeights.get(key);
  if (!weights) {
    weights = computeWeights(inputs, outputs, interpolation);
    if (recentWeights.size >= 32) recentWeights.delete(recentWeights.keys().next().value!);
    recentWeights.set(key, weights);
  }
  return weights;
}

function computeWeights(inputs: number, outputs: number, interpolation: Interpolation): AxisWeights {
  const { support, weight } = filters[interpolation];
  const scale = inputs / outputs;
  const filterScale = Math.max(scale, 1); // enlarging does not blur
  const reach = support * filterScale;
  const taps = Math.ceil(reach) * 2 + 1;
  const start = new Int32Array(outputs),
    count = new Int32Array(outputs),
    weights = new Int32Array(outputs * taps);
  const exact = new Float64Array(taps);
  for (let output = 0; output < outputs; output++) {
    const centre = (output + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const length = Math.min(inputs, Math.trunc(centre + reach + 0.5)) - first;
    let sum = 0;
    for (let tap = 0; tap < length; tap++) {
      sum += exact[tap] = weight((tap + first - centre + 0.5) / filterScale);
    }
    for (let tap = 0; tap < length; tap++) {
      const value = exact[tap] / sum * (1 << precisionBits);
      weights[output * taps + tap] = Math.trunc(value + (value < 0 ? -0.5 : 0.5));
    }
    // Inputs at the rim of the kernel have no weight: leaving them out makes enlarging two inputs an output.
    let from = output * taps, to = from + length;
    while (to - from > 1 && weights[to - 1] === 0) to--;
    while (to - from > 1 && weights[from] === 0) from++;
    start[output] = first + from - output * taps;
    count[output] = to - from;
    if (from > output * taps) weights.copyWithin(output * taps, from, to);
  }
  return { start, count, taps, weights };
}

/** `[height, inputWidth, 3] -> [lastRow - firstRow, width, 3]`, columns `left` to `left + width`. */
function resizeRows(
  pixels: Uint8Array,
  inputWidth: number,
  firstRow: number,
  lastRow: number,
  columns: AxisWeights,
  left: number,
  width: number,
): Uint8Array {
  const { start, count, taps, weights } = columns;
  const result = new Uint8ClampedArray((lastRow - firstRow) * width * 3);
  const unclamped = new Uint8Array(result.buffer); // two positive weights add up to one: nothing overshoots
  const half = 1 << (precisionBits - 1);
  for (let y = firstRow, at = 0; y < lastRow; y++) {
    for (let x = left; x < left + width; x++, at += 3) {
      let red = half, green = half, blue = half;
      let from = (y * inputWidth + start[x]) * 3;
      const firstWeight = x * taps, lastWeight = firstWeight + count[x];
      if (count[x] === 2 && weights[firstWeight] >= 0 && weights[firstWeight + 1] >= 0) { // as in enlarging, without a loop
        const weight = weights[firstWeight], next = weights[firstWeight + 1];
        unclamped[at] = red + Math.imul(pixels[from], weight) + Math.imul(pixels[from + 3], next) >>
          precisionBits;
        unclamped[at + 1] = green + Math.imul(pixels[from + 1], weight) + Math.imul(pixels[from + 4], next) >>
          precisionBits;
        unclamped[at + 2] = blue + Math.imul(pixels[from + 2], weight) + Math.imul(pixels[from + 5], next) >>
          precisionBits;
        continue;
      }
      for (let tap = firstWeight; tap < lastWeight; tap++, from += 3) {
        const weight = weights[tap];
        red = red + Math.imul(pixels[from], weight) | 0;
        green = green + Math.imul(pixels[from + 1], weight) | 0;
        blue = blue + Math.imul(pixels[from + 2], weight) | 0;
      }
      result[at] = red >> precisionBits;
      result[at + 1] = green >> precisionBits;
      result[at + 2] = blue >> precisionBits;
    }
  }
  return new Uint8Array(result.buffer);
}

/** `[rows from firstRow on, width, 3] -> [height, width, 3]`, rows `top` to `top + height`. */
function resizeColumns(
  pixels: Uint8Array,
  width: number,
  firstRow: number,
  rows: AxisWeights,
  top: number,
  height: number,
): Uint8Array {
  const { start, count, taps, weights } = rows;
  const stride = width * 3;
  const result = new Uint8ClampedArray(height * stride);
  const unclamped = new Uint8Array(result.buffer); // two positive weights add up to one: nothing overshoots
  const sums = new Int32Array(stride);
  const half = 1 << (precisionBits - 1);
  for (let y = 0; y < height; y++) {
    const at = y * stride;
    const weight = weights[(top + y) * taps], next = weights[(top + y) * taps + 1];
    if (count[top + y] === 2 && weight >= 0 && next >= 0) { // as in enlarging, without sums
      const from = (start[top + y] - firstRow) * stride, below = from + stride;
      for (let i = 0; i < stride; i++) {
        unclamped[at + i] = half + Math.imul(pixels[from + i], weight) + Math.imul(pixels[below + i], next) >>
          precisionBits;
      }
      continue;
    }
    sums.fill(half);
    for (let tap = 0; tap < count[top + y]; tap++) {
      const tapWeight = weights[(top + y) * taps + tap];
      const from = (start[top + y] + tap - firstRow) * stride;
      for (let i = 0; i < stride; i++) sums[i] += Math.imul(pixels[from + i], tapWeight);
    }
    for (let i = 0; i < stride; i++) result[at + i] = sums[i] >> precisionBits;
  }
  return new Uint8Array(result.buffer);
}
