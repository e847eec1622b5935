import type { View } from "../augment/test_time_views.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import { averageViews } from "../metrics/average_views.ts";

/**
 * Logits of a batch, or the mean of what its views give.
 *
 * @param logitsOf Computes a batch of RGB bytes `[batchSize, height, width, 3]`, of which the first `count` are pictures.
 * @param images The batch.
 * @param count How many rows are pictures; the rest is padding.
 * @param size Height and width of a picture.
 * @param views What is looked at in place of the pictures; with none, the pictures themselves.
 * @returns Logits of the first `count` rows, one array a picture; of views the logarithm of the mean probabilities.
 */
export async function logitsOfViews(
  logitsOf: (images: Uint8Array, count: number) => Promise<Float32Array[]>,
  images: Uint8Array,
  count: number,
  size: Preprocessing["size"],
  views: readonly View[] = [],
): Promise<Float32Array[]> {
  if (views.length === 0) return await logitsOf(images, count);
  const logits: Float32Array[][] = [];
  for (const view of views) logits.push(await logitsOf(viewed(images, count, size, view), count));
  return averageViews(logits);
}

/** A view of each picture of a batch. */
function viewed(
  images: Uint8Array,
  count: number,
  { height, width }: Preprocessing["size"],
  view: View,
): Uint8Array {
  const result = new Uint8Array(images.length), bytes = height * width * 3;
  for (let start = 0; start < count * bytes; start += bytes) {
    result.set(view.of({ width, height, data: images.subarray(start, start + bytes) }).data, start);
  }
  return result;
}
