import type { GraphNode, GraphValue, TensorSpec } from "../graph/graph.ts";
import { printSpec } from "../graph/print_graph.ts";
import { signatureOf } from "../graph/shape_rules/signatures.ts";
import { setAttributes } from "./attributes.ts";
import { cString, type Engine, throwOnError } from "./engine.ts";
import { dtypeName } from "./dtypes.ts";

/** A `TF_Output`: an operation and the index of one of its outputs, 16 bytes as the C struct. */
type NativeOutput = Uint8Array<ArrayBuffer>;

/**
 * A `TF_Graph` that grows node by node. When compiling it becomes a function; while recording it infers the shapes that
 * our own rules do not know.
 * Values are known by the numbers of the {@linkcode Graph} it mirrors.
 */
export class NativeGraph {
  readonly #engine: Engine;
  readonly #graph: Deno.PointerValue;
  readonly #values = new Map<number, NativeOutput>();
  #operations = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#graph = engine.native.TF_NewGraph();
  }

  /** Adds an input of known dtype and shape. */
  addInput(value: GraphValue): void {
    this.addNode({
      op: "Placeholder",
      inputs: [],
      attributes: {
        dtype: { kind: "dtype", value: value.dtype },
        shape: { kind: "shape", value: value.shape },
      },
    }, [value.id]);
  }

  /**
   * Adds an operation and infers the dtype and shape of its outputs.
   *
   * @param node The operation; its inputs are values added before.
   * @param ids Numbers for its outputs.
   * @param describe Names the inputs in an error.
   * @throws {Error} If TensorFlow refuses the operation, or a shape depends on values.
   */
  addNode(
    node: Pick<GraphNode, "op" | "inputs" | "attributes">,
    ids: readonly number[],
    describe: () => string = () => "",
  ): TensorSpec[] {
    const { native, status } = this.#engine;
    const inputs = node.inputs.map((id) => this.#value(id, node.op));
    const wanted = signatureOf(node.op)?.inputs ?? [];
    const list = wanted.findIndex(({ count, mixed }) => count !== undefined || mixed);
    const before = list < 0 ? inputs.length : list;
    const end = list < 0 ? inputs.length : inputs.length - (wanted.length - list - 1);
    const description = native.TF_NewOperation(
      this.#graph,
      cString(node.op),
      cString(`n${this.#operations++}`),
    );
    for (const input of inputs.slice(0, before)) native.TF_AddInput(description, input);
    if (list >= 0) native.TF_AddInputList(description, concatenate(inputs.slice(before, end)), end - before);
    for (const input of inputs.slice(end)) native.TF_AddInput(description, input);
    setAttributes(this.#engine, "graph", description, node.attributes);
    const operation = native.TF_FinishOperation(description, status);
    throwOnError(native, status, () => `Cannot record ${node.op}(${describe()})`);
    const outputCount = native.TF_OperationNumOutputs(operation);
    if (ids.length > outputCount) {
      throw new RangeError(`Cannot record ${node.op}: it has ${outputCount} outputs, wanted ${ids.length}`);
    }
    return ids.map((id, index) => {
      const value = toOutput(operation, index);
      this.#values.set(id, value);
      return isWorkspace(node.op, index)
        ? { dtype: "float32", shape: [0] }
        : this.#spec(node.op, value, describe);
    });
  }

  #value(id: number, reader: string): NativeOutput {
    const value = this.#values.get(id);
    if (value === undefined) {
      throw new RangeError(`Cannot build a graph: ${reader} reads %${id}, which nothing before it defines`);
    }
    return value;
  }

  #spec(op: string, value: NativeOutput, describe: () => string): TensorSpec {
    const { native, status } = this.#engine;
    const rank = native.TF_GraphGetTensorNumDims(this.#graph, value, status);
    throwOnError(native, status, `Cannot infer the shape of ${op}`);
    const lengths = new BigInt64Array(Math.max(rank, 1));
    if (rank > 0) {
      native.TF_GraphGetTensorShape(this.#graph, value, lengths, rank, status);
      throwOnError(native, status, `Cannot infer the shape of ${op}`);
    }
    const spec = {
      dtype: dtypeName(native.TF_OperationOutputType(value)),
      shape: Array.from(lengths.subarray(0, Math.max(rank, 0)), Number),
    };
    if (rank < 0 || spec.shape.some((length) => length < 0)) {
      throw new TypeError(
        `Cannot record ${op}(${describe()}): the shape of its output depends on values, ` +
          `found ${
            rank < 0 ? `${spec.dtype} of unknown rank` : printSpec(spec)
          }, and every length must be known\n` +
          `  help: use an operator with a fixed output shape, or run it outside the recording`,
      );
    }
    return spec;
  }

  /**
   * Registers the graph as a function of the engine's context, which then has it by `name` like an operator.
   *
   * @param inputs Numbers of the values that are its parameters.
   * @param outputs Numbers of the values it returns.
   */
  toFunction(name: string, inputs: readonly number[], outputs: readonly number[]): void {
    const { native, status, context } = this.#engine;
    const nativeName = cString(name);
    const definition = native.TF_GraphToFunction(
      this.#graph,
      nativeName,
      0,
      -1,
      null,
      inputs.length,
      concatenate(inputs.map((id) => this.#value(id, name))),
      outputs.length,
      concatenate(outputs.map((id) => this.#value(id, name))),
      null,
      null,
      null,
      status,
    );
    throwOnError(native, status, `Cannot compile ${name}`);
    native.TFE_ContextAddFunction(context, definition, status);
    native.TF_DeleteFunction(definition);
    throwOnError(native, status, `Cannot register ${name}`);
  }

  dispose(): void {
    this.#engine.native.TF_DeleteGraph(this.#graph);
  }
}

/**
 * Outputs that only carry a kernel's workspace to its gradient: their length is the kernel's own affair (0 on CPUs), and
 * nothing may compute with them.
 */
function isWorkspace(op: string, output: number): boolean {
  return op === "FusedBatchNormV3" && output === 5;
}

function toOutput(operation: Deno.PointerValue, index: number): NativeOutput {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(Deno.UnsafePointer.value(operation)), true);
  view.setInt32(8, index, true);
  return bytes;
}

function concatenate(outputs: readonly NativeOutput[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16 * outputs.length);
  outputs.forEach((output, index) => bytes.set(output, 16 * index));
  return bytes;
}
