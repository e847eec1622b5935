import { checkOptions } from "../errors/check_options.ts";
import { DatasetError, type DatasetProblem, listNames, onOneLine } from "./dataset_error.ts";

/** Pixels that are already decoded: interleaved rows, 8 bits a channel. */
export interface RawImage {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** 1 = grey, 3 = RGB, 4 = RGBA. */
  readonly channels: 1 | 3 | 4;
  /** `height * width * channels` bytes, row by row. */
  readonly data: Uint8Array;
}

/** A picture: the path of a file, the bytes of an encoded file, or decoded pixels. */
export type ImageSource = string | URL | Uint8Array | RawImage;

/** One labelled picture of a data set. */
export interface Sample {
  /** Where the picture is. */
  readonly image: ImageSource;
  /** Index into the data set's `classNames`. */
  readonly label: number;
  /** A short, stable name for messages and reports: a path relative to the data set, or e.g. `train/00042`. */
  readonly name: string;
}

/** Labelled pictures with their class names: plain data. */
export interface Dataset {
  /** What the data set is called in messages, e.g. `pets/train`. */
  readonly name: string;
  /** Class names; a sample's label is an index into them. Sorted by code point for folders. */
  readonly classNames: readonly string[];
  /** The samples, in a fixed order. */
  readonly samples: readonly Sample[];
}

/** What `fineTune` takes: a training set and a validation set over the same classes, and perhaps a test set. */
export interface DatasetSplits {
  /** The classes, the same in every set. */
  readonly classNames: readonly string[];
  /** What is trained on. */
  readonly train: Dataset;
  /** What training is watched and the best epoch chosen with. */
  readonly validation: Dataset;
  /** What is kept for the end. */
  readonly test?: Dataset;
}

/** A sample as a user writes it down: the label may be a class name, and the name may be left out. */
export interface SampleInput {
  /** Where the picture is. */
  readonly image: ImageSource;
  /** Index into the class names, or one of them. */
  readonly label: number | string;
  /** How messages call it. @default its path, or `sample 12` */
  readonly name?: string;
}

/**
 * Makes a data set from a list in memory.
 *
 * @param samples The pictures; each label an index into `classNames` or one of them.
 * @param classNames The classes, at least two, each once.
 * @param options `name`: what the data set is called in messages, `"data set"` by default.
 * @returns The data set, with numbers as labels.
 * @throws {TypeError} If an option is unknown.
 * @throws {DatasetError} If class names repeat or are fewer than two, there are no samples, or labels are unknown.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dataset } from "./dataset.ts";
 * const greys = dataset([{ image: "cat.jpg", label: "cat" }, { image: "dog.jpg", label: 1 }], ["cat", "dog"]);
 * assert(greys.samples[0].label === 0 && greys.samples[1].name === "dog.jpg");
 * ```
 */
export function dataset(
  samples: readonly SampleInput[],
  classNames: readonly string[],
  options: { readonly name?: string } = {},
): Dataset {
  checkOptions(options, ["name"], "dataset");
  const { name = "data set" } = options;
  checkClassNames(name, classNames);
  if (samples.length === 0) {
    throw new DatasetError(`Cannot make data set "${onOneLine(name)}": it has no samples`, {
      help: "give at least one { image, label }",
    });
  }
  const indexOf = new Map(classNames.map((className, index) => [className, index]));
  const problems: DatasetProblem[] = [];
  const checked = samples.map(({ image, label, name: given }, position) => {
    const path = typeof image === "string" ? image : image instanceof URL ? image.pathname : undefined;
    const sampleName = given ?? path ?? `sample ${position}`;
    const index = typeof label === "string" ? indexOf.get(label) : label;
    if (index === undefined) {
      problems.push({ name: sampleName, reason: `unknown class name "${onOneLine(`${label}`)}"` });
    } else if (!(Number.isInteger(index) && index >= 0 && index < classNames.length)) {
      problems.push({
        name: sampleName,
        reason: `label ${index} is not an index 0 to ${classNames.length - 1}`,
      });
    }
    return { image, label: index ?? -1, name: sampleName };
  });
  if (problems.length > 0) {
    throw new DatasetError(
      `Cannot make data set "${
        onOneLine(name)
      }": ${problems.length} of ${samples.length} labels are not classes`,
      { problems, help: `the classes are ${listNames(classNames)}` },
    );
  }
  return { name, classNames: [...classNames], samples: checked };
}

/**
 * Refuses class names that repeat or are fewer than two.
 *
 * @param name What the data set is called in messages.
 * @param classNames The names.
 * @throws {DatasetError} If they cannot be used.
 */
export function checkClassNames(name: string, classNames: readonly string[]): void {
  const repeated = classNames.filter((className, i) => classNames.indexOf(className) !== i);
  if (repeated.length > 0) {
    throw new DatasetError(
      `Cannot make data set "${onOneLine(name)}": class names repeat: ${listNames(repeated)}`,
      {
        help: "give each class one name",
      },
    );
  }
  if (classNames.length < 2) {
    const found = classNames.length === 0 ? "there are none" : `there is one, ${listNames(classNames)}`;
    throw new DatasetError(
      `Cannot make data set "${onOneLine(name)}": at least two classes are needed, ${found}`,
      {
        help: "a classifier tells classes apart: add pictures of another class",
      },
    );
  }
}
