import type { Graph } from "../graph/graph.ts";
import type { NetworkLayer, Part } from "../models/quantized/find_layers.ts";
import { quantizationHooks } from "../models/quantized/quantized_network.ts";
import { replay } from "../models/quantized/replay.ts";
import { normaliseImages } from "../operators/normalise_images.ts";
import { compileForExecutor } from "../tensorflow/executor.ts";
import { record } from "../tensorflow/record.ts";
import { tf } from "../tensorflow/tf.ts";
import { type NetworkPair, pairSpecs, pairVariables } from "./network_pair.ts";

/** What is compared. */
export interface Comparison extends NetworkPair {
  /**
   * Whether each layer's channels get the float network's means of the same pictures before the next layer reads them.
   */
  readonly adapt: boolean;
  /** Told how many pictures are done, and waited for; a batch that is not full counts as whole. */
  readonly onProgress?: (done: number, total: number) => unknown;
}

/** How a layer's result in the quantised network differs from that in the float one. */
export interface LayerDifference {
  /** What the float network's mean of each channel is above the quantised one's, `[out]`. */
  readonly meanDifference: Float32Array;
  /** Signal-to-noise ratio, in decibels: squares of the float result over squares of the difference. */
  readonly decibels: number;
}

/**
 * Runs pictures through a network in float and quantised, side by side, and compares the result of each layer.
 *
 * @param comparison Networks and pictures.
 * @returns The differences by layer.
 */
export async function compareLayers(comparison: Comparison): Promise<Record<string, LayerDifference>> {
  const { folded, preprocessing, loader, signal, onProgress } = comparison;
  const { batchSize } = loader, { height, width } = preprocessing.size;
  const compiled = await compileForExecutor(recordPair(comparison), pairVariables(comparison));
  const sums = new Map<string, { means: Float64Array; signal: number; noise: number }>();
  const total = loader.stepsPerEpoch * batchSize;
  let batches = 0;
  try {
    for await (const { images, count } of loader.epoch(0)) {
      signal?.throwIfAborted();
      if (count === 0) continue; // none of them could be read
      const data = withoutEmptyRows(images, count, batchSize);
      const outputs = await compiled.run({
        images: { dtype: "uint8", shape: [batchSize, height, width, 3], data },
      });
      batches++;
      for (const { name } of folded.layers) {
        const means = outputs[`means/${name}`]!.data as Float32Array;
        const sum = sums.get(name) ?? { means: new Float64Array(means.length), signal: 0, noise: 0 };
        for (let channel = 0; channel < means.length; channel++) sum.means[channel]! += means[channel]!;
        sum.signal += outputs[`signal/${name}`]!.data[0] as number;
        sum.noise += outputs[`noise/${name}`]!.data[0] as number;
        sums.set(name, sum);
      }
      await onProgress?.(batches * batchSize, total);
    }
  } finally {
    await compiled.dispose();
  }
  return Object.fromEntries(
    [...sums].map(([name, { means, signal, noise }]) => [name, {
      meanDifference: Float32Array.from(means, (sum) => sum / batches),
      decibels: 10 * Math.log10(signal / Math.max(noise, Number.MIN_VALUE)),
    }]),
  );
}

/** Pictures again in the rows of a batch that have none, which would count as black ones. */
function withoutEmptyRows(images: Uint8Array, count: number, batchSize: number): Uint8Array {
  const each = images.length / batchSize, filled = images.slice();
  for (let row = count; row < batchSize; row++) {
    const from = (row % count) * each;
    filled.copyWithin(row * each, from, from + each);
  }
  return filled;
}

/** Both networks on one batch; of each layer the means of the differences, and sums of squares. */
function recordPair(comparison: Comparison): Graph {
  const { folded, quantization, preprocessing, adapt } = comparison;
  const hooks = quantizationHooks(folded, quantization);
  const layerOf: Record<Part, Map<number, NetworkLayer>> = { body: new Map(), classifier: new Map() };
  for (const layer of folded.layers) layerOf[layer.part].set(layer.output, layer);
  return record(
    ({ images, float, quantized }) => {
      const params = float as Record<string, tf.Tensor>, ranges = quantized as Record<string, tf.Tensor>;
      const results = new Map<NetworkLayer, tf.Tensor>();
      const means: Record<string, tf.Tensor> = {};
      const signal: Record<string, tf.Tensor> = {}, noise: Record<string, tf.Tensor> = {};
      const reference = (part: Part, data: Record<string, tf.Tensor>) =>
        replay(folded[part].graph, { ...params, ...data }, {
          value(id, value) {
            const layer = layerOf[part].get(id);
            if (layer !== undefined) results.set(layer, value);
            return value;
          },
        });
      const compared = (part: Part, data: Record<string, tf.Tensor>) => {
        const { value: quantize, filter } = hooks(part, ranges);
        return replay(folded[part].graph, { ...ranges, ...data }, {
          filter,
          value(id, value) {
            const layer = layerOf[part].get(id);
            if (layer === undefined) return quantize(id, value);
            const wanted = results.get(layer)!;
            const difference = tf.sub(wanted, value);
            const mean = tf.mean(difference, difference.shape.map((_, axis) => axis).slice(0, -1));
            means[layer.name] = mean;
            signal[layer.name] = tf.sum(tf.square(wanted));
            noise[layer.name] = tf.sum(tf.square(difference));
            return quantize(id, adapt ? tf.add(value, mean) : value);
          },
        });
      };
      const input = normaliseImages(images, preprocessing);
      reference("classifier", { features: reference("body", { images: input })["features"]! });
      compared("classifier", { features: compared("body", { images: input })["features"]! });
      return { means, signal, noise };
    },
    pairSpecs(comparison),
    { name: "compare_layers" },
  );
}
