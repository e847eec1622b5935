import { createPixelCache } from "../data/cache.ts";
import type { ImageSource } from "../data/dataset.ts";
import { createLoader } from "../data/loader.ts";
import type { Preprocessing } from "../data/preprocessing.ts";

/** RGB bytes `[height, width, 3]` of a picture at the model's size. */
export type Picture = Uint8Array<ArrayBuffer>;

/** Pictures in memory at the same time, at most: a user may name a folder of any size. */
const LARGEST_BATCH = 32;

/**
 * Decodes and resizes pictures as the model does.
 *
 * @param images The pictures.
 * @param preprocessing Size and kernel.
 * @param signal Stops it.
 * @returns Their bytes, a part after the other; all parts but the last are equally long.
 * @throws {DatasetError} If pictures cannot be read; all of them are named.
 */
export async function* decodedPictures(
  images: readonly ImageSource[],
  preprocessing: Preprocessing,
  signal?: AbortSignal,
): AsyncGenerator<Picture[], void, void> {
  const nameOf = (image: ImageSource, index: number) =>
    typeof image === "string" || image instanceof URL ? String(image) : `picture ${index}`;
  const samples = images.map((image, index) => ({ image, label: 0, name: nameOf(image, index) }));
  const loader = createLoader({ name: "the pictures", classNames: ["any", "other"], samples }, {
    preprocessing,
    batchSize: partSize(images.length),
    training: false,
    cache: createPixelCache({ memoryBytes: 0, diskBytes: 0 }), // these pictures are looked at once
    signal,
  });
  for await (const { images, count } of loader.epoch(0)) {
    const bytes = images.length / loader.batchSize;
    yield Array.from(
      { length: count },
      (_, row) => new Uint8Array(images.slice(row * bytes, (row + 1) * bytes)),
    );
  }
}

/** Parts of nearly the same length: the model is compiled for each length anew. */
function partSize(count: number): number {
  return Math.ceil(count / Math.ceil(count / LARGEST_BATCH));
}

/**
 * Pictures to compare with where the user gives none: waves of other colours, lengths and contrast in each, and now and
 * then an edge. The same numbers at every call.
 *
 * @param count How many.
 * @param preprocessing Their size.
 * @returns Their bytes.
 */
export function examplePictures(count: number, { size: { height, width } }: Preprocessing): Picture[] {
  return Array.from({ length: count }, (_, index) => {
    const picture = new Uint8Array(height * width * 3);
    const contrast = 40 + 87 * unit(index, 1), longest = 2 ** (index % 6);
    const waves = [0, 1, 2].map((channel) => ({
      across: longest * (0.5 + unit(index, 2 + channel)) * 2 * Math.PI / width,
      down: longest * (0.5 + unit(index, 5 + channel)) * 2 * Math.PI / height,
      phase: 2 * Math.PI * unit(index, 8 + channel),
      middle: 60 + 135 * unit(index, 11 + channel),
    }));
    const edge = width * unit(index, 14);
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const side = index % 3 === 2 && x > edge ? -1 : 1;
        for (const { across, down, phase, middle } of waves) {
          const value = middle + side * contrast * Math.sin(across * x + down * y + phase);
          picture[at++] = Math.min(Math.max(Math.round(value), 0), 255);
        }
      }
    }
    return picture;
  });
}

/** Numbers spread evenly over 0..1, one sequence for each `which`. */
function unit(index: number, which: number): number {
  const value = (index + 1) * (0.618034 + 0.07 * which) + 0.37 * which;
  return value - Math.floor(value);
}
