import { setImmediate } from "node:timers";
import type { KeyedAugmentation } from "../augment/augment_by_key.ts";
import type { Pixels } from "../augment/augmentation.ts";
import { mixBatch, type Mixing } from "../augment/mix_batch.ts";
import { createRng, permutation, type Rng } from "../augment/rng.ts";
import { type PixelCache, sharedPixelCache } from "./cache.ts";
import { limit } from "./_limit.ts";
import type { Dataset } from "./dataset.ts";
import { DatasetError, type DatasetProblem } from "./dataset_error.ts";
import type { Preprocessing } from "./preprocessing.ts";
import { createSampler, repeatsOf, type SamplerName } from "./sampler.ts";

/** One batch, as it crosses to the engine. */
export interface Batch {
  /** `[batchSize, height, width, 3]` RGB bytes; rows from `count` on are zeros. */
  readonly images: Uint8Array;
  /** `[batchSize]` class indices; 0 from `count` on. */
  readonly labels: Int32Array;
  /** In mixed batches `[batchSize]` class indices of what the pictures hold less of; `labels` are of the rest. */
  readonly otherLabels?: Int32Array;
  /** In mixed batches how much there is of `labels`, 0.5..1. */
  readonly labelWeight?: number;
  /** `[batchSize]` indices into the data set's samples; -1 from `count` on. */
  readonly indices: Int32Array;
  /** How many rows are pictures; the rest is padding, to be masked. */
  readonly count: number;
}

/** How pictures are loaded. */
export interface LoaderOptions {
  /** Size and kernel of the network's input. */
  readonly preprocessing: Preprocessing;
  /** Pictures a batch, >= 1. */
  readonly batchSize: number;
  /** `true`: shuffled and augmented. `false`: in order, as they are. */
  readonly training: boolean;
  /** Of the order and the augmentations. @default {0} */
  readonly seed?: number;
  /** What happens to each training picture, here or on other threads. @default nothing */
  readonly augment?: KeyedAugmentation;
  /** What training pictures of a batch are mixed by. @default nothing */
  readonly mixing?: Mixing;
  /** Which pictures an epoch of training holds: each once, or as many of each class. @default {"shuffled"} */
  readonly sampler?: SamplerName;
  /** Where decoded pictures are kept. @default one that all loaders of the process share */
  readonly cache?: PixelCache;
  /** Whether the last, smaller batch is left out. @default {true} when training */
  readonly dropLast?: boolean;
  /** Pictures decoded at the same time. @default one for each core */
  readonly workers?: number;
  /** Batches prepared ahead of the one in use. @default {2} */
  readonly prefetch?: number;
  /**
   * What to do about a picture that cannot be read: `"error"` reports all of them, `"skip"` trains on another picture
   * of the set in its place (of its class, where classes are balanced), and leaves it out of an evaluation.
   * @default {"error"}
   */
  readonly onUnreadable?: "error" | "skip";
  /** Stops loading: {@link Loader.epoch} throws its reason. */
  readonly signal?: AbortSignal;
}

/** Samples of one batch. */
interface Wanted {
  readonly epoch: number;
  readonly step: number;
  /** Indices of the samples. */
  readonly wanted: Int32Array;
  /** How often each came before in the epoch. */
  readonly repeats: Int32Array;
}

/** Batches of a data set, epoch by epoch. */
export interface Loader {
  /** Rows a batch: the wanted batch size, or the size of a training set that is smaller than that. */
  readonly batchSize: number;
  /** Batches an epoch. */
  readonly stepsPerEpoch: number;
  /** Pictures that were skipped so far, with the reason. */
  readonly unreadable: readonly DatasetProblem[];
  /**
   * Runs through the data set once.
   *
   * @param epoch 0-based epoch: with the seed it fixes the order and every augmentation.
   * @param fromStep First batch to give; what comes is the same as without the batches before it.
   * @returns The batches. The next ones are prepared while the caller works on one.
   * @throws {DatasetError} If pictures cannot be read.
   */
  epoch(epoch: number, fromStep?: number): AsyncGenerator<Batch, void, void>;
}

/**
 * Makes batches of a data set. What a batch holds and how it is mixed depends on (seed, epoch, step) only, and how a
 * sample is augmented on (seed, epoch, index of the sample, how often it came before) only: neither the number of workers
 * nor a resumed epoch changes anything.
 *
 * @param dataset The pictures.
 * @param options How they are loaded.
 * @returns The loader.
 * @throws {DatasetError} If the data set is empty.
 * @throws {RangeError} If a number among the options is out of range.
 *
 * @example
 * ```ts
 * import { createLoader } from "./loader.ts";
 * const grey = { width: 8, height: 8, channels: 1 as const, data: new Uint8Array(64) };
 * const samples = [0, 1, 1].map((label, i) => ({ image: grey, label, name: `${i}` }));
 * const loader = createLoader({ name: "greys", classNames: ["a", "b"], samples }, {
 *   preprocessing: {
 *     size: { height: 8, width: 8 }, interpolation: "bilinear", channelOrder: "rgb", mean: [0, 0, 0], std: [1, 1, 1],
 *   },
 *   batchSize: 2,
 *   training: false,
 * });
 * for await (const { images, labels, count } of loader.epoch(0)) console.log(images.length, labels, count);
 * ```
 */
export function createLoader(dataset: Dataset, options: LoaderOptions): Loader {
  const { preprocessing, training, seed = 0, augment, mixing, signal, onUnreadable = "error" } = options;
  const { sampler = "shuffled" } = options;
  const { cache = sharedPixelCache(), prefetch = 2, workers = navigator.hardwareConcurrency } = options;
  const { samples } = dataset;
  checkOptions(dataset, options);
  const { height, width } = preprocessing.size;
  const imageBytes = height * width * 3;
  const batchSize = training ? Math.min(options.batchSize, samples.length) : options.batchSize;
  const dropLast = options.dropLast ?? training;
  const stepsPerEpoch = (dropLast ? Math.floor : Math.ceil)(samples.length / batchSize);
  const epochLength = dropLast ? stepsPerEpoch * batchSize : samples.length;
  const orderOf = training
    ? createSampler(dataset, { sampler, length: epochLength, seed })
    : () => Int32Array.from({ length: epochLength }, (_, index) => index);
  const cacheKeys: string[] = new Array(samples.length); // found without touching the file again
  const unreadable = new Map<number, DatasetProblem>();
  const takeTurn = limit(workers);

  /** The decoded pixels of a sample, at once if they are in memory. */
  function pixelsOf(index: number): Uint8Array | Promise<Uint8Array> {
    const key = cacheKeys[index];
    const inMemory = key === undefined ? undefined : cache.peek(key);
    return inMemory ?? takeTurn(async () => {
      signal?.throwIfAborted();
      const { image, name } = samples[index];
      const loaded = await cache.load(image, preprocessing, name);
      cacheKeys[index] = loaded.key;
      return loaded.pixels;
    });
  }

  /** As {@link pixelsOf}; a picture that cannot be read gives `undefined`, or an error that names all of them. */
  async function readable(index: number): Promise<Uint8Array | undefined> {
    if (unreadable.has(index)) return undefined;
    try {
      return await pixelsOf(index);
    } catch (error) {
      if (!(error instanceof DatasetError)) throw error;
      unreadable.set(index, {
        name: samples[index].name,
        reason: error.problems[0]?.reason ?? error.message,
      });
      return undefined;
    }
  }

  /** The sample itself, or, in training, one drawn in its place if it cannot be read. */
  async function choose(
    index: number,
    epoch: number,
    repeat: number,
  ): Promise<{ index: number; pixels: Uint8Array } | undefined> {
    let pixels = await readable(index);
    if (pixels) return { index, pixels };
    if (onUnreadable === "error") throw await reportUnreadable();
    if (!training) return undefined;
    const rng = createRng(seed, "replacement", epoch, index, repeat);
    for (const other of sampler === "balanced" ? othersOfClass(index, rng) : []) {
      if ((pixels = await readable(other))) return { index: other, pixels };
    }
    for (let other = index; unreadable.size < samples.length;) {
      other = rng.integer(0, samples.length - 1);
      if ((pixels = await readable(other))) return { index: other, pixels };
    }
    throw await reportUnreadable();
  }

  /** All samples of a class, in random order. */
  function othersOfClass(index: number, rng: Rng): number[] {
    const members = samples.flatMap(({ label }, other) => label === samples[index].label ? [other] : []);
    return Array.from(permutation(members.length, rng), (place) => members[place]!);
  }

  let report: Promise<DatasetError> | undefined;
  /** Reads on for a while, so that the error can name every unreadable picture and not the first one only. */
  function reportUnreadable(): Promise<DatasetError> {
    return report ??= (async () => {
      const end = performance.now() + 10_000;
      let checked = 0;
      await Promise.all(samples.map(async (_, index) => {
        if (performance.now() > end) return;
        await readable(index);
        checked++;
      }));
      const problems = sortedProblems();
      const of = checked === samples.length ? `${checked}` : `the first ${checked} (of ${samples.length})`;
      return new DatasetError(
        `Cannot load data set "${dataset.name}": ${problems.length} of ${of} pictures are not readable`,
        {
          problems,
          help: onUnreadable === "error"
            ? 'remove them, or pass { onUnreadable: "skip" }'
            : "check that the files are there and are pictures",
        },
      );
    })();
  }

  function sortedProblems(): DatasetProblem[] {
    return [...unreadable].sort(([a], [b]) => a - b).map(([, problem]) => problem);
  }

  async function prepare(
    { epoch, step, wanted, repeats }: Wanted,
    stopped: () => boolean,
  ): Promise<Batch> {
    const images = new Uint8Array(batchSize * imageBytes);
    const labels = new Int32Array(batchSize), indices = new Int32Array(batchSize).fill(-1);
    // Ask for everything first: what must be decoded is then decoded side by side.
    const chosen = Array.from(wanted, (index, row) => choose(index, epoch, repeats[row]!));
    chosen.forEach((promise) => promise.catch(() => {})); // the first failure is thrown below, the others are the same
    const changed: (Pixels | Promise<Pixels>)[] = [];
    for (const [row, promise] of chosen.entries()) {
      const sample = await promise;
      if (!sample) continue;
      await pause(); // between pictures the step that is running may come back
      if (stopped()) break;
      const { index, pixels } = sample, image = { width, height, data: pixels };
      labels[changed.length] = samples[index].label;
      indices[changed.length] = index;
      const change = training && augment
        ? augment(image, { seed, epoch, index, repeat: repeats[row]! })
        : image;
      if (change instanceof Promise) change.catch(() => {}); // it is thrown below, where all are awaited
      changed.push(change);
    }
    for (const [row, { data }] of (await Promise.all(changed)).entries()) images.set(data, row * imageBytes);
    const mixed = training && mixing
      ? mixBatch({ images, labels }, { height, width }, mixing, createRng(seed, "mixing", epoch, step))
      : undefined;
    return { images, labels, ...mixed, indices, count: changed.length };
  }

  async function* epoch(epoch: number, fromStep = 0): AsyncGenerator<Batch, void, void> {
    const order = orderOf(epoch), repeats = repeatsOf(order);
    const pending: Promise<Batch>[] = [];
    let next = fromStep, stopped = false;
    const prepareMore = () => {
      while (pending.length <= prefetch && next < stepsPerEpoch) {
        const step = next++, from = step * batchSize, to = from + batchSize;
        const part = { wanted: order.subarray(from, to), repeats: repeats.subarray(from, to) };
        const batch = prepare({ epoch, step, ...part }, () => stopped);
        batch.catch(() => {}); // it is thrown when its turn comes
        pending.push(batch);
      }
    };
    try {
      for (let step = fromStep; step < stepsPerEpoch; step++) {
        signal?.throwIfAborted();
        prepareMore();
        yield await pending.shift()!;
      }
      // An evaluation leaves out what cannot be read; of nothing there is no result.
      if (unreadable.size === samples.length) throw await reportUnreadable();
    } finally {
      stopped = true;
      await Promise.allSettled(pending);
    }
  }

  return {
    batchSize,
    stepsPerEpoch,
    get unreadable() {
      return sortedProblems();
    },
    epoch,
  };
}

function checkOptions(dataset: Dataset, options: LoaderOptions): void {
  if (dataset.samples.length === 0) {
    throw new DatasetError(`Cannot load data set "${dataset.name}": it has no pictures`, {
      help: "check the folder or list it was made from",
    });
  }
  if (options.mixing !== undefined && options.dropLast === false) {
    throw new RangeError(`Cannot load data set "${dataset.name}": pictures are mixed in whole batches only`);
  }
  for (const name of ["batchSize", "workers", "prefetch"] as const) {
    const value = options[name], least = name === "prefetch" ? 0 : 1;
    if (value !== undefined && !(Number.isInteger(value) && value >= least)) {
      throw new RangeError(
        `Cannot load data set "${dataset.name}": ${name} must be an integer >= ${least}: got ${value}`,
      );
    }
  }
}

/** Lets the event loop run, so that native calls that are done can return. */
function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
