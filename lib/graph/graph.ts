import type { DType, HostTensor } from "./host_tensor.ts";

/**
 * A recorded computation as plain data. It keeps the operator names and attributes of TensorFlow and knows no
 * executor: TensorFlow runs it, oneDNN may lower it, the exporters and the size counter read it.
 *
 * Every value has a number. Inputs come first, then each node's outputs in the order of the nodes, which is an order of
 * execution: a node's inputs are always defined before it.
 */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly GraphInput[];
  readonly nodes: readonly GraphNode[];
  readonly outputs: readonly GraphOutput[];
}

/** Dtype and shape of a value; every axis has a known length. */
export interface TensorSpec {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A value of the graph: its number, dtype and shape. */
export interface GraphValue extends TensorSpec {
  readonly id: number;
}

/** A named input, e.g. `images` or `parameters/conv_stem.weight`. */
export interface GraphInput extends GraphValue {
  readonly name: string;
}

/** A named output: which value it is. */
export interface GraphOutput {
  readonly name: string;
  readonly value: number;
}

/** One operation. */
export interface GraphNode {
  /** TensorFlow's operator name, e.g. `Conv2D`. */
  readonly op: string;
  /** Values it reads. */
  readonly inputs: readonly number[];
  readonly attributes: Readonly<Record<string, Attribute>>;
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
