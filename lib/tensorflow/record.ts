import { tf } from "./tf.ts";
import type { Graph, GraphOutput, TensorSpec } from "../graph/graph.ts";
import type { DType } from "../graph/host_tensor.ts";
import { prune } from "../graph/prune.ts";
import { currentBackend } from "./backend.ts";
import { toTensorId, toValueId } from "./binding.ts";
import { dataTypes } from "./dtypes.ts";
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
 * TensorFlow need not be open; only operators without a shape rule of our own (`lib/graph/infer_shapes.ts`) want it.
 *
 * The function must be synchronous, must use only its inputs and tensors it makes itself, cannot read values, and must
 * not draw random numbers in JavaScript: they would be the same in every call. Nested names are joined by `/`.
 *
 * @param fn The computation, from named tensors to named tensors.
 * @param inputs Dtype and shape of each input. tfjs has no `uint8` and takes such an input for `int32`: cast it to
 * `float32` before anything else is done with it.
 * @param options `name`: what the graph is called.
 * @returns The graph, without operations no output needs.
 * @throws {TypeError} If a spec is none, or the function captures an outer tensor, reads values, draws random numbers,
 * returns anything but named tensors, or makes a tensor whose shape depends on values.
 * @throws {TypeError} With operator and input shapes if an operation's inputs or attributes do not fit it.
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
  const { backend, binding } = currentBackend();
  if (binding.recording !== undefined) {
    throw new TypeError("Cannot record inside a recording\n  help: call the inner function directly");
  }
  const specs = flattenSpecs(inputs);
  const recording = new Recording();
  binding.recording = recording;
  backend.recordedData = new WeakSet();
  tf.engine().startScope("record");
  try {
    const tensors: Record<string, tf.Tensor> = {};
    for (const [name, spec] of Object.entries(specs)) {
      const value = recording.addInput(name, spec);
      tensors[name] = backend.createOutputTensor({
        id: toTensorId(value.id),
        shape: [...value.shape],
        dtype: dataTypes[value.dtype],
      });
    }
    const result = withoutRandomness(() => fn(unflatten(inputs, tensors) as TensorsOf<S>));
    const outputs: GraphOutput[] = Object.entries(flattenOutputs(result))
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

/** Runs `fn` while drawing random numbers in JavaScript is an error: the recording would repeat them in every call. */
function withoutRandomness<T>(fn: () => T): T {
  const { random } = Math;
  Math.random = () => {
    throw new TypeError(
      "Cannot record a random number drawn in JavaScript: every call of the graph would repeat it\n" +
        "  help: draw it outside and pass it as an input, or pass a seed to one of TensorFlow's stateless operators",
    );
  };
  try {
    return fn();
  } finally {
    Math.random = random;
  }
}

function flattenSpecs(inputs: SpecTree): Record<string, TensorSpec> {
  const { leaves, problems } = flatten(inputs, isSpec, "a spec { dtype, shape }");
  for (const [name, { dtype, shape }] of Object.entries(leaves)) {
    const spec = `${dtype}[${shape.join(",")}]`;
    if (!inputDtypes.has(dtype)) {
      problems.push(`${name}: found ${spec}, wanted a dtype among ${[...inputDtypes].join(", ")}`);
    }
    if (!shape.every((length) => Number.isInteger(length) && length >= 0)) {
      problems.push(`${name}: found ${spec}, wanted a length >= 0 for every axis`);
    }
  }
  if (problems.length > 0) {
    throw new TypeError(`Cannot record: its inputs are not all specs\n  ${problems.join("\n  ")}`);
  }
  return leaves as Record<string, TensorSpec>;
}

const inputDtypes = new Set<string>(["float32", "int32", "uint8", "bool", "int64"] satisfies DType[]);

function flattenOutputs(result: unknown): Record<string, tf.Tensor> {
  if (result instanceof Promise) {
    result.catch(() => {}); // what it fails with follows from being recorded
    throw new TypeError(
      "Cannot record an async function: what it does after the first await would be lost\n" +
        "  help: await what it needs before, and pass it as an input",
    );
  }
  if (isTensor(result)) {
    throw new TypeError(
      "Cannot record: the function returned a tensor without a name\n  help: return { y: tensor }",
    );
  }
  const { leaves, problems } = flatten(result, isTensor, "a tensor");
  if (problems.length === 0 && Object.keys(leaves).length === 0) problems.push("nothing was returned");
  if (problems.length > 0) {
    throw new TypeError(`Cannot record: its outputs are not all tensors\n  ${problems.join("\n  ")}`);
  }
  return leaves;
}

function isSpec(value: unknown): value is { dtype: string; shape: readonly number[] } {
  return typeof value === "object" && value !== null && "shape" in value && Array.isArray(value.shape);
}

function isTensor(value: unknown): value is tf.Tensor {
  return value instanceof tf.Tensor;
}

/** Joins nested names by `/`, and says of each leaf that is none what it is. */
function flatten<T>(
  tree: unknown,
  isLeaf: (value: unknown) => value is T,
  wanted: string,
): { leaves: Record<string, T>; problems: string[] } {
  const leaves: Record<string, T> = {}, problems: string[] = [];
  const visit = (value: unknown, path: string) => {
    if (isLeaf(value)) {
      if (path in leaves) problems.push(`${path}: named twice`);
      leaves[path] = value;
    } else if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      for (const [name, child] of Object.entries(value)) visit(child, path === "" ? name : `${path}/${name}`);
    } else {
      const found = value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
      problems.push(`${path || "all of it"}: found ${found}, wanted ${wanted} or an object of them`);
    }
  };
  visit(tree, "");
  return { leaves, problems };
}

function unflatten(tree: SpecTree, tensors: Record<string, tf.Tensor>, prefix = ""): TensorTree {
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]) => [
      name,
      isSpec(value) ? tensors[prefix + name]! : unflatten(value as SpecTree, tensors, `${prefix}${name}/`),
    ]),
  );
}
