/**
 * Changes of colours and brightness, bit for bit as Pillow makes them (`ImageOps`, `ImageEnhance`): what AugMix mixes.
 *
 * @module
 */
import type { Pixels } from "./augmentation.ts";

/**
 * Stretches each channel so that its darkest value becomes 0 and its brightest 255 (`ImageOps.autocontrast`).
 *
 * @param image The picture.
 * @returns A new picture.
 */
export function autoContrast(image: Pixels): Pixels {
  return lookUp(image, (channel) => {
    const counts = histogram(image, channel);
    const low = counts.findIndex((count) => count > 0), high = counts.findLastIndex((count) => count > 0);
    if (high <= low) return undefined;
    const scale = 255 / (high - low), offset = -low * scale;
    return (value) => Math.max(0, Math.min(255, Math.trunc(value * scale + offset)));
  });
}

/**
 * Gives each channel a flat histogram (`ImageOps.equalize`).
 *
 * @param image The picture.
 * @returns A new picture.
 */
export function equalize(image: Pixels): Pixels {
  return lookUp(image, (channel) => {
    const counts = histogram(image, channel), used = counts.filter((count) => count > 0);
    const step = Math.floor((image.width * image.height - used.at(-1)!) / 255);
    if (used.length <= 1 || step === 0) return undefined;
    let sum = Math.floor(step / 2);
    const table = counts.map((count) => {
      const value = Math.min(255, Math.floor(sum / step));
      sum += count;
      return value;
    });
    return (value) => table[value]!;
  });
}

/**
 * Keeps the upper bits of every value (`ImageOps.posterize`).
 *
 * @param image The picture.
 * @param bits How many, 0 to 8.
 * @returns A new picture.
 */
export function posterize(image: Pixels, bits: number): Pixels {
  const mask = 0xff & ~(2 ** (8 - bits) - 1);
  return lookUp(image, () => (value) => value & mask);
}

/**
 * Inverts all values from a threshold on (`ImageOps.solarize`).
 *
 * @param image The picture.
 * @param threshold 0 to 256.
 * @returns A new picture.
 */
export function solarize(image: Pixels, threshold: number): Pixels {
  return lookUp(image, () => (value) => value < threshold ? value : 255 - value);
}

/**
 * More or less colour (`ImageEnhance.Color`).
 *
 * @param image The picture.
 * @param factor 0: grey; 1: as it is; above: more.
 * @returns A new picture.
 */
export function adjustColor(image: Pixels, factor: number): Pixels {
  const { data, width, height } = image;
  const grey = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at += 3) {
    const value = luminance(data[at]!, data[at + 1]!, data[at + 2]!);
    grey[at] = grey[at + 1] = grey[at + 2] = value;
  }
  return blend({ width, height, data: grey }, image, factor);
}

/**
 * More or less contrast (`ImageEnhance.Contrast`).
 *
 * @param image The picture.
 * @param factor 0: grey all over; 1: as it is; above: more.
 * @returns A new picture.
 */
export function adjustContrast(image: Pixels, factor: number): Pixels {
  const { data, width, height } = image;
  let sum = 0;
  for (let at = 0; at < data.length; at += 3) sum += luminance(data[at]!, data[at + 1]!, data[at + 2]!);
  const mean = Math.trunc(sum / (width * height) + 0.5);
  return blendWithGrey(image, mean, factor);
}

/**
 * Brighter or darker (`ImageEnhance.Brightness`).
 *
 * @param image The picture.
 * @param factor 0: black; 1: as it is; above: brighter.
 * @returns A new picture.
 */
export function adjustBrightness(image: Pixels, factor: number): Pixels {
  return blendWithGrey(image, 0, factor);
}

/**
 * Sharper or more blurred (`ImageEnhance.Sharpness`).
 *
 * @param image The picture.
 * @param factor 0: smoothed; 1: as it is; above: sharper.
 * @returns A new picture.
 */
export function adjustSharpness(image: Pixels, factor: number): Pixels {
  return blend(smooth(image), image, factor);
}

/**
 * `from + factor * (to - from)`, cut to whole numbers and to 0..255 (`Image.blend`, which computes in float32).
 *
 * @param from What there is at factor 0.
 * @param to What there is at factor 1; of the same size.
 * @param factor Any number.
 * @returns A new picture.
 */
export function blend(from: Pixels, to: Pixels, factor: number): Pixels {
  const { width, height, data } = from;
  if (factor === 0) return from;
  if (factor === 1) return to;
  const blended = new Uint8Array(data.length);
  const alpha = Math.fround(factor), other = to.data;
  for (let at = 0; at < data.length; at++) {
    blended[at] = mixed(data[at]!, other[at]!, alpha);
  }
  return { width, height, data: blended };
}

/** ITU-R 601-2 luma, as Pillow rounds it. */
function luminance(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

function mixed(from: number, to: number, alpha: number): number {
  const value = Math.fround(from + Math.fround(alpha * (to - from)));
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
}

function blendWithGrey(image: Pixels, grey: number, factor: number): Pixels {
  if (factor === 1) return image;
  const alpha = Math.fround(factor);
  return lookUp(image, () => (value) => factor === 0 ? grey : mixed(grey, value, alpha));
}

/** Means of 3 x 3 pixels, the middle one counting five times; the pixels of the border stay. */
function smooth({ width, height, data }: Pixels): Pixels {
  const smoothed = data.slice();
  const row = 3 * width;
  for (let y = 1; y < height - 1; y++) {
    for (let at = y * row + 3; at < (y + 1) * row - 3; at++) {
      const sum = data[at - row - 3]! + data[at - row]! + data[at - row + 3]! +
        data[at - 3]! + 5 * data[at]! + data[at + 3]! +
        data[at + row - 3]! + data[at + row]! + data[at + row + 3]!;
      smoothed[at] = Math.trunc((2 * sum + 13) / 26); // a 13th, rounded: there are no ties
    }
  }
  return { width, height, data: smoothed };
}

function histogram({ data }: Pixels, channel: number): number[] {
  const counts = new Array<number>(256).fill(0);
  for (let at = channel; at < data.length; at += 3) counts[data[at]!]!++;
  return counts;
}

/** Puts every value through a table of its channel; a channel without one stays. */
function lookUp(
  { width, height, data }: Pixels,
  functionOf: (channel: number) => ((value: number) => number) | undefined,
): Pixels {
  const changed = new Uint8Array(data.length);
  for (let channel = 0; channel < 3; channel++) {
    const change = functionOf(channel) ?? ((value: number) => value);
    const table = Uint8Array.from({ length: 256 }, (_, value) => change(value));
    for (let at = channel; at < data.length; at += 3) changed[at] = table[data[at]!]!;
  }
  return { width, height, data: changed };
}
