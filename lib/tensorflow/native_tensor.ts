import { type HostData, sizeOf } from "../graph/host_tensor.ts";
import { type Engine, throwOnError } from "./engine.ts";
import { elementBytes, toTypedArray, viewBytes } from "./dtypes.ts";

/**
 * Copies values into a new `TF_Tensor`. The caller deletes it.
 *
 * @param dataType Number of TensorFlow's `DataType`.
 * @throws {RangeError} If the number of values does not fit the shape.
 */
export function createNativeTensor(
  { native }: Engine,
  shape: readonly number[],
  dataType: number,
  values: ArrayLike<number | bigint | boolean>,
): Deno.PointerValue {
  const data = toTypedArray(dataType, values);
  const bytes = sizeOf(shape) * elementBytes[dataType]!;
  if (data.byteLength !== bytes) {
    throw new RangeError(
      `Cannot make a tensor of shape [${shape.join(",")}]: it needs ${
        sizeOf(shape)
      } values, and ${values.length} were given`,
    );
  }
  const tensor = native.TF_AllocateTensor(dataType, toInt64(shape), shape.length, BigInt(bytes));
  if (tensor === null) throw new RangeError(`Cannot allocate a tensor of ${bytes} bytes: out of memory`);
  if (bytes > 0) {
    const target = new Uint8Array(
      Deno.UnsafePointerView.getArrayBuffer(native.TF_TensorData(tensor)!, bytes),
    );
    target.set(new Uint8Array(data.buffer, data.byteOffset, bytes));
  }
  return tensor;
}

/** Copies the values behind a tensor handle to JavaScript. */
export function readHandle({ native, status }: Engine, handle: Deno.PointerValue): HostData {
  const tensor = native.TFE_TensorHandleResolve(handle, status);
  throwOnError(native, status, "Cannot read a tensor");
  const bytes = Number(native.TF_TensorByteSize(tensor));
  const dataType = native.TFE_TensorHandleDataType(handle);
  const buffer = bytes === 0
    ? new ArrayBuffer(0)
    : Deno.UnsafePointerView.getArrayBuffer(native.TF_TensorData(tensor)!, bytes).slice(0);
  native.TF_DeleteTensor(tensor);
  return viewBytes(dataType, buffer);
}

let handles = 0;

/** Number of tensor handles alive: of eager tensors, and of variables and outputs of compiled functions. */
export function handleCount(): number {
  return handles;
}

/** Counts a handle that a native call returned. Whoever has it releases it. */
export function takeHandle(address: bigint): Deno.PointerObject {
  handles++;
  return Deno.UnsafePointer.create(address)!;
}

/** Deletes a tensor handle. */
export function releaseHandle({ native }: Engine, handle: Deno.PointerObject): void {
  handles--;
  native.TFE_DeleteTensorHandle(handle);
}

/** Moves values to a new tensor handle. The caller releases it. */
export function createHandle(
  engine: Engine,
  shape: readonly number[],
  dataType: number,
  values: ArrayLike<number | bigint | boolean>,
): Deno.PointerObject {
  const { native, status } = engine;
  const tensor = createNativeTensor(engine, shape, dataType, values);
  const handle = native.TFE_NewTensorHandle(tensor, status);
  native.TF_DeleteTensor(tensor);
  throwOnError(native, status, "Cannot make a tensor");
  handles++;
  return handle!;
}

/** Shape of the tensor behind a handle. */
export function handleShape({ native, status }: Engine, handle: Deno.PointerValue): number[] {
  const rank = native.TFE_TensorHandleNumDims(handle, status);
  return Array.from({ length: rank }, (_, axis) => Number(native.TFE_TensorHandleDim(handle, axis, status)));
}

/** Lengths of axes as C's `int64_t`. */
export function toInt64(values: readonly number[]): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.from(values, BigInt) as BigInt64Array<ArrayBuffer>;
}
