import { createRng, permutation } from "../augment/rng.ts";
import type { Dataset, DatasetSplits } from "../data/dataset.ts";
import type { QuantizeOptions } from "./quantize_options.ts";

/** Fewer would leave ranges to chance. */
const fewestPictures = 16;

/**
 * The pictures ranges are found with: a set of its own, or some of the training set, by the seed.
 *
 * @param data Its training set.
 * @param options `calibration` and `seed`.
 * @throws {RangeError} If there are too few.
 */
export function calibrationPictures(
  { train }: DatasetSplits,
  { calibration = 300, seed = 0 }: QuantizeOptions,
): Dataset {
  const isSet = typeof calibration === "object";
  const all = isSet ? calibration : train;
  const count = isSet ? all.samples.length : Math.min(calibration, all.samples.length);
  const order = permutation(all.samples.length, createRng(seed, "sampler"));
  const pictures = {
    ...all,
    name: `${all.name}, calibration`,
    samples: isSet ? all.samples : [...order.subarray(0, count)].map((index) => all.samples[index]!),
  };
  if (count >= fewestPictures) return pictures;
  throw new RangeError(
    `Cannot quantise: there are ${count} calibration pictures, wanted at least ${fewestPictures}, better 300\n` +
      `  help: ${isSet ? "give a larger set" : "pass { calibration: 300 }, or train on more pictures"}`,
  );
}
