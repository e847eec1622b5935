/**
 * Shearing, shifting and turning pictures, bit for bit as Pillow does it (`Image.transform`, `Image.rotate`).
 *
 * @module
 */
import type { Pixels } from "./augmentation.ts";

/** How a value between pixels is found. */
export type Resample = "bilinear" | "bicubic";

/** Red, green and blue, each 0 to 255. */
export type Color = readonly [number, number, number];

/** `x`: rows move sideways; `y`: columns move up and down. */
export type Axis = "x" | "y";

/**
 * Moves each row (or column) by `factor` times its number.
 *
 * @param image The picture.
 * @param axis Which way pixels move.
 * @param factor Pixels a row or column; a positive one moves to the left or up.
 * @param resample How values between pixels are found.
 * @param fill Colour of what comes in from outside.
 * @returns A new picture.
 */
export function shear(image: Pixels, axis: Axis, factor: number, resample: Resample, fill: Color): Pixels {
  return move(image, axis, factor, 0, resample, fill);
}

/**
 * Moves a picture.
 *
 * @param image The picture.
 * @param axis Which way.
 * @param pixels How far, not necessarily a whole number; a positive one moves to the left or up.
 * @param resample How values between pixels are found.
 * @param fill Colour of what comes in from outside.
 * @returns A new picture.
 */
export function translate(
  image: Pixels,
  axis: Axis,
  pixels: number,
  resample: Resample,
  fill: Color,
): Pixels {
  return move(image, axis, 0, pixels, resample, fill);
}

/**
 * Turns a picture about its middle, to the nearest pixel; corners that leave it are cut off.
 *
 * @param image The picture.
 * @param degrees Counter-clockwise.
 * @param fill Colour of what comes in from outside.
 * @returns A new picture.
 */
export function rotateNearest(image: Pixels, degrees: number, fill: Color = [0, 0, 0]): Pixels {
  const { width, height, data } = image;
  const turn = ((degrees % 360) + 360) % 360;
  if (turn === 0) return image;
  const angle = -(turn * (Math.PI / 180));
  const round15 = (value: number) => Number(value.toFixed(15));
  const [a0, a1, a3, a4] = [
    round15(Math.cos(angle)),
    round15(Math.sin(angle)),
    round15(-Math.sin(angle)),
    round15(Math.cos(angle)),
  ];
  const [centerX, centerY] = [width / 2, height / 2];
  const a2 = a0 * -centerX + a1 * -centerY + 0 + centerX, a5 = a3 * -centerX + a4 * -centerY + 0 + centerY;
  // 16.16 fixed point, as Pillow computes where nothing has to be interpolated.
  const fixed = (value: number) => Math.floor(value * 65536 + 0.5);
  const [dx, dy] = [fixed(a0), fixed(a3)], [rowX, rowY] = [fixed(a1), fixed(a4)];
  let startX = fixed(a2 + a0 * 0.5 + a1 * 0.5), startY = fixed(a5 + a3 * 0.5 + a4 * 0.5);
  const turned = filled(image, fill);
  for (let y = 0, at = 0; y < height; y++) {
    let sourceX = startX, sourceY = startY;
    for (let x = 0; x < width; x++, at += 3) {
      const fromX = sourceX >> 16, fromY = sourceY >> 16;
      if (fromX >= 0 && fromX < width && fromY >= 0 && fromY < height) {
        const from = 3 * (fromY * width + fromX);
        turned[at] = data[from]!;
        turned[at + 1] = data[from + 1]!;
        turned[at + 2] = data[from + 2]!;
      }
      sourceX += dx;
      sourceY += dy;
    }
    startX += rowX;
    startY += rowY;
  }
  return { width, height, data: turned };
}

/** Moves line number `line` (a row, or a column) by `factor * line + offset`, so that only one axis is interpolated. */
function move(
  image: Pixels,
  axis: Axis,
  factor: number,
  offset: number,
  resample: Resample,
  fill: Color,
): Pixels {
  const { width, height, data } = image;
  const moved = filled(image, fill);
  const [length, lines] = axis === "x" ? [width, height] : [height, width];
  const [step, lineStep] = axis === "x" ? [3, 3 * width] : [3 * width, 3];
  const last = length - 1;
  for (let line = 0; line < lines; line++) {
    const start = line * lineStep;
    for (let position = 0; position < length; position++) {
      const center = axis === "x"
        ? (position + 0.5) + factor * (line + 0.5) + offset
        : factor * (line + 0.5) + (position + 0.5) + offset;
      if (center < 0 || center >= length) continue;
      const from = center - 0.5, below = Math.floor(from), part = from - below;
      const to = start + position * step;
      const at1 = start + step * Math.max(below, 0), at2 = start + step * Math.min(below + 1, last);
      if (resample === "bilinear") {
        for (let channel = 0; channel < 3; channel++) {
          const first = data[at1 + channel]!;
          moved[to + channel] = first + (data[at2 + channel]! - first) * part;
        }
        continue;
      }
      const at0 = start + step * Math.max(below - 1, 0), at3 = start + step * Math.min(below + 2, last);
      for (let channel = 0; channel < 3; channel++) {
        const v1 = data[at0 + channel]!, v2 = data[at1 + channel]!;
        const v3 = data[at2 + channel]!, v4 = data[at3 + channel]!;
        const p2 = -v1 + v3, p3 = 2 * (v1 - v2) + v3 - v4, p4 = -v1 + v2 - v3 + v4;
        const value = v2 + part * (p2 + part * (p3 + part * p4));
        moved[to + channel] = value <= 0 ? 0 : value >= 255 ? 255 : value;
      }
    }
  }
  return { width, height, data: moved };
}

/** Bytes of a picture of one colour. */
function filled({ data }: Pixels, [red, green, blue]: Color): Uint8Array {
  const bytes = new Uint8Array(data.length);
  if (red !== 0 || green !== 0 || blue !== 0) {
    for (let at = 0; at < bytes.length; at += 3) {
      bytes[at] = red;
      bytes[at + 1] = green;
      bytes[at + 2] = blue;
    }
  }
  return bytes;
}
