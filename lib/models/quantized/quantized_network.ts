import type { ParameterSpec } from "../layers.ts";
import type { Network } from "../network.ts";
import { fakeQuantize, fakeQuantizeChannels } from "../../operators/fake_quantize.ts";
import { tf } from "../../tensorflow/tf.ts";
import type { NetworkLayer, Part } from "./find_layers.ts";
import type { QuantizationPoint } from "./find_points.ts";
import type { FoldedNetwork } from "./folded_network.ts";
import type { Quantization } from "./quantization.ts";
import { replay, type ReplayHooks } from "./replay.ts";

/**
 * A network that computes as its int8 file will: batch norms are folded, and weights and the values between layers are
 * rounded to what int8 can hold, by TensorFlow's operators of fake quantisation. It trains as any network does: gradients go through
 * the rounding, and ranges are parameters like others (as in NNCF).
 *
 * Its parameters are the folded network's and the ranges: `<layer>.weight.range` `[outputs]` for `-range..range`, whatever
 * its sign, and `<layer>.input.min` and `.max` `[]`.
 *
 * @param network The network it is made from.
 * @param folded The same, folded.
 * @param quantization What is quantised, and how.
 * @returns A network with other parameters. Training and evaluation mode are the same.
 */
export function createQuantizedNetwork(
  network: Network,
  folded: FoldedNetwork,
  quantization: Quantization,
): Network {
  const hooks = quantizationHooks(folded, quantization);
  const run = (part: Part, params: Readonly<Record<string, tf.Tensor>>, data: Record<string, tf.Tensor>) =>
    replay(folded[part].graph, { ...params, ...data }, hooks(part, params));

  const features: Network["features"] = (params, images) => ({
    features: run("body", params, { images })["features"] as tf.Tensor2D,
    statistics: {},
  });
  const classify: Network["classify"] = (params, features) =>
    run("classifier", params, { features })["logits"] as tf.Tensor2D;
  return {
    parameters: parametersOf(folded, quantization),
    head: network.head,
    featureChannels: network.featureChannels,
    features,
    classify,
    forward(params, images, options) {
      const { features: all, statistics } = features(params, images, options);
      const kept = options.dropout === undefined ? all : tf.mul(all, options.dropout) as tf.Tensor2D;
      return { logits: classify(params, kept), statistics };
    },
  };
}

/**
 * What quantisation does while a folded graph runs.
 *
 * @param folded The folded network.
 * @param quantization What is quantised, and how.
 * @returns For each of the two graphs, and the ranges among some parameters, the hooks of {@linkcode replay}.
 */
export function quantizationHooks(
  folded: FoldedNetwork,
  quantization: Quantization,
): (
  part: Part,
  params: Readonly<Record<string, tf.Tensor>>,
) => Required<Pick<ReplayHooks, "value" | "filter">> {
  const { weightBits } = quantization;
  const layers = new Map(quantizedLayers(folded, quantization).map((layer) => [layer.weight, layer]));
  const points = activePoints(folded, quantization);
  return (part, params) => {
    const atValue = new Map(
      points.filter((point) => point.part === part).map(({ value, name }) => [value, name]),
    );
    return {
      value(id, value) {
        const name = atValue.get(id);
        if (name === undefined) return value;
        // Training can move an end past 0, or the ends past each other.
        const min = tf.minimum(params[`${name}.min`]!, 0), max = tf.maximum(params[`${name}.max`]!, 1e-9);
        return fakeQuantize(value, min, max);
      },
      filter(name, filter) {
        const layer = layers.get(name);
        return layer === undefined
          ? filter
          : quantizeFilter(filter, layer, params[rangeName(name)]!, weightBits);
      },
    };
  };
}

/** Layers that are not in float. */
export function quantizedLayers(
  { layers }: FoldedNetwork,
  { floatLayers }: Pick<Quantization, "floatLayers">,
): NetworkLayer[] {
  return layers.filter(({ name }) => !floatLayers.includes(name));
}

/** Name of the ranges of a layer's weights. */
export function rangeName(weight: string): string {
  return `${weight}.range`;
}

/**
 * The points that are quantised: those that a quantised layer reads.
 *
 * @param folded The folded network.
 * @param quantization What is quantised.
 */
export function activePoints(
  { points }: FoldedNetwork,
  { floatLayers }: Pick<Quantization, "floatLayers">,
): QuantizationPoint[] {
  return points.filter(({ readers }) => readers.some((layer) => !floatLayers.includes(layer)));
}

function quantizeFilter(
  filter: tf.Tensor,
  { kind }: NetworkLayer,
  range: tf.Tensor,
  bits: number,
): tf.Tensor {
  const options = { bits, narrow: true };
  const high = tf.abs(range), low = tf.neg(high); // training moves a small range past 0
  if (kind !== "depthwise") return fakeQuantizeChannels(filter, low, high, options);
  const [height, width, channels] = filter.shape as [number, number, number];
  const matrix = tf.reshape(filter, [height * width, channels]); // the kernel wants channels last
  return tf.reshape(fakeQuantizeChannels(matrix, low, high, options), filter.shape);
}

function parametersOf(folded: FoldedNetwork, quantization: Quantization): ParameterSpec[] {
  const quantized = quantizedLayers(folded, quantization);
  const layerOf = new Map(folded.layers.map((layer) => [layer.weight, layer]));
  const ofLayers = folded.parameters.flatMap(({ name, shape }): ParameterSpec[] => {
    const layer = layerOf.get(name);
    const spec: ParameterSpec = { name, shape, kind: kindOf(name, layer) };
    return layer !== undefined && quantized.includes(layer)
      ? [spec, { name: rangeName(name), shape: [layer.outChannels], kind: "quantizer-range" }]
      : [spec];
  });
  const ranges = activePoints(folded, quantization).flatMap(({ name }): ParameterSpec[] =>
    ["min", "max"].map((bound) => ({ name: `${name}.${bound}`, shape: [], kind: "quantizer-range" }))
  );
  return [...ofLayers, ...ranges];
}

function kindOf(name: string, layer: NetworkLayer | undefined): ParameterSpec["kind"] {
  if (layer !== undefined) return layer.kind === "depthwise" ? "depthwise-convolution" : layer.kind;
  if (name === "classifier.scale") return "constant";
  return name.endsWith(".weight") ? "scale" : "bias";
}
