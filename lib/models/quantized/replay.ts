import type { Graph, GraphNode } from "../../graph/graph.ts";
import { createGraphView } from "../../graph/graph_view.ts";
import { matchActivation } from "../../graph/match_activation.ts";
import { hardSigmoid, hardSwish, relu, relu6, sigmoid, swish } from "../../operators/activations.ts";
import { biasAdd } from "../../operators/bias_add.ts";
import { conv2d, depthwiseConv2d } from "../../operators/conv2d.ts";
import { globalAveragePool } from "../../operators/global_average_pool.ts";
import type { Padding } from "../../operators/padding.ts";
import { tf } from "../../tensorflow/tf.ts";

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
 * @throws {TypeError} If an operator is none of those networks in evaluation mode are made of.
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
      case "Identity":
        return valueOf(first);
      case "Conv2D":
      case "DepthwiseConv2dNative":
        return convolution(node);
      case "BatchMatMulV2":
      case "MatMul":
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
        return globalAveragePool(valueOf(first) as tf.Tensor4D);
      case "Sum":
        return tf.sum(valueOf(first), Array.from(view.constant(second)!.data, Number), true);
      case "Reshape": {
        const x = valueOf(first);
        return tf.reshape(x, [x.shape[0]!, ...view.spec(id).shape.slice(1)]);
      }
      default:
        throw new TypeError(
          `Cannot quantise ${graph.name}: it has the operator ${node.op}, which networks in evaluation mode are not made of\n` +
            `  help: write that part with the operators of lib/operators`,
        );
    }
  }

  function convolution(node: GraphNode): tf.Tensor {
    const padded = view.producer(node.inputs[0]!);
    const isPadded = padded?.op === "PadV2";
    const padding: Padding = isPadded ? "symmetric" : "same";
    const x = valueOf(isPadded ? padded.inputs[0]! : node.inputs[0]!) as tf.Tensor4D;
    const stride = (node.attributes["strides"]!.value as number[])[1]!;
    const convolve = node.op === "Conv2D" ? conv2d : depthwiseConv2d;
    return convolve(x, filterOf(node.inputs[1]!) as tf.Tensor4D, { stride, padding });
  }

  return Object.fromEntries(graph.outputs.map(({ name, value }) => [name, valueOf(value)]));
}

const activations = { swish, hardSwish, hardSigmoid };
