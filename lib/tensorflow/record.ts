import { tf } from "./tf.ts";
import type { Graph, GraphOutput, TensorSpec } from "../graph/graph.ts";
import type { DType } from "../graph/host_tensor.ts";
import { prune } from "../graph/prune.ts";
import { currentBackend } from "./backend.ts";
import { toTensorId, toValueId } from "./binding.ts";
import { dataTypes } from "./dtypes.ts";
import { currentEngine } from "./engine.ts";
import { Recording } from "./recording.ts";

/** Names of inputs to their dtype and shape, grouped at will; a tensor or a host tensor serves as its own spec. */
export type SpecTree = { readonly [name: string]: { dtype: string; shape: readonly number[] } | SpecTree };

/** Named tensors, grouped at will. */
export type TensorTree = { readonly [name: string]: tf.Tensor | TensorTree };

/** The tensors a recorded function is called with: one for each spec, in the same groups. */
export type TensorsOf<S> = {
  readonly [K in keyof S]: S[K] extends { shape: readonly number[] } ? tf.Tensor : TensorsOf<S[K]>;
};

/**
 * Runs a function once on symbolic inputs and returns what it would compute as a {@linkcode Graph}: plain data that
 * prints itself, that `compile` turns into one native call, and that exporters read. tfjs's gradients are recorded with
 * the rest.
 *
 * The function must be synchronous, must use only its inputs and tensors it makes itself, cannot read values, and must
 * not draw random numbers in JavaScript (they would be frozen). Nested names are joined by `/`.
 *
 * @param fn The computation, from named tensors to named tensors.
 * @param inputs Dtype and shape of each input. A `uint8` input reaches tfjs as an `int32` tensor and must be cast with
 * `castToFloat32` first.
 * @param options `name`: what the graph is called.
 * @returns The graph, without operations no output needs.
 * @throws {TypeError} If the function captures an outer tensor, reads values, returns no tensor or a promise, or a
 * shape depends on values.
 *
 * @example
 * ```ts
 * import { compile, record, tf } from "whittle/tensorflow";
 *
 * const graph = record(({ x }) => ({ y: tf.relu(tf.mul(x, 2)) }), { x: { dtype: "float32", shape: [3] } });
 * const double = compile(graph);
 * const { y } = await double.run({ x: { dtype: "float32", shape: [3], data: new Float32Array([-1, 0, 4]) } });
 * console.log(y.data); // Float32Array [0, 0, 8]
 * await double.dispose();
 * ```
 */
export function record<S extends SpecTree>(
  fn: (inputs: TensorsOf<S>) => TensorTree,
  inputs: S,
  options: { name?: string } = {},
): Graph {
  const engine = currentEngine();
  const { backend, binding } = currentBackend();
  if (binding.recording !== undefined) {
    throw new TypeError("Cannot record inside a recording\n  help: call the inner function directly");
  }
  const specs = flatten(inputs, isSpec, "input");
  const recording = new Recording(engine);
  binding.recording = recording;
  backend.recordedData = new WeakSet();
  tf.engine().startScope("record");
  try {
    const tensors: Record<string, tf.Tensor> = {};
    for (const [name, spec] of Object.entries(specs)) {
      const value = recording.addInput(name, checkSpec(name, spec));
      tensors[name] = backend.createOutputTensor({
        id: toTensorId(value.id),
        shape: [...value.shape],
        dtype: dataTypes[value.dtype],
      });
    }
    const result = fn(unflatten(inputs, tensors) as TensorsOf<S>);
    if (result instanceof Promise) {
      throw new TypeError("Cannot record an async function: what it does after the first await is lost");
    }
    const outputs: GraphOutput[] = Object.entries(flatten(result, isTensor, "output"))
      .map(([name, tensor]) => ({ name, value: toValueId(backend.tensorId(tensor)) }));
    return prune(recording.toGraph(options.name ?? (fn.name || "graph"), outputs));
  } finally {
    tf.engine().endScope();
    // Kept tensors (statistics carried out of a gradient) leave the scope alive; they never had a value.
    for (const tensor of backend.recordedTensors) if (!tensor.isDisposed) tensor.dispose();
    backend.recordedTensors = [];
    binding.recording = undefined;
    backend.recordedData = undefined;
    recording.dispose();
  }
}

function checkSpec(name: string, spec: { dtype: string; shape: readonly number[] }): TensorSpec {
  if (!(spec.dtype in dataTypes) || spec.dtype === "string" || spec.dtype === "resource") {
    throw new TypeError(`Cannot record input ${name}: unknown dtype "${spec.dtype}"`);
  }
  if (!spec.shape.every((length) => Number.isInteger(length) && length >= 0)) {
    throw new RangeError(
      `Cannot record input ${name}: every length of its shape must be known, and it is [${
        spec.shape.join(",")
      }]`,
    );
  }
  return { dtype: spec.dtype as DType, shape: spec.shape };
}

function isSpec(value: unknown): value is { dtype: string; shape: readonly number[] } {
  return typeof value === "object" && value !== null && "shape" in value && Array.isArray(value.shape);
}

function isTensor(value: unknown): value is tf.Tensor {
  return value instanceof tf.Tensor;
}

/** Joins nested names by `/`. */
function flatten<T>(
  tree: unknown,
  isLeaf: (value: unknown) => value is T,
  what: string,
  prefix = "",
): Record<string, T> {
  if (typeof tree !== "object" || tree === null) {
    throw new TypeError(
      `Cannot record: ${what} ${
        prefix.slice(0, -1) || "of the function"
      } must be an object of named tensors, ` +
        `and it is ${tree === null ? "null" : typeof tree}`,
    );
  }
  const flat: Record<string, T> = {};
  for (const [name, value] of Object.entries(tree)) {
    if (isLeaf(value)) flat[prefix + name] = value;
    else Object.assign(flat, flatten(value, isLeaf, what, `${prefix}${name}/`));
  }
  return flat;
}

function unflatten(tree: SpecTree, tensors: Record<string, tf.Tensor>, prefix = ""): TensorTree {
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]) => [
      name,
      isSpec(value) ? tensors[prefix + name]! : unflatten(value as SpecTree, tensors, `${prefix}${name}/`),
    ]),
  );
}
