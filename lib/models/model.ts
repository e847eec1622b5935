import {
  type TestTimeAugmentation,
  testTimeProblems,
  testTimeViews,
  type View,
} from "../augment/test_time_views.ts";
import type { ImageSource } from "../data/dataset.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import { checkOptions, checkValues } from "../errors/check_options.ts";
import { countOperations } from "../graph/complexity.ts";
import { type HostTensor, sizeOf } from "../graph/host_tensor.ts";
import { tf } from "../tensorflow/tf.ts";
import { headOf } from "./classifier.ts";
import { createInference, type Inference, recordInference } from "./inference.ts";
import { isTrainable } from "./layers.ts";
import { logitsOfPictures } from "./logits_of_pictures.ts";
import type { ForwardOptions, ForwardResult, Network } from "./network.ts";
import { type FoldedNetwork, foldNetwork } from "./quantized/folded_network.ts";
import type { Quantization } from "./quantized/quantization.ts";
import { createQuantizedNetwork } from "./quantized/quantized_network.ts";
import { createNetwork, type ModelRecord } from "./registry.ts";

/** How a model looks at pictures. */
export interface LogitsOptions {
  /** Looks at several views of each picture. @default {false} */
  readonly testTimeAugmentation?: boolean | TestTimeAugmentation;
}

/** A network with weights, class names and the preprocessing that belongs to them. */
export interface Model {
  /** timm's id with its tag, e.g. `mobilenetv3_large_100.ra_in1k`. */
  readonly id: string;
  /** Names of the classes, in the order of the logits. */
  readonly classNames: readonly string[];
  /** How a picture becomes the input. */
  readonly preprocessing: Preprocessing;
  /** Parameters and running statistics as plain data: by timm's names, in tfjs's layouts. */
  readonly weights: Readonly<Record<string, HostTensor>>;
  /** The same as tensors, made when first asked for; for `forward`. Disposed with the model. */
  readonly params: Readonly<Record<string, tf.Tensor>>;
  /** The function and the names of its parameters. */
  readonly network: Network;
  /** How it is quantised, if it is: then the network computes as its int8 file does. */
  readonly quantization?: Quantization;
  /** Operations for one picture (2 x multiply-accumulates, in 10^9) and parameters (in 10^6). */
  readonly complexity: { readonly gflops: number; readonly megaParams: number };
  /**
   * Runs the network on normalised images, op by op or inside `record`.
   *
   * @param params Parameters and running statistics, e.g. the model's own `params`.
   * @param images Float32 `[batch, height, width, 3]`, normalised with the model's mean and std.
   * @param options `training`: whether batch norms use the statistics of the batch; `dropout`: factors of the features.
   */
  forward(
    params: Readonly<Record<string, tf.Tensor>>,
    images: tf.Tensor4D,
    options: ForwardOptions,
  ): ForwardResult;
  /**
   * Class scores before the softmax.
   *
   * @param images Pictures (paths, URLs, bytes of files, decoded pixels), or a tensor `[batch, height, width, 3]` of RGB
   * values 0..255 at the model's size.
   * @param options `testTimeAugmentation`: averages the probabilities of several views of each picture, by default of the
   * picture and its mirror image.
   * @returns One array of `classNames.length` logits a picture.
   * @throws {TypeError} If an option is not known or of the wrong type.
   */
  logits(images: readonly ImageSource[] | tf.Tensor4D, options?: LogitsOptions): Promise<Float32Array[]>;
  /** Frees the native memory. */
  dispose(): Promise<void>;
  /** What `JSON.stringify` keeps: everything but the weights, which are in the checkpoint. */
  toJSON(): Pick<Model, "id" | "classNames" | "preprocessing" | "complexity">;
}

/** What a model is made of. */
export interface ModelParts {
  readonly record: ModelRecord;
  readonly classNames: readonly string[];
  readonly weights: Readonly<Record<string, HostTensor>>;
  /** Another input size than the record's, in pixels. */
  readonly preprocessing?: Preprocessing;
  /** How it is quantised; the weights are those of the quantised network. */
  readonly quantization?: Quantization;
  /** The network folded, where that was done already. */
  readonly folded?: FoldedNetwork;
}

/** Most pictures in one batch of `logits`. */
const largestBatch = 32;

/**
 * Puts a model together.
 *
 * @param parts Record, class names and weights.
 * @returns The model.
 */
export function createModel(parts: ModelParts): Model {
  const { record, classNames, weights, preprocessing = record.preprocessing, quantization } = parts;
  const float = createNetwork(record, { numClasses: classNames.length, head: headOf(weights) });
  const network = quantization === undefined
    ? float
    : createQuantizedNetwork(float, parts.folded ?? foldNetwork(float, preprocessing.size), quantization);
  const compiled = new Map<number, Promise<Inference>>();
  let params: Record<string, tf.Tensor> | undefined;
  let complexity: Model["complexity"] | undefined;

  function inferenceFor(count: number): Promise<Inference> {
    const batchSize = Math.min(largestBatch, 2 ** Math.ceil(Math.log2(count)));
    let inference = compiled.get(batchSize);
    if (inference === undefined) {
      inference = createInference(network, weights, preprocessing, batchSize);
      compiled.set(batchSize, inference);
    }
    return inference;
  }

  async function logitsOfBytes(images: Uint8Array, count: number, views: View[]): Promise<Float32Array[]> {
    const bytesPerImage = images.length / count;
    const logits: Float32Array[] = [];
    for (let start = 0; start < count;) {
      const inference = await inferenceFor(count - start);
      const rows = Math.min(inference.batchSize, count - start);
      const batch = new Uint8Array(inference.batchSize * bytesPerImage);
      batch.set(images.subarray(start * bytesPerImage, (start + rows) * bytesPerImage));
      logits.push(...await inference.logits(batch, rows, views));
      start += rows;
    }
    return logits;
  }

  async function logitsOfSources(images: readonly ImageSource[], views: View[]): Promise<Float32Array[]> {
    return await logitsOfPictures(images, await inferenceFor(images.length), model, views);
  }

  const model: Model = {
    id: record.id,
    classNames,
    preprocessing,
    weights,
    network,
    ...(quantization === undefined ? {} : { quantization }),
    get params() {
      params ??= Object.fromEntries(
        Object.entries(weights).map(([name, { data, shape }]) => [
          name,
          tf.keep(tf.tensor(data as Float32Array, [...shape])),
        ]),
      );
      return params;
    },
    get complexity() {
      complexity ??= {
        gflops: countOperations(recordInference(float, preprocessing, 1)) / 1e9,
        megaParams: float.parameters
          .filter(isTrainable)
          .reduce((sum, { shape }) => sum + sizeOf(shape), 0) / 1e6,
      };
      return complexity;
    },
    forward: network.forward,
    async logits(images, options = {}) {
      const { testTimeAugmentation } = options;
      checkOptions(options, ["testTimeAugmentation"], "logits");
      checkValues("logits", testTimeProblems("testTimeAugmentation", testTimeAugmentation));
      const views = testTimeViews(testTimeAugmentation);
      if (!(images instanceof tf.Tensor)) {
        return images.length === 0 ? [] : await logitsOfSources(images, views);
      }
      const { height, width } = preprocessing.size;
      const [count, ...size] = images.shape;
      if (images.rank !== 4 || size.join() !== [height, width, 3].join()) {
        throw new TypeError(
          `Cannot compute logits: wanted images of shape [batch,${height},${width},3], found [${images.shape}]`,
        );
      }
      return await logitsOfBytes(Uint8Array.from(await images.data(), Math.round), count, views);
    },
    async dispose() {
      for (const inference of compiled.values()) await (await inference).dispose();
      compiled.clear();
      if (params !== undefined) tf.dispose(params);
      params = undefined;
    },
    toJSON: () => ({ id: model.id, classNames, preprocessing, complexity: model.complexity }),
  };
  // What console.log shows: a line, not millions of numbers.
  const inspected = Symbol.for("Deno.customInspect");
  Object.defineProperty(model, inspected, { value: () => describeModel(model) });
  return model;
}

function describeModel({ id, classNames, preprocessing: { size }, quantization }: Model): string {
  const shown = classNames.slice(0, 5).join(", ") + (classNames.length > 5 ? ", ..." : "");
  return `Model ${id}${
    quantization === undefined ? "" : ", int8"
  }, ${size.height} x ${size.width} pixels, ${classNames.length} classes (${shown})`;
}
