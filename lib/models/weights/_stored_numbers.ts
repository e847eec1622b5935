import type { DType, HostData } from "../../graph/host_tensor.ts";
import { bfloat16ToFloat32, float16ToFloat32 } from "./_half_floats.ts";

/** Number formats that weight files store, under safetensors' names. */
export type StoredFormat = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "I16" | "I8" | "U8" | "BOOL";

/** Bytes of one number of each stored format. */
export const storedBytes: Readonly<Record<StoredFormat, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/**
 * Converts little-endian numbers of a file to the typed array a host tensor holds.
 *
 * F64, F16 and BF16 become float32, I16 and I8 become int32; the rest stay what they are.
 *
 * @param format how `bytes` are stored
 * @param bytes whole numbers of that format; any alignment
 * @returns a new array (never a view of `bytes`) and its dtype
 */
export function fromStored(format: StoredFormat, bytes: Uint8Array): { dtype: DType; data: HostData } {
  const { buffer } = new Uint8Array(bytes); // copied: aligned, and the file's bytes can be freed
  switch (format) {
    case "F32":
      return { dtype: "float32", data: new Float32Array(buffer) };
    case "F64":
      return { dtype: "float32", data: Float32Array.from(new Float64Array(buffer)) };
    case "F16":
      return { dtype: "float32", data: float16ToFloat32(new Uint16Array(buffer)) };
    case "BF16":
      return { dtype: "float32", data: bfloat16ToFloat32(new Uint16Array(buffer)) };
    case "I64":
      return { dtype: "int64", data: new BigInt64Array(buffer) };
    case "I32":
      return { dtype: "int32", data: new Int32Array(buffer) };
    case "I16":
      return { dtype: "int32", data: Int32Array.from(new Int16Array(buffer)) };
    case "I8":
      return { dtype: "int32", data: Int32Array.from(new Int8Array(buffer)) };
    case "U8":
      return { dtype: "uint8", data: new Uint8Array(buffer) };
    case "BOOL":
      return { dtype: "bool", data: new Uint8Array(buffer) };
  }
}
