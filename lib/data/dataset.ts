/** Pixels that are already decoded: interleaved rows, 8 bits a channel. */
export interface RawImage {
  readonly width: number;
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
  readonly classNames: readonly string[];
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test?: Dataset;
}
