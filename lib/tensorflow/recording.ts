import type {
  Attribute,
  Graph,
  GraphInput,
  GraphNode,
  GraphOutput,
  GraphValue,
  TensorSpec,
} from "../graph/graph.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { printSpec } from "../graph/print_graph.ts";
import type { Engine } from "./engine.ts";
import { NativeGraph } from "./native_graph.ts";

/**
 * A recording in progress: the operations so far as plain data, and a native graph beside them that infers shapes.
 * Values of a recording have the numbers 0, 1, 2 ...; the binding shows them to tfjs as negative tensor ids.
 */
export class Recording {
  readonly inputs: GraphInput[] = [];
  readonly nodes: GraphNode[] = [];
  readonly #specs: TensorSpec[] = [];
  readonly #native: NativeGraph;

  constructor(engine: Engine) {
    this.#native = new NativeGraph(engine);
  }

  /** Dtype and shape of a value. */
  spec(id: number): TensorSpec {
    return this.#specs[id]!;
  }

  addInput(name: string, spec: TensorSpec): GraphValue {
    const input = { id: this.#specs.length, name, dtype: spec.dtype, shape: [...spec.shape] };
    this.#native.addInput(input);
    this.#specs.push(input);
    this.inputs.push(input);
    return input;
  }

  addConstant(value: HostTensor): GraphValue {
    return this.addNode("Const", [], {
      dtype: { kind: "dtype", value: value.dtype },
      value: { kind: "tensor", value },
    }, 1)[0]!;
  }

  addNode(
    op: string,
    inputs: readonly number[],
    attributes: Readonly<Record<string, Attribute>>,
    outputCount: number,
  ): GraphValue[] {
    const ids = Array.from({ length: outputCount }, (_, index) => this.#specs.length + index);
    const describe = () => inputs.map((id) => printSpec(this.#specs[id]!)).join(", ");
    const specs = this.#native.addNode({ op, inputs, attributes }, ids, describe);
    const outputs = specs.map((spec, index) => ({ id: ids[index]!, ...spec }));
    this.#specs.push(...specs);
    this.nodes.push({ op, inputs: [...inputs], attributes, outputs });
    return outputs;
  }

  /** What was recorded, with the given values as outputs. */
  toGraph(name: string, outputs: readonly GraphOutput[]): Graph {
    return { name, inputs: this.inputs, nodes: this.nodes, outputs };
  }

  dispose(): void {
    this.#native.dispose();
  }
}
