import { join, resolve } from "node:path";
import type { Dataset, DatasetSplits } from "./data/dataset.ts";
import { DatasetError } from "./data/dataset_error.ts";
import { createLoader, type Loader } from "./data/loader.ts";
import type { Model } from "./models/model.ts";
import type { Quantization } from "./models/quantized/quantization.ts";
import { openSource, type Source } from "./models/source.ts";
import type { Displayed } from "./notebook/display.ts";
import { openReaders } from "./notebook/open_readers.ts";
import { provisionView } from "./notebook/provision_view.ts";
import { quantizationProgress } from "./notebook/quantization_progress.ts";
import { type QuantizeFigures, withQuantizeView } from "./notebook/quantize_view.ts";
import { withStopSignal } from "./notebook/stop_signal.ts";
import { controlAccuracy } from "./quantization/accuracy_control.ts";
import { type AccuracyDrop, accuracyDrop } from "./quantization/accuracy_drop.ts";
import type { ControlStep } from "./quantization/accuracy_drop_error.ts";
import type { QuantizationEvent } from "./quantization/events.ts";
import { type LayerReport, rankLayers, reportLayers } from "./quantization/layer_report.ts";
import {
  calibrationLoader,
  quantizeAfterTraining,
  type QuantizedWeights,
} from "./quantization/post_training.ts";
import { quantizedModel } from "./quantization/quantized_model.ts";
import { checkQuantizeOptions, type QuantizeOptions } from "./quantization/quantize_options.ts";
import { measureInRuntime, type RuntimeScores, scoreInRuntime } from "./quantization/score_in_runtime.ts";
import { vnniWarning } from "./quantization/vnni.ts";
import { calibrationPictures } from "./quantization/calibration_pictures.ts";
import { type FineTuned, fineTuneQuantized } from "./quantization/fine_tune_quantized.ts";
import { bestFileName, CheckpointError, resumeFileName, saveWeights } from "./training/checkpoint.ts";
import type { EpochRecord, StopReason, TrainingEvent } from "./training/events.ts";
import { checkData } from "./training/fine_tune_options.ts";
import { checkFolder, prepareFolder } from "./training/run_folder.ts";
import { newOutputDir } from "./training/start.ts";

export type { QuantizeOptions };

/** What {@linkcode quantize} returns. It shows itself in a notebook, prints as text, and draws `figures`. */
export interface QuantizeResult {
  /** The quantised model; it computes as its int8 file does. */
  readonly model: Model;
  /** Path of its weights, for `loadModel`, `evaluate`, `predict`, `exportIR` and `exportONNX`. */
  readonly checkpoint: string;
  /** What int8 costs, measured with the int8 file in its runtime on the validation set. */
  readonly drop: AccuracyDrop & { readonly maxDrop: number; readonly runtime: string };
  /** How each layer fares, in the order of the network. */
  readonly layers: readonly LayerReport[];
  /** Every measured try, from all layers in int8 on. */
  readonly steps: readonly ControlStep[];
  /** Top-1 of the int8 file before fine-tuning, 0..1, if there was fine-tuning; the better of both is kept. */
  readonly postTrainingTop1?: number;
  /** One row an epoch of fine-tuning. */
  readonly history: readonly EpochRecord[];
  /** Why fine-tuning ended; `undefined` without. */
  readonly stopped: StopReason | undefined;
  /** Time of one picture in the runtime on this machine, in milliseconds, measured in turns. */
  readonly latency: { readonly float: number; readonly int8: number };
  /** Bits of the weights. */
  readonly weightBits: 7 | 8;
  /** How many pictures the ranges come from. */
  readonly calibrationPictures: number;
  /** Folder of the checkpoint, and of what fine-tuning writes. */
  readonly outputDir: string;
  /** Seconds this call took. */
  readonly durationSeconds: number;
  /** Draws the layers when asked. */
  readonly figures: QuantizeFigures;
}

/**
 * Quantises a model to int8, with a promise: on the validation set its int8 file, run in OpenVINO, loses no more than
 * `maxDrop` of top-1. Ranges come from calibration pictures; then the network is fine-tuned with its rounding in place;
 * and if the promise does not hold, layers go back to float, those that hurt most first, until it does.
 *
 * @param source A model in float, a result of `fineTune`, or the path of a checkpoint.
 * @param data What it was trained on; the same classes.
 * @param options See {@linkcode QuantizeOptions}.
 * @returns The quantised model, its drop, and a report of every layer.
 * @throws {AccuracyDropError} If the promise cannot be kept; it holds every try.
 * @throws {TypeError} If an option is unknown or of the wrong type, or the model is quantised already.
 * @throws {RangeError} If an option's value cannot be used, or there are too few calibration pictures.
 * @throws {DatasetError} If the data cannot be used.
 * @throws {CheckpointError} If `outputDir` cannot be written, or holds the float weights; if a run cannot be resumed.
 * @throws {LibraryError} If TensorFlow or OpenVINO cannot be had.
 *
 * @example
 * ```ts ignore
 * import { exportIR, imageFolders, quantize } from "whittle";
 *
 * const data = await imageFolders("pets");
 * const int8 = await quantize("outputs/pets/best.safetensors", data, { maxDrop: 0.01 });
 * console.log(int8.drop, int8.layers.filter(({ precision }) => precision === "float"));
 * await exportIR(int8, "pets_int8");
 * ```
 */
export async function quantize(
  source: Source,
  data: DatasetSplits,
  options: QuantizeOptions = {},
): Promise<Displayed<QuantizeResult, QuantizeFigures>> {
  checkQuantizeOptions(options);
  checkData(data);
  return await withStopSignal((signal) => run(source, data, options, signal), { signal: options.signal });
}

async function run(
  source: Source,
  data: DatasetSplits,
  options: QuantizeOptions,
  signal: AbortSignal,
): Promise<Displayed<QuantizeResult, QuantizeFigures>> {
  const started = performance.now();
  if (options.outputDir !== undefined) await checkFolder(options.outputDir);
  const onProvision = provisionView();
  const { device, maxDrop = 0.01, fineTune = true, target = "any" } = options;
  const { model } = await openSource(source, { device, onProgress: onProvision });
  requireFloat(model, data);
  const pictures = calibrationPictures(data, options);
  const outputDir = options.outputDir ?? options.resumeFrom ?? newOutputDir(`${model.id}-int8`);
  keepFloatWeights(source, outputDir);
  const saturation = target === "vnni" ? vnniWarning() : undefined;
  const warnings = [
    ...await prepareFolder(outputDir, options.resumeFrom, { [resumeFileName]: "run" }),
    ...(saturation === undefined ? [] : [saturation]),
  ];
  const { workers, onUnreadable } = options, loading = { workers, onUnreadable };
  const readers = openReaders(outputDir, options, undefined);
  const progress = quantizationProgress(options.view ?? options.onEvent === undefined);
  const emit = async (event: TrainingEvent | QuantizationEvent) => {
    if (event.type === "quantization" || event.type === "accuracy") await progress.read(event);
    else for (const reader of readers) await reader(event);
    await options.onEvent?.(event);
  };
  try {
    // Where there is fine-tuning, it says them after its start.
    if (!fineTune) { for (const message of warnings) await emit({ type: "warning", message }); }
    const post = await quantizeAfterTraining(model, pictures, {
      weightBits: target === "vnni" ? 8 : 7,
      ranges: options.ranges ?? "mse",
      adaptStatistics: true,
      batchSize: calibrationBatch,
    }, {
      ...loading,
      signal,
      onProgress: (step, done, total) => emit({ type: "quantization", step, done, total }),
    });
    const loader = validationLoader(data.validation, model, options, signal);
    const score = (model: Model) => scoreInRuntime(model, loader, { signal, onProvision });
    const float = await score(model);
    const trained = fineTune
      ? await fineTuneQuantized({
        source,
        model,
        post,
        data,
        options,
        outputDir,
        warnings,
        emit,
        signal,
        onProvision,
      })
      : undefined;
    const { kept, postTrainingTop1 } = await better(model, post, trained?.weights, float, score);
    const calibration = calibrationLoader(pictures, model, calibrationBatch, { ...loading, signal });
    const shares = await rankLayers(model, kept, calibration, signal);
    const held = await controlAccuracy({
      float,
      ranking: [...shares.keys()],
      maxDrop,
      maxFloatLayers: options.maxFloatLayers ?? Math.floor(kept.folded.layers.length / 2),
      quantized: (floatLayers) => quantizedModel(model, kept.weights, { ...kept.quantization, floatLayers }),
      score,
      onStep: (step) => emit({ type: "accuracy", ...step }),
    });
    const quantization: Quantization = { ...kept.quantization, floatLayers: held.floatLayers };
    const [floatTimes, int8Times] = await measureInRuntime([model, held.model]);
    const layers = await reportLayers(model, kept, quantization, calibration, shares, int8Times!, {
      signal,
      onProgress: (done, total) => emit({ type: "quantization", step: "layers", done, total }),
    });
    const checkpoint = join(outputDir, bestFileName);
    await saveWeights(checkpoint, held.model.weights, {
      format: 1,
      model: model.id,
      classNames: model.classNames,
      preprocessing: model.preprocessing,
      quantization,
      ...(trained === undefined ? {} : { recipe: trained.recipe }),
      metrics: { validationTop1: held.drop.int8, drop: held.drop.drop },
    });
    return withQuantizeView({
      model: held.model,
      checkpoint,
      drop: { ...held.drop, maxDrop, runtime: float.runtime },
      layers,
      steps: held.steps,
      ...(postTrainingTop1 === undefined ? {} : { postTrainingTop1 }),
      history: trained?.history ?? [],
      stopped: trained?.stopped,
      latency: { float: floatTimes!.milliseconds, int8: int8Times!.milliseconds },
      weightBits: quantization.weightBits,
      calibrationPictures: pictures.samples.length,
      outputDir,
      durationSeconds: (performance.now() - started) / 1000,
    });
  } finally {
    await progress.close();
    for (const reader of readers) await reader.close();
    if (typeof source === "string") await model.dispose(); // a model that is the caller's stays ready
  }
}

/** Pictures run through at a time while values are looked at. */
const calibrationBatch = 16;

/** Refuses a folder where the int8 weights would replace the float ones they come from. */
function keepFloatWeights(source: Source, outputDir: string): void {
  const path = typeof source === "string" ? source : "checkpoint" in source ? source.checkpoint : undefined;
  if (path === undefined || resolve(path) !== resolve(outputDir, bestFileName)) return;
  throw new CheckpointError(
    `Cannot write to "${outputDir}": it holds the float weights, and those in int8 would replace them\n` +
      `  help: pass { outputDir: ... }, another folder`,
  );
}

function requireFloat(model: Model, data: DatasetSplits): void {
  if (model.quantization !== undefined) {
    throw new TypeError(
      "Cannot quantise this model: it is quantised already\n  help: pass the model in float that it was made from",
    );
  }
  const { classNames } = model;
  if (JSON.stringify(classNames) === JSON.stringify(data.classNames)) return;
  const list = (names: readonly string[]) =>
    names.slice(0, 5).join(", ") + (names.length > 5 ? ` (${names.length} in all)` : "");
  throw new DatasetError(
    `Cannot quantise: the model's classes are ${list(classNames)}, and the data's are ${
      list(data.classNames)
    }`,
    { help: "pass the data the model was trained on" },
  );
}

function validationLoader(
  validation: Dataset,
  { preprocessing }: Model,
  { workers, onUnreadable = "error" }: QuantizeOptions,
  signal: AbortSignal,
): Loader {
  return createLoader(validation, {
    preprocessing,
    batchSize: Math.min(32, validation.samples.length),
    training: false,
    workers,
    onUnreadable,
    signal,
  });
}

/** Fine-tuned weights, unless their int8 file is less accurate than that of the weights before. */
async function better(
  model: Model,
  post: QuantizedWeights,
  trained: FineTuned["weights"] | undefined,
  float: RuntimeScores,
  score: (model: Model) => Promise<RuntimeScores>,
): Promise<{ kept: QuantizedWeights; postTrainingTop1?: number }> {
  if (trained === undefined) return { kept: post };
  const tuned: QuantizedWeights = { ...post, weights: { ...post.weights, ...trained } };
  const drops: AccuracyDrop[] = [];
  for (const { weights, quantization } of [post, tuned]) {
    const candidate = quantizedModel(model, weights, quantization);
    drops.push(accuracyDrop(float, await score(candidate)));
    await candidate.dispose();
  }
  const [before, after] = drops as [AccuracyDrop, AccuracyDrop];
  return { kept: after.int8 >= before.int8 ? tuned : post, postTrainingTop1: before.int8 };
}
