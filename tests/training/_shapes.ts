/** A picture set that is small, easy to learn and made anew at every start: coloured shapes, decoded already. */
import type { Dataset, DatasetSplits, RawImage, Sample } from "../../lib/data/dataset.ts";
import { createRng, type Rng } from "../../lib/augment/rng.ts";

const shapes: Record<string, (x: number, y: number) => boolean> = {
  disc: (x, y) => x * x + y * y < 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.85,
  cross: (x, y) => Math.min(Math.abs(x), Math.abs(y)) < 0.3 && Math.max(Math.abs(x), Math.abs(y)) < 1,
};

/** The classes of {@linkcode shapeSplits}. */
export const shapeNames: readonly string[] = Object.keys(shapes);

/** How many pictures, and how large. */
export interface ShapesOptions {
  /** Pictures of each class in the training set. @default {32} */
  train?: number | readonly number[];
  /** Pictures of each class in the validation set. @default {10} */
  validation?: number | readonly number[];
  /** Side in pixels. @default {32} */
  size?: number;
}

/** Reddish discs, greenish squares and bluish crosses on any grey, at any place. */
export function shapeSplits(options: ShapesOptions = {}): DatasetSplits {
  const { train = 32, validation = 10, size = 32 } = options;
  return {
    classNames: shapeNames,
    train: shapeSet("shapes/train", train, size, 1),
    validation: shapeSet("shapes/val", validation, size, 2),
  };
}

function shapeSet(name: string, counts: number | readonly number[], size: number, seed: number): Dataset {
  const samples: Sample[] = shapeNames.flatMap((className, label) =>
    Array.from({ length: typeof counts === "number" ? counts : counts[label]! }, (_, index) => ({
      image: drawShape(className, size, createRng(seed, "split", label, index)),
      label,
      name: `${className}/${index}.png`,
    }))
  );
  return { name, classNames: shapeNames, samples };
}

/** One picture. */
export function drawShape(className: string, size: number, rng: Rng): RawImage {
  const isInside = shapes[className]!;
  const hue = shapeNames.indexOf(className);
  const ink = [0, 1, 2].map((channel) => channel === hue ? rng.integer(150, 250) : rng.integer(20, 120));
  const grey = rng.integer(0, 255), ground = [grey, grey, grey];
  const radius = size * rng.uniform(0.25, 0.4);
  const [centreX, centreY] = [rng.uniform(radius, size - radius), rng.uniform(radius, size - radius)];
  const data = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      data.set(isInside((x - centreX) / radius, (y - centreY) / radius) ? ink : ground, (y * size + x) * 3);
    }
  }
  return { width: size, height: size, channels: 3, data };
}
