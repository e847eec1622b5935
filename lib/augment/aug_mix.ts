import type { Augmentation, Pixels } from "./augmentation.ts";
import {
  adjustBrightness,
  adjustColor,
  adjustContrast,
  adjustSharpness,
  autoContrast,
  blend,
  equalize,
  posterize,
  solarize,
} from "./colour_operations.ts";
import { beta, dirichlet } from "./distributions.ts";
import { type Axis, type Color, type Resample, shear, translate } from "./geometric_operations.ts";
import type { Rng } from "./rng.ts";

/** How {@linkcode augMix} mixes. */
export interface AugMixOptions {
  /** The most an operation changes, above 0, at most 10. @default {3} */
  readonly magnitude?: number;
  /** Chains that are mixed, >= 1. @default {3} */
  readonly width?: number;
  /** Operations of a chain; 1 to 3 at random if left out. */
  readonly depth?: number;
  /** Of the Dirichlet and Beta distributions that the shares are drawn from, above 0. @default {1} */
  readonly alpha?: number;
}

/** One change and its parameters. */
export type AugMixOperation =
  | { readonly op: "autoContrast" | "equalize" }
  | { readonly op: "color" | "contrast" | "brightness" | "sharpness"; readonly factor: number }
  | { readonly op: "posterize"; readonly bits: number }
  | { readonly op: "solarize"; readonly threshold: number }
  | { readonly op: "shear"; readonly axis: Axis; readonly factor: number; readonly resample: Resample }
  /** `share`: of the side, in pixels the product of both. */
  | { readonly op: "translate"; readonly axis: Axis; readonly share: number; readonly resample: Resample };

/** What happens to one picture: plain data. */
export interface AugMixPlan {
  /** Each chain, and its share of the mixture. */
  readonly chains: readonly { readonly share: number; readonly operations: readonly AugMixOperation[] }[];
  /** Share of the mixture beside the original, 0..1. */
  readonly mixture: number;
}

/** ImageNet's mean colour. */
const fill: Color = [124, 116, 103];

/**
 * AugMix as timm and OpenVINO Training Extensions have it: some chains of random operations are mixed, and the mixture
 * with the original. Twelve operations, none of which turns the picture; a consistency loss is not part of it.
 *
 * Hendrycks, Mu et al.: AugMix: a simple data processing method to improve robustness and uncertainty (ICLR 2020,
 * https://arxiv.org/abs/1912.02781).
 *
 * @param options Magnitude, width, depth and alpha.
 * @returns The augmentation.
 * @throws {RangeError} If an option is out of range.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { augMix } from "./aug_mix.ts";
 * import { createRng } from "./rng.ts";
 * const image = { width: 8, height: 8, data: new Uint8Array(8 * 8 * 3).map((_, i) => i) };
 * const mixed = augMix({ magnitude: 4, width: 2 })(image, createRng(5, "augmentation"));
 * assert(mixed.width === 8 && mixed.data.length === image.data.length);
 * ```
 */
export function augMix(options: AugMixOptions = {}): Augmentation {
  const { magnitude = 3, width = 3, depth, alpha = 1 } = options;
  const problems = [
    magnitude > 0 && magnitude <= 10 ? [] : [`magnitude is ${magnitude}, wanted above 0 and at most 10`],
    Number.isInteger(width) && width >= 1 ? [] : [`width is ${width}, wanted a whole number of at least 1`],
    depth === undefined || Number.isInteger(depth) && depth >= 1
      ? []
      : [`depth is ${depth}, wanted a whole number of at least 1`],
    alpha > 0 && alpha < Infinity ? [] : [`alpha is ${alpha}, wanted a number above 0`],
  ].flat();
  if (problems.length > 0) throw new RangeError(`Cannot augment with AugMix:\n  ${problems.join("\n  ")}`);
  return (image, rng) => applyAugMix(image, drawAugMix(rng, { magnitude, width, depth, alpha }));
}

/**
 * Draws what AugMix does to one picture.
 *
 * @param rng Where the randomness comes from.
 * @param options Magnitude, width, depth and alpha.
 * @returns The plan.
 */
export function drawAugMix(rng: Rng, options: AugMixOptions): AugMixPlan {
  const { magnitude = 3, width = 3, depth, alpha = 1 } = options;
  const shares = dirichlet(rng, alpha, width).map(Math.fround),
    mixture = Math.fround(beta(rng, alpha, alpha));
  return {
    mixture,
    chains: shares.map((share) => ({
      share,
      operations: Array.from({ length: depth ?? rng.integer(1, 3) }, () => drawOperation(rng, magnitude)),
    })),
  };
}

/** The twelve kinds of operations. */
export const augMixKinds = [
  "autoContrast",
  "equalize",
  "color",
  "contrast",
  "brightness",
  "sharpness",
  "posterize",
  "solarize",
  "shearX",
  "shearY",
  "translateX",
  "translateY",
] as const;

/** Each kind is as likely; its strength is uniform up to `magnitude` tenths of the most there is. */
function drawOperation(rng: Rng, magnitude: number): AugMixOperation {
  const kind = augMixKinds[rng.integer(0, augMixKinds.length - 1)]!;
  const level = rng.uniform(0, magnitude), negative = rng.chance(0.5);
  return operationOf(kind, level, negative, rng.chance(0.5) ? "bicubic" : "bilinear");
}

/**
 * An operation of some strength, by timm's rules.
 *
 * @param kind Which.
 * @param level Strength, 0 to 10.
 * @param negative Whether it changes the other way, where there are two.
 * @param resample How values between pixels are found, where they are needed.
 * @returns The operation.
 */
export function operationOf(
  kind: typeof augMixKinds[number],
  level: number,
  negative: boolean,
  resample: Resample,
): AugMixOperation {
  const part = level / 10, sign = negative ? -1 : 1;
  switch (kind) {
    case "autoContrast":
    case "equalize":
      return { op: kind };
    case "color":
    case "contrast":
    case "brightness":
    case "sharpness":
      return { op: kind, factor: Math.max(0.1, 1 + sign * (part * 0.9)) };
    case "posterize":
      return { op: kind, bits: 4 - Math.trunc(part * 4) };
    case "solarize":
      return { op: kind, threshold: 256 - Math.min(256, Math.trunc(part * 256)) };
    case "shearX":
    case "shearY":
      return { op: "shear", axis: kind === "shearX" ? "x" : "y", factor: sign * (part * 0.3), resample };
    case "translateX":
    case "translateY":
      return {
        op: "translate",
        axis: kind === "translateX" ? "x" : "y",
        share: sign * (part * 0.45),
        resample,
      };
  }
}

/**
 * Does what was drawn.
 *
 * @param image The picture.
 * @param plan What to do.
 * @returns A new picture.
 */
export function applyAugMix(image: Pixels, { chains, mixture }: AugMixPlan): Pixels {
  const { width, height, data } = image;
  const sum = new Float32Array(data.length);
  for (const { share, operations } of chains) {
    const changed = operations.reduce(applyOperation, image).data;
    const shares = Float32Array.from({ length: 256 }, (_, value) => share * value);
    for (let at = 0; at < sum.length; at++) sum[at]! += shares[changed[at]!]!;
  }
  const mixed = new Uint8Array(data.length);
  for (let at = 0; at < sum.length; at++) mixed[at] = Math.min(255, sum[at]!);
  return blend(image, { width, height, data: mixed }, mixture);
}

/**
 * Does one operation.
 *
 * @param image The picture.
 * @param operation What to do.
 * @returns A new picture, or the same.
 */
export function applyOperation(image: Pixels, operation: AugMixOperation): Pixels {
  switch (operation.op) {
    case "autoContrast":
      return autoContrast(image);
    case "equalize":
      return equalize(image);
    case "color":
      return adjustColor(image, operation.factor);
    case "contrast":
      return adjustContrast(image, operation.factor);
    case "brightness":
      return adjustBrightness(image, operation.factor);
    case "sharpness":
      return adjustSharpness(image, operation.factor);
    case "posterize":
      return posterize(image, operation.bits);
    case "solarize":
      return solarize(image, operation.threshold);
    case "shear":
      return shear(image, operation.axis, operation.factor, operation.resample, fill);
    case "translate": {
      const { axis, share, resample } = operation;
      return translate(image, axis, share * (axis === "x" ? image.width : image.height), resample, fill);
    }
  }
}
