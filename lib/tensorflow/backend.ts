import { tf } from "./tf.ts";
import { NodeJSKernelBackend } from "npm:@tensorflow/tfjs-node-gpu@4.22.0/dist/nodejs_kernel_backend.js";
import type { ProvisionListener } from "../provision/events.ts";
import type { Attribute } from "../graph/graph.ts";
import { Binding, type TensorMetadata } from "./binding.ts";
import { attributeTypes, type TfjsAttribute } from "./attributes.ts";
import { dataTypes } from "./dtypes.ts";
import { type Device, type Engine, openEngine } from "./engine.ts";

/** The members of tfjs-node's backend used here; its own types call two of them private. */
interface KernelBackend extends tf.KernelBackend {
  getInputTensorIds(tensors: tf.TensorInfo[]): number[];
  createOutputTensor(metadata: TensorMetadata): tf.Tensor;
  executeMultipleOutputs(
    op: string,
    attributes: readonly TfjsAttribute[],
    inputs: readonly tf.Tensor[],
    outputCount: number,
  ): tf.Tensor[];
}
const KernelBackendClass = NodeJSKernelBackend as unknown as new (
  binding: Binding,
  packageName: string,
) => KernelBackend;

/**
 * tfjs-node's kernel backend, unmodified but for one check: a recorded function may use its inputs and what it makes
 * itself, and nothing else.
 */
export class Backend extends KernelBackendClass {
  /** Data made or given inside the current recording. */
  recordedData: WeakSet<object> | undefined;
  /** Tensors of the current recording, so that none outlives it. */
  recordedTensors: tf.Tensor[] = [];

  override getInputTensorIds(tensors: tf.TensorInfo[]): number[] {
    if (this.recordedData !== undefined) {
      for (const tensor of tensors) {
        if (tensor.dataId !== undefined && !this.recordedData.has(tensor.dataId)) {
          throw new TypeError(
            `Cannot record: a tensor of shape [${
              tensor.shape.join(",")
            }] was made outside the recorded function ` +
              `and is not one of its inputs\n` +
              `  help: pass it as an input, or make it inside the function if it is a constant`,
          );
        }
      }
    }
    return super.getInputTensorIds(tensors);
  }

  override createOutputTensor(metadata: TensorMetadata): tf.Tensor {
    // tfjs has no int64 and takes it for int32, with a warning on the console. Nothing reads the dtype given here again.
    const dtype = metadata.dtype === dataTypes.int64 ? dataTypes.int32 : metadata.dtype;
    const tensor = super.createOutputTensor({ ...metadata, dtype });
    if (this.recordedData !== undefined) {
      this.recordedData.add(tensor.dataId);
      this.recordedTensors.push(tensor);
    }
    return tensor;
  }

  override move(
    dataId: object,
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    refCount: number,
  ): void {
    super.move(dataId, values, shape, dtype, refCount);
    this.recordedData?.add(dataId);
  }

  /** The binding's id of a tensor; writes its values to the native side first if they were not yet. */
  tensorId(tensor: tf.Tensor): number {
    return this.getInputTensorIds([tensor])[0]!;
  }
}

const binding = new Binding();
// The second parameter names the package of the C++ addon, which does not exist here.
const backend = new Backend(binding, "whittle");
// From here on tfjs records; it computes once the engine is open.
tf.registerBackend("tensorflow", () => backend, 3);
await tf.setBackend("tensorflow");

/**
 * Opens the engine, on which tfjs's backend then computes. Recording needs no engine.
 *
 * @param options `device`: what to compute on; `onProgress`: told about the progress of a download.
 * @returns The open engine.
 * @throws {LibraryError} If no usable library can be had, or a GPU is asked for and there is none.
 */
export function startBackend(
  options: { device?: Device; onProgress?: ProvisionListener } = {},
): Promise<Engine> {
  return openEngine(options);
}

/** tfjs's backend and the binding behind it. */
export function currentBackend(): { backend: Backend; binding: Binding } {
  return { backend, binding };
}

/**
 * Runs (or, inside a recording, writes down) one TensorFlow operator by name. This is how the operators in
 * `lib/operators` reach what tfjs has no function for.
 *
 * @param op TensorFlow's name of the operator, e.g. `FusedBatchNormV3`.
 * @param inputs Its inputs.
 * @param attributes Its attributes; every one without a default must be given.
 * @param outputCount Number of its outputs.
 * @returns Its outputs.
 * @throws {Error} With operator and input shapes if TensorFlow (or, inside a recording, its shape rule) refuses it.
 * @throws {LibraryError} Outside a recording, if the engine is not open.
 */
export function rawOperator(
  op: string,
  inputs: readonly tf.Tensor[],
  attributes: Readonly<Record<string, Attribute>>,
  outputCount = 1,
): tf.Tensor[] {
  return backend.executeMultipleOutputs(
    op,
    Object.entries(attributes).map(([name, attribute]) => toTfjsAttribute(name, attribute)),
    inputs,
    outputCount,
  );
}

function toTfjsAttribute(name: string, attribute: Attribute): TfjsAttribute {
  switch (attribute.kind) {
    case "string":
      return { name, type: attributeTypes.string, value: attribute.value };
    case "int":
    case "ints":
      return { name, type: attributeTypes.int, value: attribute.value };
    case "float":
    case "floats":
      return { name, type: attributeTypes.float, value: attribute.value };
    case "bool":
    case "bools":
      return { name, type: attributeTypes.bool, value: attribute.value };
    case "dtype":
      return { name, type: attributeTypes.type, value: dataTypes[attribute.value] };
    case "dtypes":
      return { name, type: attributeTypes.type, value: attribute.value.map((dtype) => dataTypes[dtype]) };
    case "shape":
      return { name, type: attributeTypes.shape, value: attribute.value };
    case "tensor":
      throw new TypeError(`Cannot pass attribute ${name}: give tensors as inputs`);
  }
}
