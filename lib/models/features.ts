import type { Preprocessing } from "../data/preprocessing.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import { normaliseImages } from "../operators/normalise_images.ts";
import { compileForExecutor } from "../tensorflow/executor.ts";
import { record, type SpecTree } from "../tensorflow/record.ts";
import type { tf } from "../tensorflow/tf.ts";
import type { ParameterSpec } from "./layers.ts";
import type { Network } from "./network.ts";

/** A network in evaluation mode, cut in two before the classifier. */
export interface CutNetwork {
  /**
   * @param images RGB bytes `[batchSize, height, width, 3]`.
   * @returns Float32 `[batchSize, featureChannels]`, what the classifier sees.
   */
  features(images: Uint8Array): Promise<Float32Array>;
  /**
   * @param features Float32 `[batchSize, featureChannels]`.
   * @param weights The classifier's parameters by name; others may be among them.
   * @returns Float32 `[batchSize, classes]`.
   */
  logits(features: Float32Array, weights: Readonly<Record<string, HostTensor>>): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/**
 * Compiles both parts of a network, for many classifiers on the same features.
 *
 * @param network The network.
 * @param weights Its parameters and running statistics by name, in tfjs's layouts.
 * @param preprocessing Size and normalisation of its input.
 * @param batchSize Rows of a batch.
 * @returns The parts; dispose of them after use.
 */
export async function cutNetwork(
  network: Network,
  weights: Readonly<Record<string, HostTensor>>,
  preprocessing: Preprocessing,
  batchSize: number,
): Promise<CutNetwork> {
  const { height, width } = preprocessing.size, { featureChannels } = network;
  const isClassifiers = ({ name }: ParameterSpec) => name.startsWith("classifier.");
  const backbone = network.parameters.filter((spec) => !isClassifiers(spec));
  const images = { dtype: "uint8", shape: [batchSize, height, width, 3] } as const;
  const before = record(
    ({ images, params }) => ({
      features: network.features(
        params as Record<string, tf.Tensor>,
        normaliseImages(images, preprocessing),
        { training: false },
      ).features,
    }),
    { images, params: specsOf(backbone) },
    { name: "features" },
  );
  const classifier = network.parameters.filter(isClassifiers);
  const features = { dtype: "float32", shape: [batchSize, featureChannels] } as const;
  const after = record(
    ({ features, params }) => ({
      logits: network.classify(params as Record<string, tf.Tensor>, features as tf.Tensor2D),
    }),
    { features, params: specsOf(classifier) },
    { name: "classifier" },
  );
  const variables = Object.fromEntries(backbone.map(({ name }) => [`params/${name}`, weights[name]!]));
  const [extractor, scorer] = [await compileForExecutor(before, variables), await compileForExecutor(after)];
  return {
    features: async (data) =>
      (await extractor.run({ images: { ...images, data } }))["features"]!.data as Float32Array,
    async logits(data, weights) {
      const params = classifier.map(({ name }) => [`params/${name}`, weights[name]!] as const);
      const { logits } = await scorer.run({ features: { ...features, data }, ...Object.fromEntries(params) });
      return logits!.data as Float32Array;
    },
    async dispose() {
      await extractor.dispose();
      await scorer.dispose();
    },
  };
}

function specsOf(parameters: readonly ParameterSpec[]): SpecTree {
  return Object.fromEntries(parameters.map(({ name, shape }) => [name, { dtype: "float32", shape }]));
}
