import type { Loader } from "../data/loader.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import type { CompiledFunction } from "../graph/compiled_function.ts";
import type { Graph } from "../graph/graph.ts";
import type { HostTensor } from "../graph/host_tensor.ts";
import type { FoldedNetwork } from "../models/quantized/folded_network.ts";
import { replay } from "../models/quantized/replay.ts";
import { normaliseImages } from "../operators/normalise_images.ts";
import { compileForExecutor } from "../tensorflow/executor.ts";
import { record } from "../tensorflow/record.ts";
import type { tf } from "../tensorflow/tf.ts";
import type { Histogram, ObservedValue } from "./ranges.ts";

/** Bins of a histogram: eight to a step of the final range, if that is the whole one. */
const bins = 2048;

/** What {@linkcode observeValues} looks at. */
export interface Observation {
  readonly folded: FoldedNetwork;
  /** The folded network's weights. */
  readonly weights: Readonly<Record<string, HostTensor>>;
  readonly preprocessing: Preprocessing;
  /** The calibration pictures. */
  readonly loader: Loader;
  readonly signal?: AbortSignal;
  /** Told how many pictures are done, and waited for; each is looked at twice, and a last, smaller batch counts as whole. */
  readonly onProgress?: (done: number, total: number) => unknown;
}

/**
 * Runs calibration pictures through the float network and counts the numbers of each value that is to be quantised:
 * once for the smallest and largest, once for the histogram between them.
 *
 * @param observation Network and pictures.
 * @returns What was seen at each point, by its name.
 */
export async function observeValues(observation: Observation): Promise<Record<string, ObservedValue>> {
  const { folded, weights, preprocessing, loader, signal, onProgress } = observation;
  const { batchSize } = loader;
  const graph = recordPoints(folded, preprocessing, batchSize);
  const compiled = await compileForExecutor(
    graph,
    Object.fromEntries(Object.entries(weights).map(([name, value]) => [`params/${name}`, value])),
  );
  const total = 2 * loader.stepsPerEpoch * batchSize;
  let done = 0;
  /** Gives every picture's numbers of every value to a function. */
  const look = async (see: (name: string, numbers: Float32Array) => void) => {
    for await (const { images, count } of loader.epoch(0)) {
      signal?.throwIfAborted();
      const values = await run(compiled, images, batchSize, preprocessing);
      for (const [name, { data }] of Object.entries(values)) {
        const each = data.length / batchSize;
        for (let row = 0; row < count; row++) {
          see(name, (data as Float32Array).subarray(row * each, (row + 1) * each));
        }
      }
      await onProgress?.(done += batchSize, total);
    }
  };
  try {
    const extremes = new Map<string, Extremes>();
    await look((name, numbers) => extremes.set(name, extended(extremes.get(name), numbers)));
    const histograms = new Map([...extremes].map(([name, seen]) => [name, emptyHistogram(seen)]));
    await look((name, numbers) => count(histograms.get(name)!, numbers));
    return Object.fromEntries(
      [...extremes].map(([name, { sumMin, sumMax, pictures }]) => [name, {
        meanMin: sumMin / pictures,
        meanMax: sumMax / pictures,
        histogram: histograms.get(name)!,
      }]),
    );
  } finally {
    await compiled.dispose();
  }
}

/** Smallest and largest number so far, over all pictures and summed over each picture's own. */
interface Extremes {
  readonly low: number;
  readonly high: number;
  readonly sumMin: number;
  readonly sumMax: number;
  readonly pictures: number;
}

function extended(before: Extremes | undefined, numbers: Float32Array): Extremes {
  let low = Infinity, high = -Infinity;
  for (let index = 0; index < numbers.length; index++) {
    const value = numbers[index]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (before === undefined) return { low, high, sumMin: low, sumMax: high, pictures: 1 };
  return {
    low: Math.min(before.low, low),
    high: Math.max(before.high, high),
    sumMin: before.sumMin + low,
    sumMax: before.sumMax + high,
    pictures: before.pictures + 1,
  };
}

function emptyHistogram({ low, high }: Extremes): Histogram {
  const isPoint = high - low < 1e-12; // one number only: bins above it
  return { low, high: isPoint ? low + 1e-6 : high, counts: new Float64Array(bins) };
}

function count({ low, high, counts }: Histogram, numbers: Float32Array): void {
  const perUnit = bins / (high - low);
  for (let index = 0; index < numbers.length; index++) {
    const bin = Math.floor((numbers[index]! - low) * perUnit);
    counts[bin < bins ? bin : bins - 1]!++;
  }
}

async function run(
  compiled: CompiledFunction,
  images: Uint8Array,
  batchSize: number,
  { size: { height, width } }: Preprocessing,
): Promise<Record<string, HostTensor>> {
  return await compiled.run({
    images: { dtype: "uint8", shape: [batchSize, height, width, 3], data: images },
  });
}

/** From bytes to the values of all points, under their names. */
function recordPoints(folded: FoldedNetwork, preprocessing: Preprocessing, batchSize: number): Graph {
  const { height, width } = preprocessing.size;
  return record(
    ({ images, params }) => {
      const points: Record<string, tf.Tensor> = {};
      const looking = (part: "body" | "classifier") => {
        const names = new Map(
          folded.points.filter((point) => point.part === part).map(({ value, name }) => [value, name]),
        );
        return {
          value(id: number, value: tf.Tensor): tf.Tensor {
            const name = names.get(id);
            if (name !== undefined) points[name] = value;
            return value;
          },
        };
      };
      const inputs = params as Record<string, tf.Tensor>;
      const { features } = replay(folded.body.graph, {
        ...inputs,
        images: normaliseImages(images, preprocessing),
      }, looking("body"));
      replay(folded.classifier.graph, { ...inputs, features: features! }, looking("classifier"));
      return points;
    },
    {
      images: { dtype: "uint8", shape: [batchSize, height, width, 3] },
      params: Object.fromEntries(
        folded.parameters.map(({ name, shape }) => [name, { dtype: "float32", shape }]),
      ),
    },
    { name: "calibration" },
  );
}
