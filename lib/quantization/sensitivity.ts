import type { Graph } from "../graph/graph.ts";
import { createRng } from "../augment/rng.ts";
import type { Part } from "../models/quantized/find_layers.ts";
import { quantizationHooks } from "../models/quantized/quantized_network.ts";
import { replay } from "../models/quantized/replay.ts";
import { normaliseImages } from "../operators/normalise_images.ts";
import { compileForExecutor } from "../tensorflow/executor.ts";
import { record } from "../tensorflow/record.ts";
import { tf } from "../tensorflow/tf.ts";
import { type NetworkPair, pairSpecs, pairVariables } from "./network_pair.ts";

/** What {@linkcode layerSensitivity} looks at. */
export interface SensitivityInputs extends NetworkPair {
  /** Classes of the network. */
  readonly numClasses: number;
}

/**
 * Estimates how much each layer's own quantisation changes the logits: the square of the change that rounding this
 * layer's input and weights alone makes, to first order, summed over logits and pictures.
 *
 * The change of a layer's result is computed; what it does to the logits comes from their gradient, along random signs
 * (whose mean square is the sum over the logits; Hutchinson's estimator). One pass over the pictures serves all layers.
 *
 * @param inputs Networks and pictures.
 * @returns The estimate by layer; only ratios mean something.
 * @see Dong et al., HAWQ: Hessian aware quantization of neural networks with mixed precision, 2019,
 * https://arxiv.org/abs/1905.03696, for the same idea with second derivatives of the loss
 */
export async function layerSensitivity(inputs: SensitivityInputs): Promise<Record<string, number>> {
  const { preprocessing: { size: { height, width } }, loader, numClasses, signal } = inputs;
  const { batchSize } = loader;
  const compiled = await compileForExecutor(recordSensitivity(inputs, batchSize), pairVariables(inputs));
  const sums: Record<string, number> = {};
  const rng = createRng(0, "sensitivity");
  try {
    for await (const { images, count } of loader.epoch(0)) {
      signal?.throwIfAborted();
      const data = Float32Array.from(
        { length: batchSize * numClasses },
        (_, index) => index >= count * numClasses ? 0 : rng.uniform() < 0.5 ? -1 : 1,
      );
      const outputs = await compiled.run({
        images: { dtype: "uint8", shape: [batchSize, height, width, 3], data: images },
        signs: { dtype: "float32", shape: [batchSize, numClasses], data },
      });
      for (const [name, value] of Object.entries(outputs)) {
        sums[name] = (sums[name] ?? 0) + (value.data[0] as number);
      }
    }
  } finally {
    await compiled.dispose();
  }
  return sums;
}

function recordSensitivity(inputs: SensitivityInputs, batchSize: number): Graph {
  const { folded, quantization, preprocessing, numClasses } = inputs;
  const hooks = quantizationHooks(folded, quantization);
  return record(
    ({ images, signs, float, quantized }) => {
      const params = float as Record<string, tf.Tensor>, ranges = quantized as Record<string, tf.Tensor>;
      const input = normaliseImages(images, preprocessing);
      const layersAt = (part: Part) =>
        new Map(folded.layers.filter((layer) => layer.part === part).map((layer) => [layer.output, layer]));
      /** The whole network in float; `change` gets each layer's result. */
      const run = (change: (name: string, value: tf.Tensor) => tf.Tensor): tf.Tensor => {
        const at = (part: Part) => ({
          value(id: number, value: tf.Tensor): tf.Tensor {
            const layer = layersAt(part).get(id);
            return layer === undefined ? value : change(layer.name, value);
          },
        });
        const { features } = replay(folded.body.graph, { ...params, images: input }, at("body"));
        return replay(
          folded.classifier.graph,
          { ...params, features: features! },
          at("classifier"),
        )["logits"]!;
      };
      // What each layer gives of the float network's values, in float and with its own rounding.
      const exact: Record<string, tf.Tensor> = {}, changes: Record<string, tf.Tensor> = {};
      const values = new Map<string, tf.Tensor>();
      const alone = (part: Part, data: Record<string, tf.Tensor>) => {
        const { value: quantize, filter } = hooks(part, ranges);
        const outputs = layersAt(part);
        const result = replay(folded[part].graph, { ...params, ...data }, {
          value(id, value) {
            values.set(`${part}/${id}`, value);
            const layer = outputs.get(id);
            if (layer !== undefined) exact[layer.name] = value;
            return value;
          },
        });
        for (const layer of outputs.values()) {
          const x = values.get(`${part}/${layer.input}`)!;
          const rounded = replay(
            { ...folded[part].graph, outputs: [{ name: "y", value: layer.output }] },
            { ...params, ...data },
            { filter, given: (id) => id === layer.input ? quantize(id, x) : undefined },
          )["y"]!;
          // The float bias is in both; a corrected one is no rounding of this layer.
          changes[layer.name] = tf.sub(rounded, exact[layer.name]!);
        }
        return result;
      };
      alone("classifier", { features: alone("body", { images: input })["features"]! });
      const names = folded.layers.map(({ name }) => name);
      const gradients = tf.grads((...shifts: tf.Tensor[]) => {
        const shiftOf = new Map(names.map((name, index) => [name, shifts[index]!]));
        // Subtracted, because TensorFlow's optimiser makes a nameless operator of a depthwise convolution, a bias and a sum;
        // only squares of the gradient are used.
        return tf.sum(tf.mul(run((name, value) => tf.sub(value, shiftOf.get(name)!)), signs)) as tf.Scalar;
      })(names.map((name) => tf.mul(exact[name]!, 0)));
      return Object.fromEntries(names.map((name, index) => {
        const product = tf.mul(gradients[index]!, changes[name]!);
        const perPicture = tf.sum(tf.reshape(product, [batchSize, -1]), 1);
        return [name, tf.sum(tf.square(perPicture))];
      }));
    },
    { ...pairSpecs(inputs), signs: { dtype: "float32", shape: [batchSize, numClasses] } },
    { name: "sensitivity" },
  );
}
