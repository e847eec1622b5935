import type { Graph, GraphInput, GraphNode, GraphValue } from "./graph.ts";
import { type HostTensor, sizeOf } from "./host_tensor.ts";
import { prune } from "./prune.ts";

/** A graph whose parameters are ready to use: what was computed of parameters alone is an input. */
export interface FoldedGraph {
  /** The graph; its inputs are the data and `params/<name>` for each folded parameter. */
  readonly graph: Graph;
  /** Names and shapes of the folded parameters, in the order of the graph. */
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /**
   * Computes the folded parameters, in float64, rounded to float32 at the end.
   *
   * @param weights The recorded graph's parameters by name, without the prefix.
   * @returns The folded graph's parameters by name, without the prefix.
   */
  fold(weights: Readonly<Record<string, HostTensor>>): Record<string, HostTensor>;
}

/** How inputs that are parameters begin. */
const prefix = "params/";

/**
 * Makes one input of every expression of parameters and constants alone: the factors of a batch norm in evaluation and
 * the filter they are multiplied into become one filter and one bias. A folded parameter has the name of the first
 * parameter in its expression: the filter keeps its own, and the bias that of the batch norm's bias.
 *
 * Only operators of the table below are computed, and only float32; any other, such as fake quantisation, stays in the
 * graph.
 *
 * @param graph A recorded graph; inputs whose names begin with `params/` are the parameters.
 * @returns The folded graph, and the function from its old parameters to its new ones.
 *
 * @example
 * ```ts
 * import { record, tf } from "../tensorflow/mod.ts";
 * import { foldParameters } from "./fold_parameters.ts";
 *
 * const scalar = { dtype: "float32", shape: [] };
 * const graph = record(
 *   ({ x, params }) => ({ y: tf.mul(x, tf.sqrt((params as Record<string, tf.Tensor>).variance)) }),
 *   { x: scalar, params: { variance: scalar } },
 * );
 * const { parameters, fold } = foldParameters(graph);
 * console.log(parameters); // [{ name: "variance", shape: [] }]
 * console.log(fold({ variance: { dtype: "float32", shape: [], data: Float32Array.of(4) } }).variance.data); // [2]
 * ```
 */
export function foldParameters(graph: Graph): FoldedGraph {
  const producer = new Map<number, GraphNode>();
  for (const node of graph.nodes) for (const output of node.outputs) producer.set(output.id, node);
  const specs = new Map<number, GraphValue>(
    [...graph.inputs, ...graph.nodes.flatMap(({ outputs }) => outputs)].map((value) => [value.id, value]),
  );
  const parameterOf = new Map(
    graph.inputs.filter(({ name }) => name.startsWith(prefix)).map(({ id, name }) => [
      id,
      name.slice(prefix.length),
    ]),
  );
  // The first parameter in each expression of parameters alone; null for constants.
  const origin = new Map<number, string | null>(parameterOf);
  for (const node of graph.nodes) {
    const { op, inputs, outputs } = node;
    if (op === "Const") origin.set(outputs[0]!.id, null);
    else if (op in operations && outputs[0]!.dtype === "float32" && inputs.every((id) => origin.has(id))) {
      origin.set(outputs[0]!.id, inputs.map((id) => origin.get(id)!).find((name) => name !== null) ?? null);
    }
  }
  const isFolded = (id: number) => typeof origin.get(id) === "string";
  const nodes = graph.nodes.filter(({ outputs }) => !isFolded(outputs[0]!.id));
  const names = new Map<string, number>();
  const wanted = new Set([
    ...nodes.flatMap(({ inputs }) => inputs),
    ...graph.outputs.map(({ value }) => value),
  ]);
  for (const id of wanted) {
    if (!isFolded(id)) continue;
    const name = origin.get(id)!;
    let unique = name;
    for (let count = 1; names.has(unique); count++) unique = `${name}.${count}`;
    names.set(unique, id);
  }
  const inputs: GraphInput[] = graph.inputs.filter(({ id }) => !parameterOf.has(id));
  for (const [name, id] of names) inputs.push({ ...specs.get(id)!, name: prefix + name });
  return {
    graph: prune({ ...graph, inputs, nodes }),
    parameters: [...names].map(([name, id]) => ({ name, shape: specs.get(id)!.shape })),
    fold(weights) {
      const values = new Map<number, Numbers>();
      const valueOf = (id: number): Numbers => {
        let value = values.get(id);
        if (value === undefined) {
          value = parameterOf.has(id)
            ? numbersOf(weights[parameterOf.get(id)!]!)
            : compute(producer.get(id)!, valueOf);
          values.set(id, value);
        }
        return value;
      };
      return Object.fromEntries(
        [...names].map(([name, id]) => {
          const { shape, data } = valueOf(id);
          return [name, { dtype: "float32", shape: [...shape], data: Float32Array.from(data) }];
        }),
      );
    },
  };
}

/** A tensor while it is computed with. */
interface Numbers {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

function numbersOf({ shape, data }: HostTensor): Numbers {
  return { shape, data: data instanceof BigInt64Array ? Float64Array.from(data, Number) : data };
}

function compute(node: GraphNode, valueOf: (id: number) => Numbers): Numbers {
  const { value } = node.attributes;
  if (node.op === "Const" && value?.kind === "tensor") return numbersOf(value.value);
  return operations[node.op]!(node.inputs.map(valueOf), node);
}

type Operation = (inputs: readonly Numbers[], node: GraphNode) => Numbers;

function elementwise(compute: (x: number) => number): Operation {
  return ([x]) => ({ shape: x!.shape, data: Float64Array.from(x!.data, compute) });
}

/** Of two tensors whose shapes are broadcast. */
function pairwise(compute: (a: number, b: number) => number): Operation {
  return ([a, b], node) => {
    const { shape } = node.outputs[0]!;
    const [fromA, fromB] = [broadcastIndices(a!.shape, shape), broadcastIndices(b!.shape, shape)];
    const data = new Float64Array(sizeOf(shape));
    for (let index = 0; index < data.length; index++) {
      data[index] = compute(a!.data[fromA[index]!]!, b!.data[fromB[index]!]!);
    }
    return { shape, data };
  };
}

/** For each element of the broadcast shape the element of the smaller one that it comes from. */
function broadcastIndices(from: readonly number[], to: readonly number[]): Uint32Array {
  let indices = Uint32Array.of(0);
  let stride = 1; // of the smaller shape, from the last axis on
  for (let axis = to.length - 1; axis >= 0; axis--) {
    const length = from[axis - (to.length - from.length)] ?? 1;
    const step = length === 1 ? 0 : stride;
    const next = new Uint32Array(indices.length * to[axis]!);
    for (let position = 0; position < to[axis]!; position++) {
      const start = position * indices.length, offset = position * step;
      for (let inner = 0; inner < indices.length; inner++) next[start + inner] = indices[inner]! + offset;
    }
    indices = next;
    stride *= length;
  }
  return indices;
}

/** Sum over axes; those that stay with length 1 have it already in the node's output. */
const sum: Operation = ([x, axes], node) => {
  const { shape } = node.outputs[0]!;
  const summed = new Set(Array.from(axes!.data, (axis) => axis < 0 ? axis + x!.shape.length : axis));
  const kept = x!.shape.map((length, axis) => summed.has(axis) ? 1 : length);
  const to = broadcastIndices(kept, x!.shape);
  const data = new Float64Array(sizeOf(shape));
  for (let index = 0; index < to.length; index++) data[to[index]!] += x!.data[index]!;
  return { shape, data };
};

const same: Operation = ([x], node) => ({ shape: node.outputs[0]!.shape, data: x!.data });

/** What is computed when parameters are folded, by TensorFlow's names. */
const operations: Readonly<Record<string, Operation>> = {
  Add: pairwise((a, b) => a + b),
  AddV2: pairwise((a, b) => a + b),
  Sub: pairwise((a, b) => a - b),
  Mul: pairwise((a, b) => a * b),
  RealDiv: pairwise((a, b) => a / b),
  Maximum: pairwise(Math.max),
  Minimum: pairwise(Math.min),
  Abs: elementwise(Math.abs),
  Neg: elementwise((x) => -x),
  Sqrt: elementwise(Math.sqrt),
  Rsqrt: elementwise((x) => 1 / Math.sqrt(x)),
  Square: elementwise((x) => x * x),
  Sum: sum,
  Reshape: same,
  Identity: same,
  Cast: same,
};
