import type { Graph } from "../graph/graph.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { printSpec } from "../graph/print_graph.ts";
import { valueSpecs } from "../graph/value_specs.ts";
import { checkInputs, checkNextValues, checkVariables } from "../graph/check_tensors.ts";
import type { CompiledFunction, Executor } from "../graph/compiled_function.ts";
import { cString, currentEngine, type Engine, throwOnError } from "./engine.ts";
import { dataTypes, dtypeName } from "./dtypes.ts";
import { NativeGraph } from "./native_graph.ts";
import { createHandle, handleShape, readHandle, releaseHandle, takeHandle } from "./native_tensor.ts";

/**
 * A `ConfigProto` (tensorflow/core/protobuf/config.proto) in protobuf's wire format:
 * `graph_options { rewrite_options { meta_optimizer_iterations: ONE, optimizers: "remap" } }`. Of TensorFlow's graph
 * optimisers only the one that fuses operators: the others gain nothing here, and cost a second at the first call.
 * TensorFlow reads it only where `executor_type` is given too, if only as "", the default one.
 */
const fuseOnly = Uint8Array.of(82, 12, 82, 10, 96, 1, 162, 6, 5, ...new TextEncoder().encode("remap"));

let compiled = 0;

/** A graph as a function of the engine's context. */
export class TensorFlowFunction implements CompiledFunction {
  readonly graph: Graph;
  readonly executor: Executor;
  readonly #engine: Engine;
  readonly #name: string;
  /** The handle of each variable, by name; replaced after each call. */
  readonly #variables: Map<string, Deno.PointerObject>;
  /** Resolves when the call before is done: calls with state must not overlap. */
  #turn: Promise<unknown> = Promise.resolve();
  #disposal: Promise<void> | undefined;

  /**
   * @param graph What to run.
   * @param variables State that stays with the executor.
   * @param reason Why TensorFlow runs it.
   */
  constructor(graph: Graph, variables: Readonly<Record<string, HostTensor>>, reason: string) {
    this.graph = graph;
    this.executor = { name: "tensorflow", reason };
    this.#engine = currentEngine();
    this.#name = `${graph.name.replaceAll(/\W/g, "_")}_${++compiled}`;
    checkVariables(`Cannot compile ${graph.name}`, graph, variables);
    checkNextValues(graph, variables);
    this.#variables = this.#toHandles(variables);
    try {
      registerFunction(this.#engine, this.#name, graph);
    } catch (error) {
      this.#releaseVariables();
      throw error;
    }
  }

  async run(inputs: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>> {
    this.#refuseIfDisposed();
    checkInputs(this.graph, inputs, this.#variables);
    const handles = this.#toHandles(inputs);
    return await this.#inTurn(() => this.#execute(handles));
  }

  read(prefix = ""): Promise<Record<string, HostTensor>> {
    if (this.#disposal !== undefined) return Promise.reject(this.#disposedError());
    return this.#inTurn(() =>
      Object.fromEntries(
        [...this.#variables].filter(([name]) => name.startsWith(prefix))
          .map(([name, handle]) => [name.slice(prefix.length), this.#toHost(handle)]),
      )
    );
  }

  async write(values: Readonly<Record<string, HostTensor>>): Promise<void> {
    this.#refuseIfDisposed();
    checkVariables(`Cannot write variables of ${this.graph.name}`, this.graph, values, this.#variables);
    const handles = this.#toHandles(values);
    await this.#inTurn(() => {
      for (const [name, handle] of handles) {
        releaseHandle(this.#engine, this.#variables.get(name)!);
        this.#variables.set(name, handle);
      }
    });
  }

  dispose(): Promise<void> {
    return this.#disposal ??= this.#inTurn(() => {
      const { native, context, status } = this.#engine;
      this.#releaseVariables();
      native.TFE_ContextRemoveFunction(context, cString(this.#name), status);
      throwOnError(native, status, `Cannot dispose of ${this.graph.name}`);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #releaseVariables(): void {
    for (const handle of this.#variables.values()) releaseHandle(this.#engine, handle);
    this.#variables.clear();
  }

  #inTurn<T>(action: () => T | Promise<T>): Promise<T> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => {});
    return result;
  }

  #disposedError(): TypeError {
    return new TypeError(
      `Cannot use ${this.graph.name}: it was disposed\n  help: compile the graph again, or dispose of it later`,
    );
  }

  #refuseIfDisposed(): void {
    if (this.#disposal !== undefined) throw this.#disposedError();
  }

  async #execute(inputs: ReadonlyMap<string, Deno.PointerObject>): Promise<Record<string, HostTensor>> {
    const { native, context } = this.#engine;
    // A nonblocking call runs on another thread: its status and buffers are its own and live until it settles.
    const status = native.TF_NewStatus()!;
    const outputs = new BigUint64Array(Math.max(this.graph.outputs.length, 1));
    const outputCount = new Int32Array([outputs.length]);
    const operation = native.TFE_NewOp(context, cString(this.#name), status);
    const describe = (message: string) => `Cannot run ${this.graph.name}${this.#failedNode(message)}`;
    try {
      throwOnError(native, status, describe);
      native.TFE_OpSetAttrString(operation, cString("executor_type"), new Uint8Array(0), 0n);
      native.TFE_OpSetAttrString(operation, cString("config_proto"), fuseOnly, BigInt(fuseOnly.length));
      for (const input of this.graph.inputs) {
        const handle = this.#variables.get(input.name) ?? inputs.get(input.name)!;
        native.TFE_OpAddInput(operation, handle, status);
        throwOnError(native, status, describe);
      }
      await native.TFE_ExecuteAsync(operation, outputs, outputCount, status);
      throwOnError(native, status, describe);
      return this.#collect(outputs.subarray(0, outputCount[0]));
    } finally {
      native.TFE_DeleteOp(operation);
      native.TF_DeleteStatus(status);
      for (const handle of inputs.values()) releaseHandle(this.#engine, handle);
    }
  }

  /** Puts new values of variables in place and copies the other outputs to JavaScript. */
  #collect(outputs: BigUint64Array): Record<string, HostTensor> {
    const handles = Array.from(outputs, takeHandle);
    const results: Record<string, HostTensor> = {};
    this.graph.outputs.forEach(({ name }, index) => {
      const handle = handles[index]!;
      const old = this.#variables.get(name);
      if (old === undefined) results[name] = this.#toHost(handle);
      else this.#variables.set(name, handle);
      releaseHandle(this.#engine, old ?? handle);
    });
    return results;
  }

  /** Which operation a message of TensorFlow is about; it calls them by the names `NativeGraph` gave them. */
  #failedNode(message: string): string {
    const number = /\{\{node (?:[^}]*\/)?n(\d+)(?:_\d+)?\}\}/.exec(message)?.[1];
    const node = number === undefined
      ? undefined
      : this.graph.nodes[Number(number) - this.graph.inputs.length];
    if (node === undefined) return "";
    const specs = valueSpecs(this.graph);
    return ` at ${node.op}(${node.inputs.map((id) => printSpec(specs.get(id)!)).join(", ")})`;
  }

  #toHandles(values: Readonly<Record<string, HostTensor>>): Map<string, Deno.PointerObject> {
    const handles = new Map<string, Deno.PointerObject>();
    try {
      for (const [name, value] of Object.entries(values)) handles.set(name, this.#toHandle(value));
    } catch (error) {
      for (const handle of handles.values()) releaseHandle(this.#engine, handle);
      throw error;
    }
    return handles;
  }

  #toHandle({ shape, dtype, data }: HostTensor): Deno.PointerObject {
    return createHandle(this.#engine, shape, dataTypes[dtype], data);
  }

  #toHost(handle: Deno.PointerObject): HostTensor {
    return {
      dtype: dtypeName(this.#engine.native.TFE_TensorHandleDataType(handle)),
      shape: handleShape(this.#engine, handle),
      data: readHandle(this.#engine, handle),
    };
  }
}

/** Makes a graph a function of the engine's context, which then has it by `name` like an operator. */
function registerFunction(engine: Engine, name: string, graph: Graph): void {
  const native = new NativeGraph(engine);
  try {
    for (const input of graph.inputs) native.addInput(input);
    for (const node of graph.nodes) native.addNode(node, node.outputs.map((output) => output.id));
    const parameters = new Map(graph.inputs.map((input) => [input.id, input]));
    let next = [...valueSpecs(graph).keys()].reduce((largest, id) => Math.max(largest, id), -1) + 1;
    const outputs = graph.outputs.map(({ value }) => {
      const parameter = parameters.get(value);
      if (parameter === undefined) return value;
      // A function may not return its own parameter.
      const attributes = { T: { kind: "dtype", value: parameter.dtype } } as const;
      native.addNode({ op: "Identity", inputs: [value], attributes }, [next]);
      return next++;
    });
    native.toFunction(name, graph.inputs.map((input) => input.id), outputs);
  } finally {
    native.dispose();
  }
}
