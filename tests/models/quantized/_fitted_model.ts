/** Networks that tell pictures apart, in seconds: random filters, batch norms of the pictures, a fitted classifier. */
import { createRng } from "../../../lib/augment/rng.ts";
import type { Dataset } from "../../../lib/data/dataset.ts";
import type { HostTensor } from "../../../lib/graph/host_tensor.ts";
import { cutNetwork } from "../../../lib/models/features.ts";
import { initialise } from "../../../lib/models/initialise.ts";
import { createModel, type Model } from "../../../lib/models/model.ts";
import { createNetwork, modelRecord } from "../../../lib/models/registry.ts";
import { normaliseImages } from "../../../lib/operators/normalise_images.ts";
import { openExecutor } from "../../../lib/tensorflow/executor.ts";
import { tf } from "../../../lib/tensorflow/mod.ts";
import { drawShape, shapeNames } from "../../training/_shapes.ts";

/** Side of the pictures. */
export const side = 32;
const bytesOfPicture = side * side * 3;

/** Pictures of shapes, the classes in turns: bytes and labels. */
export interface Pictures {
  readonly bytes: Uint8Array;
  readonly labels: readonly number[];
}

/** Draws pictures, the same for the same seed. */
export function drawPictures(count: number, seed: number): Pictures {
  const bytes = new Uint8Array(count * bytesOfPicture);
  const labels = Array.from({ length: count }, (_, index) => index % shapeNames.length);
  labels.forEach((label, index) => {
    const { data } = drawShape(shapeNames[label]!, side, createRng(seed, "split", index, 0));
    bytes.set(data, index * bytesOfPicture);
  });
  return { bytes, labels };
}

/** The same as a data set. */
export function toDataset({ bytes, labels }: Pictures): Dataset {
  return {
    name: "shapes",
    classNames: shapeNames,
    samples: labels.map((label, index) => ({
      image: {
        width: side,
        height: side,
        channels: 3,
        data: bytes.subarray(index * bytesOfPicture, (index + 1) * bytesOfPicture),
      },
      label,
      name: `${index}`,
    })),
  };
}

/**
 * Makes a model of random filters whose running statistics are those of the pictures and whose classifier is fitted to
 * them: quantising it loses little, as in a trained one.
 *
 * @param id timm's id.
 * @param pictures What it is fitted to.
 */
export async function fittedModel(id: string, pictures: Pictures): Promise<Model> {
  await openExecutor();
  const record = modelRecord(id);
  const preprocessing = { ...record.preprocessing, size: { height: side, width: side } };
  const network = createNetwork(record, { numClasses: shapeNames.length });
  const weights = initialise(network.parameters, 3);
  const count = pictures.labels.length;
  tf.tidy(() => {
    const params = Object.fromEntries(
      Object.entries(weights).map((
        [name, { data, shape }],
      ) => [name, tf.tensor(data as Float32Array, [...shape])]),
    );
    const images = normaliseImages(
      tf.tensor4d(Float32Array.from(pictures.bytes), [count, side, side, 3]),
      preprocessing,
    );
    const { statistics } = network.features(params, images, { training: true });
    for (const [name, value] of Object.entries(statistics)) {
      weights[name] = { dtype: "float32", shape: value.shape, data: value.dataSync() as Float32Array };
      value.dispose();
    }
  });
  const cut = await cutNetwork(network, weights, preprocessing, count);
  Object.assign(weights, fitClassifier(await cut.features(pictures.bytes), pictures.labels));
  await cut.dispose();
  return createModel({ record, classNames: shapeNames, weights, preprocessing });
}

/** Ridge regression of 4 for the right class and -4 for the others, in its dual form. */
function fitClassifier(features: Float32Array, labels: readonly number[]): Record<string, HostTensor> {
  const count = labels.length, channels = features.length / count, classes = shapeNames.length;
  const row = (index: number) => features.subarray(index * channels, (index + 1) * channels);
  const product = (a: Float32Array, b: Float32Array) =>
    a.reduce((sum, value, index) => sum + value * b[index]!, 1);
  const kernel = labels.map((_, a) => labels.map((_, b) => product(row(a), row(b))));
  const trace = kernel.reduce((sum, values, index) => sum + values[index]!, 0);
  const system = kernel.map((values, a) => [
    ...values.map((value, b) => a === b ? value + 1e-3 * trace / count : value),
    ...Array.from({ length: classes }, (_, label) => label === labels[a] ? 4 : -4),
  ]);
  const weight = new Float32Array(channels * classes), bias = new Float32Array(classes);
  solve(system).forEach((shares, index) =>
    shares.forEach((share, label) => {
      bias[label]! += share;
      row(index).forEach((value, channel) => weight[channel * classes + label]! += share * value);
    })
  );
  return {
    "classifier.weight": { dtype: "float32", shape: [channels, classes], data: weight },
    "classifier.bias": { dtype: "float32", shape: [classes], data: bias },
  };
}

/** Gauss-Jordan elimination of a positive definite system with its right sides. */
function solve(system: number[][]): number[][] {
  const count = system.length;
  for (let pivot = 0; pivot < count; pivot++) {
    const first = system[pivot]!;
    const factor = 1 / first[pivot]!;
    for (let column = pivot; column < first.length; column++) first[column]! *= factor;
    for (const [index, row] of system.entries()) {
      const multiple = row[pivot]!;
      if (index === pivot || multiple === 0) continue;
      for (let column = pivot; column < row.length; column++) row[column]! -= multiple * first[column]!;
    }
  }
  return system.map((row) => row.slice(count));
}
