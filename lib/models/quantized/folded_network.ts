import type { Preprocessing } from "../../data/preprocessing.ts";
import { type FoldedGraph, foldParameters } from "../../graph/fold_parameters.ts";
import type { HostTensor } from "../../graph/host_tensor.ts";
import type { ParameterSpec } from "../layers.ts";
import type { Network } from "../network.ts";
import { record, type SpecTree } from "../../tensorflow/record.ts";
import type { tf } from "../../tensorflow/tf.ts";
import { findLayers, type NetworkLayer } from "./find_layers.ts";
import { findPoints, type QuantizationPoint } from "./find_points.ts";

/** A network in evaluation mode with its batch norms folded, in two graphs: up to the features, and the classifier. */
export interface FoldedNetwork {
  /** From `images` to `features`. */
  readonly body: FoldedGraph;
  /** From `features` to `logits`. */
  readonly classifier: FoldedGraph;
  /** Convolutions and linear layers in the order of the network. */
  readonly layers: readonly NetworkLayer[];
  /** Values between layers that can be quantised, in the order of the network. */
  readonly points: readonly QuantizationPoint[];
  /** Folded parameters of both graphs. */
  readonly parameters: FoldedGraph["parameters"];
  /** The network's weights as the folded network has them. */
  fold(weights: Readonly<Record<string, HostTensor>>): Record<string, HostTensor>;
}

/**
 * Folds the batch norms of a network and finds what of it can be quantised.
 *
 * @param network Any network.
 * @param size Height and width of its pictures, in pixels.
 * @returns The folded network.
 */
export function foldNetwork(network: Network, { height, width }: Preprocessing["size"]): FoldedNetwork {
  const isClassifiers = ({ name }: ParameterSpec) => name.startsWith("classifier.");
  const body = foldParameters(record(
    ({ images, params }) => ({
      features:
        network.features(params as Record<string, tf.Tensor>, images as tf.Tensor4D, { training: false })
          .features,
    }),
    {
      images: { dtype: "float32", shape: [1, height, width, 3] },
      params: specsOf(network.parameters.filter((spec) => !isClassifiers(spec))),
    },
    { name: "features" },
  ));
  const classifier = foldParameters(record(
    ({ features, params }) => ({
      logits: network.classify(params as Record<string, tf.Tensor>, features as tf.Tensor2D),
    }),
    {
      features: { dtype: "float32", shape: [1, network.featureChannels] },
      params: specsOf(network.parameters.filter(isClassifiers)),
    },
    { name: "classifier" },
  ));
  const parts = ["body", "classifier"] as const;
  const graphs = { body: body.graph, classifier: classifier.graph };
  const layers = parts.flatMap((part) => findLayers(graphs[part], part));
  return {
    body,
    classifier,
    layers,
    points: parts.flatMap((part) => findPoints(layers.filter((layer) => layer.part === part))),
    parameters: [...body.parameters, ...classifier.parameters],
    fold: (weights) => ({ ...body.fold(weights), ...classifier.fold(weights) }),
  };
}

function specsOf(parameters: readonly ParameterSpec[]): SpecTree {
  return Object.fromEntries(parameters.map(({ name, shape }) => [name, { dtype: "float32", shape }]));
}
