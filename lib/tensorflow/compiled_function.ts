import type { Graph, GraphInput } from "../graph/graph.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { printSpec } from "../graph/print_graph.ts";
import { cString, currentEngine, type Engine, throwOnError } from "./engine.ts";
import { dataTypes, dtypeName } from "./dtypes.ts";
import { NativeGraph } from "./native_graph.ts";
import { createHandle, handleShape, readHandle } from "./native_tensor.ts";

/** A graph that runs as one native call. */
export interface CompiledFunction {
  readonly graph: Graph;
  /**
   * Runs it once; calls made while one is running wait for their turn. JavaScript goes on meanwhile.
   *
   * @param inputs A tensor for each input that is not a variable, under its name in the graph. They are copied.
   * @returns The outputs that are not variables, under their names in the graph.
   * @throws {TypeError} If an input is missing, unknown, or of another dtype or shape.
   */
  run(inputs: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>>;
  /**
   * Copies variables to JavaScript.
   *
   * @param prefix Names to read: those that begin with it; all if it is left out.
   * @returns The variables, with the prefix taken off their names.
   */
  read(prefix?: string): Promise<Record<string, HostTensor>>;
  /**
   * Overwrites variables.
   *
   * @param values New values under the variables' names.
   */
  write(values: Readonly<Record<string, HostTensor>>): Promise<void>;
  /** Frees the native function and its variables, after the call that is running. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of {@linkcode compile}. */
export interface CompileOptions {
  /**
   * State that stays with the executor between calls, with its first values. Each is an input of the graph; the
   * output of the same name, if there is one, is its next value.
   */
  variables?: Readonly<Record<string, HostTensor>>;
}

let compiled = 0;

/**
 * Makes a graph one native call.
 *
 * @param graph What to run.
 * @param options `variables`: state that stays with the executor between calls.
 * @returns The function. Dispose of it when it is not needed any more.
 * @throws {TypeError} If a variable is no input of the graph, or its dtype or shape differ.
 */
export function compile(graph: Graph, options: CompileOptions = {}): CompiledFunction {
  return new TensorFlowFunction(graph, options.variables ?? {});
}

class TensorFlowFunction implements CompiledFunction {
  readonly graph: Graph;
  readonly #engine: Engine;
  readonly #name: string;
  /** The handle of each variable, by name; replaced after each call. */
  readonly #variables = new Map<string, Deno.PointerObject>();
  /** Resolves when the call before is done: calls with state must not overlap. */
  #turn: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(graph: Graph, variables: Readonly<Record<string, HostTensor>>) {
    this.graph = graph;
    this.#engine = currentEngine();
    this.#name = `${graph.name.replaceAll(/\W/g, "_")}_${++compiled}`;
    checkVariables(graph, variables);
    const native = new NativeGraph(this.#engine);
    try {
      for (const input of graph.inputs) native.addInput(input);
      for (const node of graph.nodes) native.addNode(node, node.outputs.map((output) => output.id));
      // A function may not return its own parameter.
      const parameters = new Set(graph.inputs.map((input) => input.id));
      let next = Math.max(
        -1,
        ...parameters,
        ...graph.nodes.flatMap((node) => node.outputs.map((o) => o.id)),
      ) + 1;
      const outputs = graph.outputs.map(({ value }) => {
        if (!parameters.has(value)) return value;
        const dtype = graph.inputs.find((input) => input.id === value)!.dtype;
        native.addNode({
          op: "Identity",
          inputs: [value],
          attributes: { T: { kind: "dtype", value: dtype } },
        }, [
          next,
        ]);
        return next++;
      });
      native.toFunction(this.#name, graph.inputs.map((input) => input.id), outputs);
    } finally {
      native.dispose();
    }
    for (const [name, value] of Object.entries(variables)) this.#variables.set(name, this.#toHandle(value));
  }

  run(inputs: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>> {
    return this.#inTurn(() => this.#execute(inputs));
  }

  read(prefix = ""): Promise<Record<string, HostTensor>> {
    return this.#inTurn(() =>
      Object.fromEntries(
        [...this.#variables].filter(([name]) => name.startsWith(prefix))
          .map(([name, handle]) => [name.slice(prefix.length), this.#toHost(handle)]),
      )
    );
  }

  write(values: Readonly<Record<string, HostTensor>>): Promise<void> {
    return this.#inTurn(() => {
      checkVariables(this.graph, values);
      for (const [name, value] of Object.entries(values)) {
        const old = this.#variables.get(name);
        if (old === undefined) {
          throw new TypeError(`Cannot write ${name}: it is not a variable of ${this.graph.name}`);
        }
        this.#variables.set(name, this.#toHandle(value));
        this.#engine.native.TFE_DeleteTensorHandle(old);
      }
    });
  }

  dispose(): Promise<void> {
    if (this.#disposed) return Promise.resolve();
    return this.#inTurn(() => {
      this.#disposed = true;
      const { native, context, status } = this.#engine;
      for (const handle of this.#variables.values()) native.TFE_DeleteTensorHandle(handle);
      this.#variables.clear();
      native.TFE_ContextRemoveFunction(context, cString(this.#name), status);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #inTurn<T>(action: () => T | Promise<T>): Promise<T> {
    const result = this.#turn.then(() => {
      if (this.#disposed) throw new TypeError(`Cannot use ${this.graph.name}: it was disposed`);
      return action();
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  async #execute(inputs: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>> {
    checkInputs(this.graph, inputs, this.#variables);
    const { native, context } = this.#engine;
    // A nonblocking call runs on another thread: its status and buffers are its own and live until it settles.
    const status = native.TF_NewStatus()!;
    const outputs = new BigUint64Array(Math.max(this.graph.outputs.length, 1));
    const outputCount = new Int32Array([outputs.length]);
    const temporary: Deno.PointerObject[] = [];
    const operation = native.TFE_NewOp(context, cString(this.#name), status);
    const describe = () => `Cannot run ${this.graph.name}`;
    try {
      throwOnError(native, status, describe);
      for (const input of this.graph.inputs) {
        let handle = this.#variables.get(input.name);
        if (handle === undefined) {
          handle = this.#toHandle(inputs[input.name]!);
          temporary.push(handle);
        }
        native.TFE_OpAddInput(operation, handle, status);
        throwOnError(native, status, describe);
      }
      await native.TFE_ExecuteAsync(operation, outputs, outputCount, status);
      throwOnError(native, status, describe);
    } finally {
      native.TFE_DeleteOp(operation);
      native.TF_DeleteStatus(status);
      for (const handle of temporary) native.TFE_DeleteTensorHandle(handle);
    }
    return this.#collect(outputs);
  }

  /** Puts new values of variables in place and copies the other outputs to JavaScript. */
  #collect(outputs: BigUint64Array): Record<string, HostTensor> {
    const { native } = this.#engine;
    const results: Record<string, HostTensor> = {};
    this.graph.outputs.forEach(({ name }, index) => {
      const handle = Deno.UnsafePointer.create(outputs[index]!)!;
      const old = this.#variables.get(name);
      if (old === undefined) {
        results[name] = this.#toHost(handle);
        native.TFE_DeleteTensorHandle(handle);
      } else {
        this.#variables.set(name, handle);
        native.TFE_DeleteTensorHandle(old);
      }
    });
    return results;
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

function checkInputs(
  graph: Graph,
  given: Readonly<Record<string, HostTensor>>,
  variables: ReadonlyMap<string, unknown>,
): void {
  const expected = graph.inputs.filter((input) => !variables.has(input.name));
  const names = new Set(expected.map((input) => input.name));
  const problems = [
    ...expected.flatMap((input) => {
      const value = given[input.name];
      return value === undefined
        ? [`${input.name}: missing, wanted ${printSpec(input)}`]
        : mismatch(input, value);
    }),
    ...Object.keys(given).filter((name) => !names.has(name)).map((name) => `${name}: not an input`),
  ];
  if (problems.length > 0) {
    throw new TypeError(`Cannot run ${graph.name}: its inputs do not fit\n  ${problems.join("\n  ")}`);
  }
}

function checkVariables(graph: Graph, variables: Readonly<Record<string, HostTensor>>): void {
  const inputs = new Map(graph.inputs.map((input) => [input.name, input]));
  const problems = Object.entries(variables).flatMap(([name, value]) => {
    const input = inputs.get(name);
    return input === undefined ? [`${name}: not an input of the graph`] : mismatch(input, value);
  });
  if (problems.length > 0) {
    throw new TypeError(`Cannot keep the variables of ${graph.name}\n  ${problems.join("\n  ")}`);
  }
}

function mismatch(wanted: GraphInput, found: HostTensor): string[] {
  const same = wanted.dtype === found.dtype && wanted.shape.length === found.shape.length &&
    wanted.shape.every((length, axis) => length === found.shape[axis]);
  return same ? [] : [`${wanted.name}: found ${printSpec(found)}, wanted ${printSpec(wanted)}`];
}
