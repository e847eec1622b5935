import type { TensorSpec } from "../graph/graph.ts";
import type { HostData } from "../graph/host_tensor.ts";
import { printSpec } from "../graph/print_graph.ts";
import { setAttributes, type TfjsAttribute, toAttributes } from "./attributes.ts";
import { attributeTypes } from "./attributes.ts";
import { cString, currentEngine, openedEngine, throwOnError } from "./engine.ts";
import { dataTypes, dtypeName, toTypedArray } from "./dtypes.ts";
import { createHandle, handleShape, readHandle, releaseHandle, takeHandle } from "./native_tensor.ts";
import type { Recording } from "./recording.ts";

/** What the binding tells tfjs about a tensor it made. */
export interface TensorMetadata {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/**
 * tfjs-node's `TFJSBinding`, the interface between tfjs's kernels and TensorFlow (`tfjs_binding.ts` there; a C++ addon
 * in tfjs-node, the C API by FFI here). Outside a recording an operation runs at once, for which the engine must be
 * open; inside one it is written down, with or without an engine.
 *
 * Tensor ids are positive for native tensors and negative for values of a recording.
 */
export class Binding {
  readonly TF_FLOAT = dataTypes.float32;
  readonly TF_INT32 = dataTypes.int32;
  readonly TF_INT64 = dataTypes.int64;
  readonly TF_BOOL = dataTypes.bool;
  readonly TF_COMPLEX64 = dataTypes.complex64;
  readonly TF_STRING = dataTypes.string;
  readonly TF_RESOURCE = dataTypes.resource;
  readonly TF_UINT8 = dataTypes.uint8;
  readonly TF_ATTR_STRING = attributeTypes.string;
  readonly TF_ATTR_INT = attributeTypes.int;
  readonly TF_ATTR_FLOAT = attributeTypes.float;
  readonly TF_ATTR_BOOL = attributeTypes.bool;
  readonly TF_ATTR_TYPE = attributeTypes.type;
  readonly TF_ATTR_SHAPE = attributeTypes.shape;
  readonly TF_ATTR_RESOURCE = attributeTypes.resource;
  /** The recording in progress, if any. Set by `record` only. */
  recording: Recording | undefined;

  readonly #handles = new Map<number, Deno.PointerObject>();
  #nextId = 1;

  get TF_Version(): string {
    return currentEngine().version;
  }

  isUsingGpuDevice(): boolean {
    return openedEngine()?.device === "gpu";
  }

  /** Number of tensors alive on the native side. */
  getNumOfTensors(): number {
    return this.#handles.size;
  }

  getNumOfSavedModels(): number {
    return 0;
  }

  createTensor(shape: number[], dtype: number, values: ArrayLike<number>): number {
    if (this.recording !== undefined) {
      // A copy: tfjs may hand over the caller's array, and a graph is immutable.
      const data = toTypedArray(dtype, values).slice() as HostData;
      return toTensorId(this.recording.addConstant({ dtype: dtypeName(dtype), shape: [...shape], data }).id);
    }
    return this.adopt(createHandle(currentEngine(), shape, dtype, values));
  }

  deleteTensor(id: number): void {
    const handle = this.#handles.get(id);
    if (handle === undefined) return; // values of a recording live as long as the recording
    releaseHandle(currentEngine(), handle);
    this.#handles.delete(id);
  }

  tensorDataSync(id: number): HostData {
    if (id < 0 && this.recording !== undefined) {
      throw new TypeError(
        "Cannot read the values of a tensor while recording: they are not computed yet\n" +
          "  help: return the tensor from the recorded function and read it from what the compiled function returns",
      );
    }
    return readHandle(currentEngine(), this.handle(id));
  }

  executeOp(
    op: string,
    given: readonly TfjsAttribute[],
    inputIds: readonly number[],
    outputCount: number,
  ): TensorMetadata[] {
    const attributes = toAttributes(given);
    // tfjs takes uint8 and int64 tensors for int32, so it names the wrong type here.
    if (op === "Cast") attributes.SrcT = { kind: "dtype", value: this.#spec(inputIds[0]!).dtype };
    if (this.recording !== undefined) {
      return this.recording.addNode(op, inputIds.map(toValueId), attributes, outputCount)
        .map((value) => ({
          id: toTensorId(value.id),
          shape: [...value.shape],
          dtype: dataTypes[value.dtype],
        }));
    }
    const engine = currentEngine();
    const { native, context, status } = engine;
    const handles = inputIds.map((id) => this.handle(id));
    const describe = () => `Cannot run ${op}(${inputIds.map((id) => printSpec(this.#spec(id))).join(", ")})`;
    const operation = native.TFE_NewOp(context, cString(op), status);
    throwOnError(native, status, describe);
    const outputs = new BigUint64Array(Math.max(outputCount, 1));
    // TensorFlow reads the size of the buffer here and writes the number of outputs.
    const counts = new Int32Array([outputs.length]);
    try {
      setAttributes(engine, "eager", operation, attributes);
      for (const handle of handles) {
        native.TFE_OpAddInput(operation, handle, status);
        throwOnError(native, status, describe);
      }
      native.TFE_Execute(operation, outputs, counts, status);
      throwOnError(native, status, describe);
    } finally {
      native.TFE_DeleteOp(operation);
    }
    const results = Array.from(outputs.subarray(0, counts[0]), takeHandle);
    if (results.length < outputCount) {
      for (const handle of results) releaseHandle(engine, handle);
      throw new RangeError(`Cannot run ${op}: it has ${results.length} outputs, wanted ${outputCount}`);
    }
    return results.map((handle) => ({
      id: this.adopt(handle),
      shape: handleShape(engine, handle),
      dtype: native.TFE_TensorHandleDataType(handle),
    }));
  }

  loadSavedModel(): number {
    throw new TypeError("Cannot load a SavedModel: Whittle's binding does not implement it");
  }

  /** The native handle behind a tensor id. */
  handle(id: number): Deno.PointerObject {
    const handle = this.#handles.get(id);
    if (handle === undefined) {
      throw new TypeError(
        id < 0
          ? "Cannot use a tensor of a finished recording: it never had a value\n" +
            "  help: return it from the recorded function instead of keeping it in a variable"
          : `Cannot use native tensor ${id}: it was disposed`,
      );
    }
    return handle;
  }

  /** Gives a native handle an id; from then on the binding releases it. */
  adopt(handle: Deno.PointerObject): number {
    const id = this.#nextId++;
    this.#handles.set(id, handle);
    return id;
  }

  #spec(id: number): TensorSpec {
    if (this.recording !== undefined) return this.recording.spec(toValueId(id));
    const handle = this.handle(id);
    const engine = currentEngine();
    return {
      dtype: dtypeName(engine.native.TFE_TensorHandleDataType(handle)),
      shape: handleShape(engine, handle),
    };
  }
}

/** tfjs marks a tensor that is not written yet by the id -1, so values start at -2. */
export function toTensorId(valueId: number): number {
  return -2 - valueId;
}

/** The recorded value behind a (negative) tensor id. */
export function toValueId(tensorId: number): number {
  return -2 - tensorId;
}
