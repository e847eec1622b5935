import type { DType, HostTensor } from "./host_tensor.ts";

/**
 * A recorded computation as plain data. It keeps the operator names and attributes of TensorFlow and knows no
 * executor: TensorFlow runs it, oneDNN may lower it, the exporters and the size counter read it.
 *
 * Every value has a number. Inputs come first, then each node's outputs in the order of the nodes, which is an order of
 * execution: a node's inputs are always defined before it.
 */
export interface Graph {
  /** What the graph is called in messages. */
  readonly name: string;
  /** Its parameters, in the order of an executor's call. */
  readonly inputs: readonly GraphInput[];
  /** Its operations, in an order of execution. */
  readonly nodes: readonly GraphNode[];
  /** What it returns. */
  readonly outputs: readonly GraphOutput[];
}

/** Dtype and shape of a value; every axis has a known length. */
export interface TensorSpec {
  /** Type of the elements. */
  readonly dtype: DType;
  /** Lengths of the axes. */
  readonly shape: readonly number[];
}

/** A value of the graph: its number, dtype and shape. */
export interface GraphValue extends TensorSpec {
  /** Number of the value, unique in its graph. */
  readonly id: number;
}

/** A named input, e.g. `images` or `parameters/conv_stem.weight`. */
export interface GraphInput extends GraphValue {
  /** Name by which a call gives its value. */
  readonly name: string;
}

/** A named output: which value it is. */
export interface GraphOutput {
  /** Name by which a call returns its value. */
  readonly name: string;
  /** Number of the value. */
  readonly value: number;
}

/** One operation. */
export interface GraphNode {
  /** TensorFlow's operator name, e.g. `Conv2D`. */
  readonly op: string;
  /** Values it reads. */
  readonly inputs: readonly number[];
  /** Its attributes, by TensorFlow's names; those left out have TensorFlow's defaults. */
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Values it defines. */
  readonly outputs: readonly GraphValue[];
}

/** An attribute of an operator, tagged with its kind because JavaScript has one number type only. */
export type Attribute =
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "int" | "float"; readonly value: number }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "dtype"; readonly value: DType | "complex64" }
  | { readonly kind: "shape" | "ints" | "floats"; readonly value: readonly number[] }
  | { readonly kind: "bools"; readonly value: readonly boolean[] }
  | { readonly kind: "dtypes"; readonly value: readonly (DType | "complex64")[] }
  | { readonly kind: "tensor"; readonly value: HostTensor };
