import type { Graph, GraphNode } from "../../graph/graph.ts";
import { createGraphView } from "../../graph/graph_view.ts";
import { matchActivation } from "../../graph/match_activation.ts";
import { hardSigmoid, hardSwish, relu, relu6, sigmoid, swish } from "../../operators/activations.ts";
import { biasAdd } from "../../operators/bias_add.ts";
import { conv2d, depthwiseConv2d } from "../../operators/conv2d.ts";
import { globalAveragePool } from "../../operators/global_average_pool.ts";
import { tf } from "../../tensorflow/tf.ts";
import { readConvolution } from "./_read_convolution.ts";

/** What is done with values on the way. */
export interface ReplayHooks {
  /** A value that is known, so that nothing before it is computed. */
  given?(id: number): tf.Tensor | undefined;
  /** Takes a value once it is computed, and gives the one that is read in its place. */
  value?(id: number, value: tf.Tensor): tf.Tensor;
  /** The same for weights of convolutions and linear layers. */
  filter?(name: string, filter: tf.Tensor): tf.Tensor;
}

/**
 * Runs a folded graph on tensors, operator by operator, differentiable; inside `record` it is written down again. The
 * batch may be another than the recorded one.
 *
 * @param graph From the data and `params/*` to its outputs.
 * @param inputs The data, and the parameters without the prefix.
 * @param hooks What is done with values on the way.
 * @returns The outputs by name.
 * @throws {TypeError} If an operator is none of those networks in evaluation mode are made of, or is used in another way.
 */
export function replay(
  graph: Graph,
  inputs: Readonly<Record<string, tf.Tensor>>,
  hooks: ReplayHooks = {},
): Record<string, tf.Tensor> {
  const view = createGraphView(graph);
  const values = new Map<number, tf.Tensor>();
  const valueOf = (id: number): tf.Tensor => {
    let value = values.get(id);
    if (value === undefined) {
      value = hooks.given?.(id);
      if (value === undefined) {
        value = compute(id);
        value = hooks.value?.(id, value) ?? value;
      }
      values.set(id, value);
    }
    return value;
  };
  const filterOf = (id: number): tf.Tensor => {
    const name = view.name(id)!.replace(/^params\//, "");
    return hooks.filter?.(name, inputs[name]!) ?? inputs[name]!;
  };

  function compute(id: number): tf.Tensor {
    const name = view.name(id);
    if (name !== undefined) return inputs[name.replace(/^params\//, "")]!;
    const activation = matchActivation(id, view);
    if (activation !== undefined) return activations[activation.op](valueOf(activation.input));
    const node = view.producer(id)!;
    const [first, second] = node.inputs as [number, number];
    switch (node.op) {
      case "Const": {
        const { shape, data, dtype } = view.constant(id)!;
        return tf.tensor(data as Float32Array, [...shape], dtype as "float32" | "int32");
      }
      case "Cast":
        requireThat(view.spec(first).dtype === view.spec(id).dtype, node, "changes the kind of numbers");
        return valueOf(first);
      case "Identity":
        return valueOf(first);
      case "Conv2D":
      case "DepthwiseConv2dNative":
        return convolution(node);
      case "BatchMatMulV2":
      case "MatMul":
        requireThat(
          transposes.every((name) => !node.attributes[name]?.value),
          node,
          "is of a transposed matrix",
        );
        return tf.matMul(valueOf(first) as tf.Tensor2D, filterOf(second) as tf.Tensor2D);
      case "BiasAdd":
        return biasAdd(valueOf(first) as tf.Tensor4D, valueOf(second));
      case "Add":
      case "AddV2":
        return tf.add(valueOf(first), valueOf(second));
      case "Mul":
        return tf.mul(valueOf(first), valueOf(second));
      case "RealDiv":
        return tf.div(valueOf(first), valueOf(second));
      case "Square":
        return tf.square(valueOf(first));
      case "Sqrt":
        return tf.sqrt(valueOf(first));
      case "Relu":
        return relu(valueOf(first));
      case "Relu6":
        return relu6(valueOf(first));
      case "Sigmoid":
        return sigmoid(valueOf(first));
      case "Mean":
        requireThat(
          keepsAxes(node) && axesOf(second).join() === "1,2" && view.spec(first).shape.length === 4,
          node,
          "is not the mean over the height and width of pictures, with axes kept",
        );
        return globalAveragePool(valueOf(first) as tf.Tensor4D);
      case "Sum":
        requireThat(keepsAxes(node), node, "drops its axes");
        return tf.sum(valueOf(first), axesOf(second), true);
      case "Reshape": {
        requireThat(view.spec(first).shape[0] === view.spec(id).shape[0], node, "changes the batch");
        const x = valueOf(first);
        return tf.reshape(x, [x.shape[0]!, ...view.spec(id).shape.slice(1)]);
      }
      default:
        throw new TypeError(
          `Cannot quantise ${graph.name}: it has the operator ${node.op}, which networks in evaluation mode are not made of\n${help}`,
        );
    }
  }

  function convolution(node: GraphNode): tf.Tensor {
    const call = readConvolution(node, view);
    if (typeof call === "string") throw refusal(node, call);
    const { input, ...options } = call;
    const convolve = node.op === "Conv2D" ? conv2d : depthwiseConv2d;
    return convolve(valueOf(input) as tf.Tensor4D, filterOf(node.inputs[1]!) as tf.Tensor4D, options);
  }

  function axesOf(id: number): number[] {
    return Array.from(view.constant(id)?.data ?? [], Number);
  }

  function requireThat(holds: boolean, node: GraphNode, problem: string): void {
    if (!holds) throw refusal(node, problem);
  }

  function refusal({ op, outputs }: GraphNode, problem: string): TypeError {
    return new TypeError(
      `Cannot quantise ${graph.name}: its operator ${op} [${outputs[0]!.shape}] ${problem}\n${help}`,
    );
  }

  return Object.fromEntries(graph.outputs.map(({ name, value }) => [name, valueOf(value)]));
}

const help = "  help: write that part with the operators of lib/operators";

/** Attributes of a product, by which a matrix is taken the other way round. */
const transposes = ["adj_x", "adj_y", "transpose_a", "transpose_b"];

function keepsAxes({ attributes }: GraphNode): boolean {
  return attributes["keep_dims"]?.value === true;
}

const activations = { swish, hardSwish, hardSigmoid };
