import { sizeOf } from "./instructions.ts";
import type { Buffer, Item } from "./schedule.ts";

/**
 * Items of a phase, one after another, that may be run band by band: all of them for the upper rows of a picture, then all
 * of them for the next rows. What one writes is then still in the cache when the next one reads it, also where a whole
 * picture is larger than that.
 */
export interface Run {
  /** Positions of its items in the phase: from the first to the last. */
  readonly first: number;
  readonly last: number;
  /** Parts of equal size that all of its items can be cut into; 1 if it is a single item, or one that cannot be cut. */
  readonly parts: number;
  /** The most bands that leave products enough rows. */
  readonly mostBands: number;
  /** Bytes of a picture in the buffers that are cut. */
  readonly bytes: number;
}

/** How an item uses a buffer. */
interface Use {
  readonly buffer: Buffer;
  readonly writes: boolean;
  /** Whether a band of the item is the same band of the buffer: rows from a to b of n, in both. */
  readonly cut: boolean;
}

/** Elements of a matrix from which its layout matters, and rows from which it does not any more. */
const largeWeights = 16384;
const enoughRows = 384;

/**
 * Divides the items of a phase into runs, each as long as it can be.
 *
 * @param items What a thread does for each slice of the batch.
 * @returns The runs; every item is in one.
 */
export function findRuns(items: readonly Item[]): Run[] {
  const runs: Run[] = [];
  let first = 0;
  while (first < items.length) {
    let last = first, parts = partsOf(items[first]!);
    // `parts` of 0: any number.
    if (parts !== 1 && independent([items[first]!])) {
      while (last + 1 < items.length) {
        const together = commonDivisor(parts, partsOf(items[last + 1]!));
        if (together === 1 || !independent(items.slice(first, last + 2))) break;
        parts = together;
        last++;
      }
    } else parts = 1;
    const members = items.slice(first, last + 1);
    const cut = new Set(members.flatMap(usesOf).filter(({ cut }) => cut).map(({ buffer }) => buffer));
    runs.push({
      first,
      last,
      parts: last === first ? 1 : Math.max(parts, 1),
      mostBands: Math.min(...members.map(mostBandsOf)),
      bytes: [...cut].reduce((sum, { size, type }) => sum + size * sizeOf[type], 0),
    });
    first = last + 1;
  }
  return runs;
}

/**
 * How many images a slice needs so that large matrices are multiplied with enough rows: they are brought into another
 * layout for each product.
 *
 * @param items What is done for the slice.
 * @returns At least 1.
 */
export function imagesForProducts(items: readonly Item[]): number {
  return Math.max(
    1,
    ...items.map((item) => {
      const positions = positionsOfLargeProduct(item);
      return positions > 1 ? Math.ceil(enoughRows / positions) : 1;
    }),
  );
}

function mostBandsOf(item: Item): number {
  const positions = positionsOfLargeProduct(item);
  return positions === 0 ? Infinity : Math.max(1, Math.floor(positions / enoughRows));
}

/** Rows of an image in a product with a large matrix; 0 for everything else. */
function positionsOfLargeProduct(item: Item): number {
  if (item.kind !== "call" || item.call.routine.kind !== "matrix-product") return 0;
  const { rows, inner, columns, overBatch } = item.call.routine;
  const weights = overBatch ? rows * columns : inner * columns;
  return weights >= largeWeights ? overBatch ? inner : rows : 0;
}

/** Into how many equal parts an item can be cut along its rows: 1 if it cannot, 0 if it does not matter. */
function partsOf(item: Item): number {
  switch (item.kind) {
    case "fill":
      return 0;
    case "kernel":
      return item.shape[1] ?? 1;
    case "call": {
      const { routine } = item.call;
      const [left, right] = item.inputs;
      switch (routine.kind) {
        case "sigmoid":
          return routine.size;
        case "moments":
          return left!.size / routine.channels;
        case "matrix-product": {
          const { rows, inner, overBatch, transposeLeft, transposeRight } = routine;
          if (overBatch) return transposeLeft && !transposeRight ? inner : 1;
          return !transposeLeft && hasImages(left!) && !hasImages(right!) && hasImages(item.output)
            ? rows
            : 1;
        }
        case "convolution":
          return 1;
      }
    }
  }
}

function usesOf(item: Item): Use[] {
  switch (item.kind) {
    case "fill":
      return [{ buffer: item.buffer, writes: true, cut: false }];
    case "kernel": {
      const { shape } = item;
      const use = (writes: boolean) => ({ buffer, strides, offset }: typeof item.operands[number]): Use => ({
        buffer,
        writes,
        cut: hasImages(buffer) && offset === 0 && strides[0] === buffer.size &&
          strides[1]! * shape[1]! === buffer.size,
      });
      return [...item.operands.map(use(false)), ...item.outputs.map(use(true))];
    }
    case "call": {
      const { routine } = item.call;
      const { inputs, output } = item;
      const overBatch = routine.kind === "moments" || routine.kind === "matrix-product" && routine.overBatch;
      return [
        ...inputs.map((buffer) => ({ buffer, writes: false, cut: hasImages(buffer) })),
        { buffer: output, writes: true, cut: !overBatch },
      ];
    }
  }
}

/**
 * Whether the items give the same if all of them are done for one band before the next: a buffer that one of them writes
 * is cut alike by all, or only filled and added to by one of them, and read by none.
 */
function independent(items: readonly Item[]): boolean {
  const uses = items.flatMap((item, index) => usesOf(item).map((use) => ({ ...use, item, index })));
  return [...Map.groupBy(uses, ({ buffer }) => buffer).values()].every((users) =>
    users.every(({ writes }) => !writes) || users.every(({ cut }) => cut) ||
    users.every(({ writes }) => writes) &&
      new Set(users.filter(({ item }) => item.kind !== "fill").map(({ index }) => index)).size <= 1
  );
}

function hasImages({ kind }: Buffer): boolean {
  return kind === "batch" || kind === "slice";
}

function commonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
