import type { GraphNode, TensorSpec } from "./graph.ts";
import { sizeOf } from "./host_tensor.ts";

/** Where a value comes from, and dtypes and shapes. */
export interface ValueSource {
  /** The node that defines a value; none for an input. */
  producer(id: number): Pick<GraphNode, "op" | "inputs" | "attributes"> | undefined;
  /** Dtype and shape of a value. */
  spec(id: number): TensorSpec;
}

/** Shapes, axes and the like are short; longer tensors are data. */
const longest = 1024;

/**
 * The elements of a value that is the same in every run: a constant, or arithmetic on constants and shapes of the kind
 * that shapes and axes are computed with.
 *
 * @param id Number of the value.
 * @param source The graph so far.
 * @returns Its elements, or `undefined` where they are not known, or more than a shape would have.
 */
export function constantValues(id: number, source: ValueSource): readonly number[] | undefined {
  const node = source.producer(id);
  const spec = source.spec(id);
  if (node === undefined || sizeOf(spec.shape) > longest) return undefined;
  if (node.op === "Const") {
    const { value } = node.attributes;
    return value.kind === "tensor" ? Array.from(value.value.data as ArrayLike<number>, Number) : undefined;
  }
  const shape = () => source.spec(node.inputs[0]).shape;
  if (node.op === "Shape") return shape();
  if (node.op === "Size") return [sizeOf(shape())];
  if (node.op === "Rank") return [shape().length];
  const fold = folds[node.op];
  if (fold === undefined || (spec.dtype !== "int32" && spec.dtype !== "int64")) return undefined;
  const inputs: (readonly number[])[] = [];
  for (const input of node.inputs) {
    const values = constantValues(input, source);
    if (values === undefined) return undefined;
    inputs.push(values);
  }
  const values = fold(inputs, node.inputs.map((input) => source.spec(input).shape), node);
  // Beyond int32 the numbers would wrap around.
  return values?.every((value) => Math.abs(value) < 2 ** 31) ? values : undefined;
}

type Fold = (
  inputs: readonly (readonly number[])[],
  shapes: readonly (readonly number[])[],
  node: Pick<GraphNode, "attributes">,
) => readonly number[] | undefined;

const same: Fold = ([x]) => x;

/** Of numbers and lists of them only: a shape has no more axes. */
function pairwise(compute: (a: number, b: number) => number): Fold {
  return ([a, b], shapes) => {
    if (shapes.some((shape) => shape.length > 1)) return undefined;
    return Array.from(
      { length: a.length === 1 ? b.length : a.length },
      (_, index) => compute(a[a.length === 1 ? 0 : index], b[b.length === 1 ? 0 : index]),
    );
  };
}

const folds: Readonly<Record<string, Fold>> = {
  Add: pairwise((a, b) => a + b),
  AddV2: pairwise((a, b) => a + b),
  Cast: ([x]) => x.map(Math.trunc),
  ConcatV2: (inputs, shapes) => shapes[0].length === 1 ? inputs.slice(0, -1).flat() : undefined,
  ExpandDims: same,
  FloorDiv: pairwise((a, b) => Math.floor(a / b)),
  Identity: same,
  Maximum: pairwise(Math.max),
  Minimum: pairwise(Math.min),
  Mul: pairwise((a, b) => a * b),
  Neg: ([x]) => x.map((value) => -value),
  Pack: (inputs, shapes) => shapes[0].length === 0 ? inputs.flat() : undefined,
  Reshape: same,
  Squeeze: same,
  Sub: pairwise((a, b) => a - b),
};
