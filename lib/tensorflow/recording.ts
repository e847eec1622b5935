import { constantValues } from "../graph/constant_values.ts";
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
import { inferShapes, UnknownShapeError } from "../graph/infer_shapes.ts";
import { printSpec } from "../graph/print_graph.ts";
import { openedEngine } from "./engine.ts";
import { NativeGraph } from "./native_graph.ts";

/**
 * A recording in progress: the operations so far as plain data. Shapes come from the rules in `lib/graph`; TensorFlow is
 * asked only for what they do not know, and only if it is open.
 *
 * Values of a recording have the numbers 0, 1, 2 ...; the binding shows them to tfjs as negative tensor ids.
 */
export class Recording {
  readonly inputs: GraphInput[] = [];
  readonly nodes: GraphNode[] = [];
  readonly #specs: TensorSpec[] = [];
  /** The node that defines a value, by the value's number. */
  readonly #producers = new Map<number, GraphNode>();
  /** What TensorFlow knows of the graph, and how many of its inputs and nodes. */
  #native: { graph: NativeGraph; inputs: number; nodes: number } | undefined;

  /** Dtype and shape of a value. */
  spec(id: number): TensorSpec {
    return this.#specs[id]!;
  }

  /** The node that defines a value; none for an input. */
  producer(id: number): GraphNode | undefined {
    return this.#producers.get(id);
  }

  addInput(name: string, spec: TensorSpec): GraphValue {
    const input = { id: this.#specs.length, name, dtype: spec.dtype, shape: [...spec.shape] };
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
    const specs = this.#infer({ op, inputs, attributes }, ids);
    const outputs = specs.map((spec, index) => ({ id: ids[index]!, ...spec }));
    const node = { op, inputs: [...inputs], attributes, outputs };
    this.#specs.push(...specs);
    this.nodes.push(node);
    for (const id of ids) this.#producers.set(id, node);
    return outputs;
  }

  /** What was recorded, with the given values as outputs. */
  toGraph(name: string, outputs: readonly GraphOutput[]): Graph {
    return { name, inputs: this.inputs, nodes: this.nodes, outputs };
  }

  dispose(): void {
    this.#native?.graph.dispose();
  }

  #infer(node: Pick<GraphNode, "op" | "inputs" | "attributes">, ids: readonly number[]): TensorSpec[] {
    const inputs = node.inputs.map((id) => this.spec(id));
    try {
      const specs = inferShapes({ ...node, inputs }, (input) => constantValues(node.inputs[input]!, this));
      if (specs.length < ids.length) {
        throw new RangeError(
          `Cannot record ${node.op}: it has ${specs.length} outputs, wanted ${ids.length}`,
        );
      }
      return specs.slice(0, ids.length);
    } catch (error) {
      const engine = openedEngine();
      if (!(error instanceof UnknownShapeError) || engine === undefined) throw error;
      this.#native ??= { graph: new NativeGraph(engine), inputs: 0, nodes: 0 };
      this.#catchUp(this.#native);
      const specs = this.#native.graph.addNode(node, ids, () => inputs.map(printSpec).join(", "));
      this.#native.nodes++;
      return specs;
    }
  }

  /** Tells TensorFlow's graph what was recorded since it was last asked. */
  #catchUp(native: { graph: NativeGraph; inputs: number; nodes: number }): void {
    for (; native.inputs < this.inputs.length; native.inputs++) {
      native.graph.addInput(this.inputs[native.inputs]!);
    }
    for (; native.nodes < this.nodes.length; native.nodes++) {
      const node = this.nodes[native.nodes]!;
      native.graph.addNode(node, node.outputs.map(({ id }) => id));
    }
  }
}
