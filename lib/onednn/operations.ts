import type { Binary, ElementType, Unary } from "./wasm/loop_kernel.ts";

/**
 * What a graph becomes before it is scheduled: values, and four kinds of operations that make them. Every operator of
 * TensorFlow is reduced to these by its rule in `rules/`.
 */
export interface Value {
  readonly id: number;
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** Whether its first axis is the batch, and each row depends on the same row of the inputs only. */
  readonly batch: boolean;
  /** What it is made of. */
  readonly source: Source;
  /** The operator of the graph whose rule made it. */
  readonly origin: string;
}

/** Where a value comes from. */
export type Source =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "scalar"; readonly value: number }
  | { readonly kind: "array"; readonly data: Float32Array }
  | { readonly kind: "map"; readonly op: MapOperator; readonly inputs: readonly Value[] }
  | Reduction
  | {
    readonly kind: "view";
    readonly base: Value;
    readonly strides: readonly number[];
    readonly offset: number;
  }
  | { readonly kind: "call"; readonly call: Call; readonly output: number }
  | Assembly
  | Combination;

/** Element-wise operators: arithmetic with broadcasting, or a copy. */
export type MapOperator = Unary | Binary | "select" | "copy";

/** A sum (or greatest, or least) over some axes; they stay with length 1. */
export interface Reduction {
  readonly kind: "reduce";
  readonly how: "add" | "maximum" | "minimum";
  readonly input: Value;
  readonly axes: readonly number[];
}

/** Tensors copied into windows of a larger one; what none of them covers is `filling`. */
export interface Assembly {
  readonly kind: "assembly";
  /** Each part, and the indices of its first element. */
  readonly parts: readonly { readonly value: Value; readonly at: readonly number[] }[];
  /** Undefined if the parts cover everything. */
  readonly filling: Value | undefined;
}

/**
 * What was summed over the batch. Each thread has a partial result of the images it saw; all of them together are the
 * value.
 */
export interface Combination {
  readonly kind: "combination";
  readonly partial: Value;
  readonly how: "add" | "maximum" | "minimum" | "mean" | "variance";
}

/** A computation with a routine of its own. Its inputs lie in memory, rows one after another. */
export interface Call {
  readonly inputs: readonly Value[];
  readonly routine: Routine;
  readonly outputs: Value[];
}

/** The routines. Sizes are those of a whole batch; a slice of it does the same with fewer images. */
export type Routine =
  /** `output[m, n] = left[m, k] right[k, n]`, row-major; either side may be stored transposed. */
  | {
    readonly kind: "matrix-product";
    /** Rows of the result in one image (or in all, if no operand is a batch). */
    readonly rows: number;
    readonly inner: number;
    readonly columns: number;
    readonly transposeLeft: boolean;
    readonly transposeRight: boolean;
    /** Whether the batch is summed over: both operands are batches, and `inner` is the rows of one image. */
    readonly overBatch: boolean;
  }
  /** Of every element. oneDNN's is faster than a loop of ours; the size is that of one image. */
  | { readonly kind: "sigmoid"; readonly size: number }
  | { readonly kind: "convolution"; readonly pass: ConvolutionPass; readonly geometry: Geometry }
  /**
   * What mean and variance of each channel over all rows follow from, `[3, channels]`: a number near the mean, and the
   * sums of the differences from it and of their squares.
   */
  | { readonly kind: "moments"; readonly rows: number; readonly channels: number };

export type ConvolutionPass = "forward" | "input-gradient" | "filter-gradient";

/** Sizes of a convolution; heights and widths are of one image. */
export interface Geometry {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly outChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  /** Zeros around the picture: top, bottom, left, right. */
  readonly padding: readonly [number, number, number, number];
  readonly depthwise: boolean;
}

/** The values a value is computed from. */
export function sourcesOf({ source }: Value): readonly Value[] {
  switch (source.kind) {
    case "map":
      return source.inputs;
    case "reduce":
      return [source.input];
    case "view":
      return [source.base];
    case "call":
      return source.call.inputs;
    case "assembly":
      return [...source.parts.map(({ value }) => value), ...(source.filling ? [source.filling] : [])];
    case "combination":
      return [source.partial];
    default:
      return [];
  }
}

/**
 * Whether a value is summed over the batch as it is computed, so that each thread has a partial result of it.
 */
export function isPartial({ batch, source }: Value): boolean {
  if (batch) return false;
  if (source.kind === "reduce") return source.input.batch;
  return source.kind === "call" && source.call.inputs.some((input) => input.batch);
}

/** Number of elements. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Strides of a tensor whose rows lie one after another, in elements. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis]!;
  }
  return strides;
}

/** Whether two shapes are the same. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** The shape two shapes broadcast to. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[axis - rank + a.length] ?? 1, y = b[axis - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new RangeError(`shapes [${a}] and [${b}] do not broadcast`);
    return x === 1 ? y : x;
  });
}
