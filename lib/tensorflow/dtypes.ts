import type { DType, HostData } from "../graph/host_tensor.ts";

/** Numbers of TensorFlow's `DataType` enumeration (`tensorflow/core/framework/types.proto`). */
export const dataTypes: Record<DType | "complex64", number> = {
  float32: 1,
  int32: 3,
  uint8: 4,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  resource: 20,
};

const names = new Map(Object.entries(dataTypes).map(([name, number]) => [number, name as DType]));

/**
 * Name of a number of TensorFlow's `DataType` enumeration.
 *
 * @throws {TypeError} If the engine does not know the type.
 */
export function dtypeName(dataType: number): DType {
  const name = names.get(dataType);
  if (name === undefined) throw new TypeError(`Cannot use a tensor of TensorFlow's data type ${dataType}`);
  return name;
}

/** Bytes of one element. Strings and resources have no fixed size and cannot cross to JavaScript. */
export const elementBytes: Record<number, number> = { 1: 4, 3: 4, 4: 1, 8: 8, 9: 8, 10: 1 };

/** Copies values into the typed array that belongs to a `DataType`. */
export function toTypedArray(dataType: number, values: ArrayLike<number | bigint | boolean>): HostData {
  switch (dataType) {
    case 1:
    case 8:
      return values instanceof Float32Array ? values : Float32Array.from(values as ArrayLike<number>);
    case 3:
      return values instanceof Int32Array ? values : Int32Array.from(values as ArrayLike<number>);
    case 9:
      return values instanceof BigInt64Array
        ? values
        : BigInt64Array.from(Array.from(values as ArrayLike<number>, BigInt));
    case 4:
    case 10:
      return values instanceof Uint8Array ? values : Uint8Array.from(values as ArrayLike<number>);
    default:
      throw new TypeError(
        `Cannot compute with a ${
          dtypeName(dataType)
        } tensor: numbers and booleans only cross to TensorFlow\n` +
          `  help: keep strings in JavaScript, and compute with their indices`,
      );
  }
}

/** Views the bytes of a native tensor as the typed array of its `DataType`, without copying. */
export function viewBytes(dataType: number, bytes: ArrayBuffer): HostData {
  switch (dataType) {
    case 1:
    case 8:
      return new Float32Array(bytes);
    case 3:
      return new Int32Array(bytes);
    case 9:
      return new BigInt64Array(bytes);
    case 4:
    case 10:
      return new Uint8Array(bytes);
    default:
      throw new TypeError(
        `Cannot read a ${dtypeName(dataType)} tensor: numbers and booleans only cross from TensorFlow`,
      );
  }
}
