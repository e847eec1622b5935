import type { View } from "../augment/test_time_views.ts";
import { createPixelCache } from "../data/cache.ts";
import type { ImageSource } from "../data/dataset.ts";
import { createLoader } from "../data/loader.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import type { Inference } from "./inference.ts";

/**
 * Opens pictures, brings them to a network's size and runs it on them.
 *
 * @param images Paths, URLs, bytes of files or decoded pixels.
 * @param inference The network.
 * @param model Its classes, and how a picture becomes its input.
 * @param views What is looked at in place of the pictures.
 * @returns Logits, one array a picture.
 * @throws {DatasetError} If pictures cannot be read; all of them are named.
 */
export async function logitsOfPictures(
  images: readonly ImageSource[],
  inference: Inference,
  model: { readonly classNames: readonly string[]; readonly preprocessing: Preprocessing },
  views: readonly View[],
): Promise<Float32Array[]> {
  const { classNames, preprocessing } = model;
  const samples = images.map((image, index) => ({ image, label: 0, name: nameOf(image, index) }));
  const loader = createLoader({ name: "the pictures", classNames, samples }, {
    preprocessing,
    batchSize: inference.batchSize,
    training: false,
    cache: createPixelCache({ memoryBytes: 0, diskBytes: 0 }), // these pictures are looked at once
  });
  const logits: Float32Array[] = [];
  for await (const batch of loader.epoch(0)) {
    logits.push(...await inference.logits(batch.images, batch.count, views));
  }
  return logits;
}

function nameOf(image: ImageSource, index: number): string {
  return typeof image === "string" || image instanceof URL ? String(image) : `picture ${index}`;
}
