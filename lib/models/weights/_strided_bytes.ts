import { sizeOf } from "../../graph/host_tensor.ts";

/** A tensor's place in a storage. Offset and strides count numbers, not bytes. */
export interface StridedView {
  /** Bytes of one number: 1, 2, 4 or 8. */
  readonly width: number;
  /** Where the first number lies. */
  readonly offset: number;
  /** Lengths of the axes. */
  readonly shape: readonly number[];
  /** Steps along the axes. */
  readonly strides: readonly number[];
}

/**
 * The bytes of a strided view in row-major order. Weights that came from TensorFlow are often stored transposed.
 *
 * @param bytes the whole storage; the view must lie inside
 * @param view the tensor's place in it
 * @returns the numbers in order: a part of `bytes` where they are in order already, else a copy
 */
export function stridedBytes(bytes: Uint8Array, view: StridedView): Uint8Array {
  const { width, offset, shape } = view;
  const size = sizeOf(shape);
  const axes = mergeAxes(view);
  const isContiguous = size === 0 || axes.length === 0 || (axes.length === 1 && axes[0].stride === 1);
  if (isContiguous) return bytes.subarray(offset * width, (offset + size) * width);
  return gather(wordsOf(bytes, width), offset, axes, size);
}

interface Axis {
  readonly length: number;
  readonly stride: number;
}

/** The fewest axes that visit a tensor's numbers in the same order: long ones make the loops fast. */
function mergeAxes({ shape, strides }: StridedView): Axis[] {
  const axes: Axis[] = [];
  for (let axis = 0; axis < shape.length; axis++) {
    const [length, stride] = [shape[axis], strides[axis]];
    const outer = axes.at(-1);
    if (length === 1) continue;
    if (outer?.stride === length * stride) axes[axes.length - 1] = { length: outer.length * length, stride };
    else axes.push({ length, stride });
  }
  return axes;
}

/** Numbers of any format as words of their width. */
type Words =
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>;

function wordsOf(bytes: Uint8Array, width: number): Words {
  const Type = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }[width]!;
  return new Type(new Uint8Array(bytes).buffer);
}

/** Bytes of a strided view, in row-major order; there is at least one axis. */
function gather(words: Words, offset: number, axes: readonly Axis[], size: number): Uint8Array {
  const gathered = new (words.constructor as new (length: number) => Words)(size);
  const outer = axes.slice(0, -1);
  const { length, stride } = axes[axes.length - 1];
  const index = outer.map(() => 0);
  for (let to = 0, row = offset; to < size;) {
    for (let i = 0, from = row; i < length; i++, from += stride) gathered[to++] = words[from];
    for (let axis = outer.length - 1; axis >= 0; axis--) { // count up, the last of the outer axes fastest
      row += outer[axis].stride;
      if (++index[axis] < outer[axis].length) break;
      row -= outer[axis].stride * outer[axis].length;
      index[axis] = 0;
    }
  }
  return new Uint8Array(gathered.buffer);
}
