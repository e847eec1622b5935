import type { DType, HostData, HostTensor } from "../graph/host_tensor.ts";
import type { ExportedPort } from "./exported_model.ts";
import type { NativeOpenVINO } from "./openvino_library.ts";

/** `ov_element_type_e` of the dtypes a `HostTensor` has. */
const ELEMENT_TYPES: Partial<Record<DType, number>> = { bool: 1, float32: 4, int32: 9, int64: 10, uint8: 16 };

/** `ov_element_type_e` of others, for messages. */
const OTHER_TYPES: Record<number, string> = {
  0: "dynamic",
  2: "bf16",
  3: "f16",
  5: "f64",
  7: "i8",
  8: "i16",
};

const ARRAYS: Partial<Record<DType, new (buffer: ArrayBuffer) => HostData>> = {
  bool: Uint8Array,
  float32: Float32Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
};

/** A place for a handle, a string or a size that a function writes. */
export function out(words = 1): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array(words);
}

/** Where an array is in memory. */
export function addressOf(array: ArrayBufferView<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(array)));
}

/** What native code reads, so that it is not collected meanwhile. */
const inUse = new Set<object>();

/** Keeps things from being collected until `release`. */
export function hold(...things: readonly object[]): { release(): void } {
  const held = { things };
  inUse.add(held);
  return { release: () => void inUse.delete(held) };
}

/** What a function wrote there. */
export function pointerAt(words: BigUint64Array, index = 0): Deno.PointerObject {
  const pointer = Deno.UnsafePointer.create(words[index]!);
  if (pointer === null) throw new Error("Cannot use OpenVINO: it returned no object");
  return pointer;
}

/** A text for a C function. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/** A text from a C function, which is freed. */
export function takeString(native: NativeOpenVINO, words: BigUint64Array): string {
  const pointer = pointerAt(words);
  const text = Deno.UnsafePointerView.getCString(pointer);
  native.ov_free(pointer);
  return text;
}

/**
 * What OpenVINO says of a call that failed.
 *
 * @returns Its own words without the places in its source code, or the name of the status.
 */
export function reasonOfStatus(native: NativeOpenVINO, status: number): string {
  const text = (pointer: Deno.PointerValue) =>
    pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
  const pointer = native.ov_get_last_err_msg();
  const lines = text(pointer).split("\n").map((line) =>
    line.trim().replace(/ (failed )?at src\/\S+:\d+:?$/, (_, failed) => failed ? " failed" : "")
  ).filter((line) => line !== "" && !/^(Exception from src\/|FrontEnd API failed)/.test(line));
  native.ov_free(pointer);
  return lines.length > 0 ? lines.slice(0, 4).join("; ") : text(native.ov_get_error_info(status));
}

/** Throws where a call failed that fails only if OpenVINO is out of order. */
export function check(native: NativeOpenVINO, status: number): void {
  if (status !== 0) throw new Error(`Cannot use OpenVINO: ${reasonOfStatus(native, status)}`);
}

/** Name, dtype and shape of a port, which is freed. */
export function takePort(native: NativeOpenVINO, port: Deno.PointerObject, otherName: string): ExportedPort {
  const name = out(), type = new Uint32Array(1), partial = out(3);
  // A result without a name of its own is a tensor nobody else reads: that is no failure.
  const named = native.ov_port_get_any_name(port, name) === 0;
  check(native, native.ov_port_get_element_type(port, type));
  check(native, native.ov_port_get_partial_shape(port, partial));
  const rank = Number(BigInt.asIntN(64, partial[0]!)), highestRank = BigInt.asIntN(64, partial[1]!);
  const shape: number[] = [];
  if (BigInt(rank) === highestRank && rank > 0) {
    const view = new Deno.UnsafePointerView(pointerAt(partial, 2));
    for (let axis = 0; axis < rank; axis++) {
      const [from, to] = [view.getBigInt64(16 * axis), view.getBigInt64(16 * axis + 8)];
      shape.push(from === to ? Number(from) : -1);
    }
  }
  native.ov_partial_shape_free(partial);
  native.ov_output_const_port_free(port);
  return { name: named ? takeString(native, name) : otherName, dtype: nameOfType(type[0]!), shape };
}

/** A tensor over the memory of a typed array, which must live as long. */
export function createTensor(native: NativeOpenVINO, { dtype, shape, data }: HostTensor): Deno.PointerObject {
  // `ov_shape_t` and the lengths it points to in one piece of memory, so that they live as long.
  const struct = out(2 + shape.length);
  struct.set([BigInt(shape.length), addressOf(struct) + 16n, ...shape.map(BigInt)]);
  const tensor = out();
  const bytes = data as HostData & ArrayBufferView<ArrayBuffer>;
  check(
    native,
    native.ov_tensor_create_from_host_ptr(
      ELEMENT_TYPES[dtype]!,
      new Uint8Array(struct.buffer),
      bytes,
      tensor,
    ),
  );
  return pointerAt(tensor);
}

/** A copy of a tensor, which is freed. */
export function takeTensor(native: NativeOpenVINO, tensor: Deno.PointerObject): HostTensor {
  try {
    const type = new Uint32Array(1), shape = out(2), bytes = out(), address = out();
    check(native, native.ov_tensor_get_element_type(tensor, type));
    const dtype = nameOfType(type[0]!) as DType;
    const ArrayOfType = ARRAYS[dtype];
    if (ArrayOfType === undefined) {
      throw new TypeError(
        `Cannot read an output: found ${dtype}, wanted one of ${Object.keys(ARRAYS).join(", ")}`,
      );
    }
    check(native, native.ov_tensor_get_shape(tensor, shape));
    const rank = Number(shape[0]);
    const view = rank === 0 ? undefined : new Deno.UnsafePointerView(pointerAt(shape, 1));
    const lengths = Array.from({ length: rank }, (_, axis) => Number(view!.getBigInt64(8 * axis)));
    native.ov_shape_free(shape);
    check(native, native.ov_tensor_get_byte_size(tensor, bytes));
    check(native, native.ov_tensor_data(tensor, address));
    const copy = new Uint8Array(Number(bytes[0]));
    if (copy.length > 0) new Deno.UnsafePointerView(pointerAt(address)).copyInto(copy);
    return { dtype, shape: lengths, data: new ArrayOfType(copy.buffer) };
  } finally {
    native.ov_tensor_free(tensor);
  }
}

function nameOfType(type: number): string {
  const known = Object.entries(ELEMENT_TYPES).find(([, code]) => code === type)?.[0];
  return known ?? OTHER_TYPES[type] ?? `element type ${type}`;
}
