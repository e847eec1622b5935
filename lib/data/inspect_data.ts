import { type Finding, findProblems } from "./_findings.ts";
import { limit } from "./_limit.ts";
import { findSamePictures, type Signature, signatureOf } from "./_same_pictures.ts";
import type { Dataset, DatasetSplits, ImageSource, Sample } from "./dataset.ts";
import { DatasetError } from "./dataset_error.ts";
import { decodePixels, readImageFile } from "./decode.ts";

export type { Finding, FindingItem } from "./_findings.ts";

/** Which part of the data a picture is in; `data` if it is not split. */
export type SetName = "data" | "train" | "validation" | "test";

/** How an inspection goes. */
export interface InspectOptions {
  /** Pictures read at the same time. @default one for each core */
  readonly workers?: number;
  /** Stops the inspection: it throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told how many pictures are done. */
  readonly onProgress?: (progress: { done: number; total: number }) => void;
}

/** What one picture turned out to be. */
export interface InspectedPicture {
  /** Its part of the data. */
  readonly set: SetName;
  /** Index into the samples of its set. */
  readonly index: number;
  /** Its sample's name. */
  readonly name: string;
  /** Index of its class. */
  readonly label: number;
  /** Why it cannot be read; then the rest is missing. */
  readonly reason?: string;
  /** In pixels. */
  readonly width?: number;
  /** In pixels. */
  readonly height?: number;
  /** Whether some pixels are not opaque. */
  readonly transparent?: boolean;
  /** What its copies are found by. */
  readonly signature?: Signature;
}

/** One part of the data in numbers. */
export interface SetSummary {
  /** Which part. */
  readonly set: SetName;
  /** Its name in messages. */
  readonly name: string;
  /** Pictures, `[classes]`. */
  readonly perClass: readonly number[];
  /** All pictures. */
  readonly pictures: number;
  /** Pictures that cannot be read. */
  readonly unreadable: number;
  /** Widths of the pictures that can be read, in pixels. */
  readonly width: Spread;
  /** Heights of the pictures that can be read, in pixels. */
  readonly height: Spread;
}

/** Least, middle and largest of some numbers; NaN if there are none. */
export interface Spread {
  /** The least. */
  readonly min: number;
  /** The middle one. */
  readonly median: number;
  /** The largest. */
  readonly max: number;
}

/** What an inspection found: plain data. */
export interface Inspection {
  /** What the data is called. */
  readonly name: string;
  /** The classes. */
  readonly classNames: readonly string[];
  /** The parts of the data, training set first. */
  readonly sets: readonly SetSummary[];
  /** What is wrong or odd, the worst first; empty if nothing is. */
  readonly findings: readonly Finding[];
}

/**
 * Reads every picture of a data set once and reports what is wrong or odd: pictures that cannot be read, classes
 * without pictures, the same picture in training and validation set or in two classes, classes of very different size,
 * pictures that are tiny, huge, very long or see-through.
 *
 * @param data A data set, or its parts.
 * @param options Workers, progress, and a signal to stop.
 * @returns The report.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { inspectData } from "./inspect_data.ts";
 * const grey = { width: 64, height: 64, channels: 1 as const, data: new Uint8Array(64 * 64) };
 * const samples = [0, 1].map((label) => ({ image: grey, label, name: `${label}` }));
 * const { findings } = await inspectData({ name: "greys", classNames: ["a", "b"], samples });
 * assert(findings[0].id === "same-picture-in-two-classes");
 * ```
 */
export async function inspectData(
  data: Dataset | DatasetSplits,
  options: InspectOptions = {},
): Promise<Inspection> {
  const { workers = navigator.hardwareConcurrency, signal, onProgress } = options;
  const sets = setsOf(data);
  const total = sets.reduce((sum, [, { samples }]) => sum + samples.length, 0);
  const takeTurn = limit(workers);
  let done = 0;
  const inspected = await Promise.all(
    sets.flatMap(([set, { samples }]) =>
      samples.map((sample, index) =>
        takeTurn(async () => {
          signal?.throwIfAborted();
          const picture: InspectedPicture = {
            set,
            index,
            name: sample.name,
            label: sample.label,
            ...await inspectSample(sample),
          };
          onProgress?.({ done: ++done, total });
          return picture;
        })
      )
    ),
  );
  const summaries = sets.map(([set, dataset]) =>
    summarize(set, dataset, inspected.filter((picture) => picture.set === set))
  );
  const same = findSamePictures(inspected.map(({ signature }) => signature));
  return {
    name: "train" in data ? data.train.name.replace(/\/[^/]*$/, "") : data.name,
    classNames: data.classNames,
    sets: summaries,
    findings: findProblems(data.classNames, summaries, inspected, same),
  };
}

/**
 * The parts of some data by name.
 *
 * @param data A data set, or its parts.
 * @returns The parts, training set first.
 */
export function setsOf(data: Dataset | DatasetSplits): [SetName, Dataset][] {
  if (!("train" in data)) return [["data", data]];
  const { train, validation, test } = data;
  return [
    ["train", train],
    ["validation", validation],
    ...(test ? [["test", test] as [SetName, Dataset]] : []),
  ];
}

async function inspectSample({ image, name }: Sample): Promise<Partial<InspectedPicture>> {
  try {
    const content = await contentOf(image);
    const decoded = await decodePixels(content instanceof Uint8Array ? content : image, name);
    const { width, height, transparent } = decoded;
    const bytes = content instanceof Uint8Array ? content : decoded.data;
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource)).toHex();
    return { width, height, transparent, signature: signatureOf(decoded, hash) };
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    return { reason: error.problems[0]?.reason ?? error.message };
  }
}

/** The bytes of a file, or the pixels themselves. */
async function contentOf(image: ImageSource): Promise<Uint8Array | ImageSource> {
  return typeof image === "string" || image instanceof URL ? await readImageFile(image) : image;
}

function summarize(set: SetName, dataset: Dataset, pictures: readonly InspectedPicture[]): SetSummary {
  const perClass = new Array<number>(dataset.classNames.length).fill(0);
  for (const { label } of dataset.samples) perClass[label]++;
  const readable = pictures.filter(({ reason }) => reason === undefined);
  return {
    set,
    name: dataset.name,
    perClass,
    pictures: pictures.length,
    unreadable: pictures.length - readable.length,
    width: spread(readable.map(({ width }) => width!)),
    height: spread(readable.map(({ height }) => height!)),
  };
}

function spread(values: number[]): Spread {
  values.sort((a, b) => a - b);
  return { min: values[0] ?? NaN, median: values[values.length >> 1] ?? NaN, max: values.at(-1) ?? NaN };
}
