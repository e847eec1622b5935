import { cutmix, cutmixBox, keptShare, type Size } from "./cutmix.ts";
import { beta } from "./distributions.ts";
import { mixup } from "./mixup.ts";
import type { Rng } from "./rng.ts";

/** How often and how much pictures are mixed. */
export interface MixOptions {
  /** Of the distribution Beta(alpha, alpha) that the share of each batch is drawn from, above 0; 1: all shares alike. */
  readonly alpha: number;
  /** Share of the batches that are mixed, 0..1. @default {1} */
  readonly probability?: number;
}

/** What a batch may be mixed by. */
export interface Mixing {
  /** Blends pictures. */
  readonly mixup?: MixOptions;
  /** Exchanges rectangles. With both each batch has one of them, each half of the time. */
  readonly cutmix?: MixOptions;
}

/** Pictures with their labels. */
export interface LabelledImages {
  /** `[rows, height, width, 3]` bytes. */
  readonly images: Uint8Array;
  /** `[rows]` class indices. */
  readonly labels: Int32Array;
}

/** Pictures of which each has two labels. */
export interface MixedImages extends LabelledImages {
  /** `[rows]` class indices: of the picture that there is more of. */
  readonly labels: Int32Array;
  /** `[rows]` class indices: of the other one. */
  readonly otherLabels: Int32Array;
  /** How much of `labels` there is, 0.5..1; the rest is of `otherLabels`. */
  readonly labelWeight: number;
}

/**
 * Mixes the pictures of a batch with those of the batch reversed, by one share that is drawn for the whole batch, as
 * timm's `Mixup` does in its mode `batch`. Pure: what it returns depends on the batch and on the numbers drawn alone.
 *
 * @param batch Pictures and labels.
 * @param size Of the pictures.
 * @param mixing What to mix by.
 * @param rng Where the randomness comes from.
 * @returns The mixed pictures with both labels. A batch that is not mixed has weight 1.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { mixBatch } from "./mix_batch.ts";
 * import { createRng } from "./rng.ts";
 * const batch = { images: Uint8Array.of(0, 0, 0, 255, 255, 255), labels: Int32Array.of(3, 4) };
 * const mixed = mixBatch(batch, { width: 1, height: 1 }, { mixup: { alpha: 1 } }, createRng(5, "mixing"));
 * assert(mixed.labelWeight >= 0.5 && mixed.otherLabels.length === 2);
 * ```
 */
export function mixBatch(batch: LabelledImages, size: Size, mixing: Mixing, rng: Rng): MixedImages {
  const { images, labels } = batch, rows = labels.length;
  const byCutmix = mixing.cutmix !== undefined && (mixing.mixup === undefined || rng.chance(0.5));
  const { alpha, probability = 1 } = (byCutmix ? mixing.cutmix : mixing.mixup)!;
  if (!rng.chance(probability)) return { images, labels, otherLabels: labels, labelWeight: 1 };
  const share = beta(rng, alpha, alpha);
  const others = labels.toReversed();
  if (!byCutmix) return byWeight(mixup(images, rows, share), labels, others, share);
  const box = cutmixBox(size, share, rng);
  return byWeight(cutmix(images, rows, size, box), labels, others, keptShare(size, box));
}

/** The label that there is more of comes first. */
function byWeight(images: Uint8Array, own: Int32Array, others: Int32Array, share: number): MixedImages {
  return share >= 0.5
    ? { images, labels: own, otherLabels: others, labelWeight: share }
    : { images, labels: others, otherLabels: own, labelWeight: 1 - share };
}
