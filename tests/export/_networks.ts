import type { Preprocessing } from "../../lib/data/preprocessing.ts";
import type { ExportGraph } from "../../lib/export/export_graph.ts";
import type { ExportInput, ExportMetadata } from "../../lib/export/export_metadata.ts";
import type { FileSettings } from "../../lib/export/make_export.ts";
import { withInput } from "../../lib/export/model_input.ts";
import { toExportGraph } from "../../lib/export/to_export_graph.ts";
import { toExportMetadata } from "../../lib/export/to_export_metadata.ts";
import type { Model } from "../../lib/models/model.ts";
import { type OpenForTrainingOptions, openModel } from "../../lib/models/open_model.ts";
import { tf } from "../../lib/tensorflow/tf.ts";
import { noise } from "./_small_graphs.ts";
import type { Values } from "./compute_graph.ts";

/** A network with random weights in which nothing is 0 or 1 by chance of its first values: batch norms have their say. */
export async function randomModel(id: string, options: OpenForTrainingOptions = {}): Promise<Model> {
  const model = await openModel(id, {
    weights: null,
    ...(options.classNames === undefined ? { numClasses: 10 } : {}),
    seed: 7,
    ...options,
  });
  for (const [index, [name, { data, shape }]] of Object.entries(model.weights).entries()) {
    const random = noise(shape, index).data;
    const change = (of: (x: number, random: number) => number) => {
      for (let i = 0; i < random.length; i++) data[i] = of(data[i] as number, random[i]!);
    };
    if (name.endsWith("running_var")) change((x, random) => x * (1 + 0.5 * random));
    else if (name.endsWith("running_mean") || name.endsWith("bias")) change((x, random) => x + 0.2 * random);
    else if (shape.length === 1) change((x, random) => x * (1 + 0.3 * random));
  }
  return model;
}

/** Pictures of a model's size: RGB bytes `[count, height, width, 3]`, smooth with some noise. */
export function randomPictures({ preprocessing: { size } }: Model, count: number): Values {
  const { height, width } = size;
  const shape = [count, height, width, 3];
  const { data } = noise(shape, 3, 40);
  for (let i = 0; i < data.length; i++) {
    const channel = i % 3;
    const x = Math.floor(i / 3) % width;
    const y = Math.floor(i / 3 / width) % height;
    const picture = Math.floor(i / 3 / width / height);
    const wave = Math.sin(x / (7 + 5 * picture) + channel) * Math.cos(y / (11 + 3 * channel) + picture);
    data[i] = Math.round(Math.min(Math.max(127 + 85 * wave + data[i]!, 0), 255));
  }
  return { shape, data };
}

/** Logits of the model itself, `[count, classes]`. */
export async function logitsOf(model: Model, pictures: Values): Promise<Values> {
  const tensor = tf.tensor4d(pictures.data, pictures.shape as [number, number, number, number]);
  const rows = await model.logits(tensor);
  tensor.dispose();
  return { shape: [rows.length, rows[0]!.length], data: Float32Array.from(rows.flatMap((row) => [...row])) };
}

/** What a file that wants `input` is fed for pictures. */
export function fed(pictures: Values, { mean, std }: Preprocessing, input: ExportInput): Values {
  const [count, height, width] = pictures.shape as [number, number, number, number];
  const data = new Float32Array(pictures.data.length);
  const area = height * width;
  for (let picture = 0; picture < count; picture++) {
    for (let plane = 0; plane < 3; plane++) {
      const channel = input.channelOrder === "bgr" ? 2 - plane : plane;
      for (let i = 0; i < area; i++) {
        const value = pictures.data[(picture * area + i) * 3 + channel]!;
        data[(picture * 3 + plane) * area + i] = input.values === "raw"
          ? value
          : (value / 255 - mean[channel]!) / std[channel]!;
      }
    }
  }
  return { shape: [count, 3, height, width], data };
}

/** All networks, with the heads and sizes they come in. */
export const networks: readonly [id: string, options: OpenForTrainingOptions][] = [
  ["mobilenetv3_small_100", {}],
  ["mobilenetv3_large_075", {}],
  ["mobilenetv3_large_100", {}],
  ["efficientnet_b0", {}],
  ["tf_efficientnet_lite0", {}],
  ["mobilenetv3_large_100.ote", { imageSize: 96 }],
  ["efficientnet_b0.ote", { head: "cosine", imageSize: 96 }],
  ["mobilenetv3_small_100", { head: "cosine", imageSize: 96 }],
];

/** A file that can be made of a model. */
export interface FileVariant {
  readonly input: ExportInput;
  readonly precision?: "fp32" | "fp16";
  readonly dynamicBatch?: boolean;
}

const raw = { channelOrder: "bgr", values: "raw" } as const;

/** Every input, batch and precision; the first is what a file is by default. */
export const fileVariants: Readonly<Record<string, FileVariant>> = {
  "raw BGR": { input: raw },
  "raw RGB": { input: { channelOrder: "rgb", values: "raw" } },
  "normalized BGR": { input: { channelOrder: "bgr", values: "normalized" } },
  "normalized RGB": { input: { channelOrder: "rgb", values: "normalized" } },
  "any batch": { input: raw, dynamicBatch: true },
  "weights in half precision": { input: raw, precision: "fp16" },
};

/** Pictures a batch in what {@linkcode filesOf} makes. */
export const batch = 2;

/**
 * What is written into variants of a model's file, what each is fed, and the logits that the model itself gives for that.
 *
 * @param model The model.
 * @param variants Which files. @default {the one that is made by default}
 */
export async function filesOf(
  model: Model,
  variants: readonly FileVariant[] = [fileVariants["raw BGR"]!],
): Promise<{
  readonly logits: Values;
  readonly files: readonly {
    readonly graph: ExportGraph;
    readonly metadata: ExportMetadata;
    readonly settings: FileSettings;
    readonly input: Values;
  }[];
}> {
  const pictures = randomPictures(model, batch);
  const files = variants.map(({ input, precision = "fp32", dynamicBatch = false }) => {
    const network = toExportGraph(model, dynamicBatch ? 1 : batch);
    const graph = withInput(network.graph, model.preprocessing, input);
    return {
      graph,
      metadata: toExportMetadata(model, graph, { input, precision }),
      settings: { precision, dynamicBatch },
      input: fed(pictures, model.preprocessing, input),
    };
  });
  return { logits: await logitsOf(model, pictures), files };
}

/** Largest difference of two lists, as a share of the range of the first. */
export function differenceOfRange(ours: Float32Array, theirs: Float32Array): number {
  const range = Math.max(...ours) - Math.min(...ours);
  return Math.max(...ours.map((value, i) => Math.abs(value - theirs[i]!))) / range;
}
