import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Dataset, DatasetSplits } from "../data/dataset.ts";
import type { Preprocessing } from "../data/preprocessing.ts";
import type { Model } from "../models/model.ts";
import { foldNetwork } from "../models/quantized/folded_network.ts";
import type { Quantization } from "../models/quantized/quantization.ts";
import { readSafetensors, writeSafetensors } from "../models/weights/safetensors.ts";
import { CheckpointError, hashWeights } from "../training/checkpoint.ts";
import { namedDifferences } from "../training/differences.ts";
import { calibrationPictures } from "./calibration_pictures.ts";
import type { QuantizedWeights } from "./post_training.ts";
import { quantizedModel } from "./quantized_model.ts";
import type { QuantizeOptions } from "./quantize_options.ts";
import type { RangeChoice, RangeMethod } from "./ranges.ts";

/** What a quantisation after training was made with. */
export interface PostTrainingOrigin {
  /** How ranges were to be chosen. */
  readonly ranges: RangeChoice;
  /** Of the choice of pictures. */
  readonly seed: number;
  /** The calibration pictures. */
  readonly pictures: Dataset;
  /** Whether they are a set of the user's own, and not some of the training set. */
  readonly isOwnSet: boolean;
}

/** A quantisation after training, and what it was made with. */
export interface PostTraining {
  readonly quantized: QuantizedWeights;
  readonly origin: PostTrainingOrigin;
}

/** What the file says of its tensors. */
interface PostTrainingRecord {
  readonly format: 1;
  readonly quantization: Quantization;
  readonly ranges: RangeChoice;
  /** What was chosen. */
  readonly chosen: { readonly ranges: RangeMethod; readonly isAdapted: boolean };
  readonly seed: number;
  readonly preprocessing: Preprocessing;
  /** Of the float model's weights. */
  readonly weightsHash: string;
  readonly calibration: { readonly count: number; readonly isOwnSet: boolean; readonly hash: string };
}

/** Beside the state of a fine-tuning: what the fine-tuning began with. */
const fileName = "post_training.safetensors", recordName = "whittle-post-training";

/**
 * Writes what a fine-tuning begins with, so that one that goes on need not do it again: it is state, and no checkpoint.
 *
 * @param folder Folder of the fine-tuning.
 * @param model The model in float.
 * @param postTraining The quantisation.
 * @throws {Error} If the file cannot be written.
 */
export async function savePostTraining(
  folder: string,
  model: Pick<Model, "weights" | "preprocessing">,
  { quantized, origin: { ranges, seed, pictures, isOwnSet } }: PostTraining,
): Promise<void> {
  const record: PostTrainingRecord = {
    format: 1,
    quantization: quantized.quantization,
    ranges,
    chosen: { ranges: quantized.ranges, isAdapted: quantized.isAdapted },
    seed,
    preprocessing: model.preprocessing,
    weightsHash: hashWeights(model.weights),
    calibration: { count: pictures.samples.length, isOwnSet, hash: hashPictures(pictures) },
  };
  await writeSafetensors(join(folder, fileName), quantized.weights, { [recordName]: JSON.stringify(record) });
}

/**
 * Reads what {@linkcode savePostTraining} wrote.
 *
 * @param folder Folder of the fine-tuning.
 * @param model The model in float: the one it was.
 * @param data What it is trained on.
 * @param options The user's; what is passed must not contradict the file.
 * @returns The quantisation.
 * @throws {CheckpointError} If there is none, or it was made of another model or with other options; all are named.
 */
export async function loadPostTraining(
  folder: string,
  model: Model,
  data: DatasetSplits,
  options: Pick<QuantizeOptions, "target" | "ranges" | "calibration" | "seed">,
): Promise<PostTraining> {
  const refuse = (cause: string, help: string) =>
    new CheckpointError(`Cannot resume from "${folder}": ${cause}\n  help: ${help}`);
  const anew = "begin anew, without { resumeFrom: ... }";
  const { tensors, metadata } = await readSafetensors(join(folder, fileName)).catch((error) => {
    throw error instanceof Deno.errors.NotFound
      ? refuse(`${fileName} is missing, which quantize writes before it trains`, anew)
      : refuse((error as Error).message.split("\n")[0]!, anew);
  });
  const record = JSON.parse(metadata[recordName] ?? "{}") as Partial<PostTrainingRecord>;
  if (record.format !== 1) {
    throw refuse(
      `${fileName} has format ${record.format}, and this version reads format 1`,
      "update Whittle",
    );
  }
  const { quantization, ranges, chosen, seed, calibration, preprocessing, weightsHash } =
    record as PostTrainingRecord;
  const { target, calibration: asked } = options;
  const isMissing = calibration.isOwnSet && asked === undefined;
  const pictures = calibrationPictures(data, {
    calibration: asked ?? Math.min(calibration.count, data.train.samples.length),
    seed: options.seed ?? seed,
  });
  const problems = [
    ...namedDifferences({ target, ranges: options.ranges, preprocessing: model.preprocessing }, {
      target: quantization.weightBits === 7 ? "any" : "vnni",
      ranges,
      preprocessing,
    }),
    ...(hashWeights(model.weights) === weightsHash ? [] : ["model: the weights in float differ"]),
    ...(isMissing ? [`calibration: was a set of ${calibration.count} pictures, is not given`] : []),
    ...(isMissing || hashPictures(pictures) === calibration.hash
      ? []
      : [`calibration: was ${calibration.count} pictures, is ${pictures.samples.length}, or others`]),
  ];
  if (problems.length > 0) {
    throw refuse(
      `it is another quantisation\n  ${problems.join("\n  ")}`,
      `pass the same model, data and options, or ${anew}`,
    );
  }
  const folded = foldNetwork(model.network, model.preprocessing.size);
  const quantized = { folded, float: folded.fold(model.weights), quantization, weights: tensors, ...chosen };
  requireTensors(model, quantized, () => refuse(`${fileName} is damaged: it lacks tensors`, anew));
  return { quantized, origin: { ranges, seed, pictures, isOwnSet: calibration.isOwnSet } };
}

function requireTensors(model: Model, quantized: QuantizedWeights, error: () => Error): void {
  const { parameters } = quantizedModel(model, quantized).network;
  if (parameters.some(({ name, shape }) => quantized.weights[name]?.shape.join() !== shape.join())) {
    throw error();
  }
}

function hashPictures({ samples }: Dataset): string {
  return createHash("sha256").update(JSON.stringify(samples.map(({ name, label }) => [name, label]))).digest(
    "hex",
  );
}
