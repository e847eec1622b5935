/** Element types a graph can hold. */
export type DType = "float32" | "int32" | "int64" | "uint8" | "bool" | "string" | "resource";

/** Elements of a {@linkcode HostTensor}: the typed array that belongs to each dtype. */
export type HostData = Float32Array | Int32Array | BigInt64Array | Uint8Array;

/** A tensor as plain data on the JavaScript side: no native handle, serialisable. */
export interface HostTensor {
  /** Type of the elements. */
  readonly dtype: DType;
  /** Lengths of the axes; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** `product(shape)` elements in row-major order. */
  readonly data: HostData;
}

/** Number of elements of a shape: the product of its axes, 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
