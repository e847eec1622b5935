import { createRng, permutation } from "../augment/rng.ts";
import { checkOptions } from "../errors/check_options.ts";
import type { Dataset, DatasetSplits, Sample } from "./dataset.ts";
import { DatasetError, onOneLine } from "./dataset_error.ts";

/** How a data set is divided. */
export interface SplitOptions {
  /** Share of each class that goes to the validation set, 0..1. @default {0.2} */
  readonly validation?: number;
  /** Share of each class that goes to the test set, 0..1. @default {0} */
  readonly test?: number;
  /** Of the choice. @default {0} */
  readonly seed?: number;
}

/**
 * Divides a data set at random into training, validation and, if asked for, test set, each class by the same shares
 * (stratified). A class of two pictures or more gets at least one into the validation set, one of three or more at
 * least one into a test set; at least one always stays in the training set. What happens to a class depends on the
 * seed and on that class alone.
 *
 * @param dataset The pictures.
 * @param options The shares and the seed.
 * @returns The sets, in the order of the data set.
 * @throws {TypeError} If an option is unknown, or `dataset` is no data set.
 * @throws {RangeError} If the shares are not in 0..1 or leave nothing to train on.
 * @throws {DatasetError} If no class has two pictures.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dataset } from "./dataset.ts";
 * import { split } from "./split.ts";
 * const samples = Array.from({ length: 20 }, (_, i) => ({ image: `${i}.jpg`, label: i % 2 }));
 * const { train, validation } = split(dataset(samples, ["even", "odd"]), { validation: 0.2, seed: 5 });
 * assert(train.samples.length === 16 && validation.samples.length === 4);
 * ```
 */
export function split(dataset: Dataset, options: SplitOptions = {}): DatasetSplits {
  checkOptions(options, ["validation", "test", "seed"], "split");
  if (!Array.isArray(dataset?.samples)) {
    throw new TypeError(
      "Cannot split: found no labelled pictures, wanted one data set\n" +
        '  help: write for example split(await imageFolder("pets"))',
    );
  }
  const { validation = 0.2, test = 0, seed = 0 } = options;
  const inRange = (share: number) => share >= 0 && share < 1;
  if (!inRange(validation) || validation === 0 || !inRange(test) || validation + test >= 1) {
    throw new RangeError(
      `Cannot split data set "${
        onOneLine(dataset.name)
      }": 'validation' must be in (0, 1), 'test' in [0, 1), and ` +
        `both together less than 1: got validation ${validation}, test ${test}`,
    );
  }
  const byClass: number[][] = dataset.classNames.map(() => []);
  dataset.samples.forEach(({ label }, index) => byClass[label].push(index));
  if (!byClass.some(({ length }) => length >= 2)) {
    throw new DatasetError(`Cannot split data set "${onOneLine(dataset.name)}": no class has two pictures`, {
      help: "a class needs one picture to train on and one to validate with",
    });
  }
  const part: ("train" | "validation" | "test")[] = new Array(dataset.samples.length).fill("train");
  for (const [label, members] of byClass.entries()) {
    const { length } = members;
    const inTest = test === 0 || length < 3 ? 0 : clamp(Math.round(length * test), 1, length - 2);
    const inValidation = length < 2 ? 0 : clamp(Math.round(length * validation), 1, length - 1 - inTest);
    const order = permutation(length, createRng(seed, "split", 0, label));
    for (const [rank, member] of order.entries()) {
      if (rank < inValidation) part[members[member]] = "validation";
      else if (rank < inValidation + inTest) part[members[member]] = "test";
    }
  }
  const { classNames, name } = dataset;
  const take = (wanted: string): Dataset => {
    const samples: readonly Sample[] = dataset.samples.filter((_, index) => part[index] === wanted);
    return { name: `${name}/${wanted}`, classNames, samples };
  };
  return {
    classNames,
    train: take("train"),
    validation: take("validation"),
    ...(test ? { test: take("test") } : {}),
  };
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}
