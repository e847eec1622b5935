import { join } from "node:path";
import type { Dataset, DatasetSplits } from "./data/dataset.ts";
import { createLoader, type Loader, type LoaderOptions } from "./data/loader.ts";
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
import type { AccuracyDrop } from "./quantization/accuracy_drop.ts";
import type { ControlStep } from "./quantization/accuracy_drop_error.ts";
import { betterWeights } from "./quantization/better_weights.ts";
import { calibrationPictures } from "./quantization/calibration_pictures.ts";
import { checkQuantizable } from "./quantization/check_quantizable.ts";
import type { QuantizationEvent } from "./quantization/events.ts";
import { type FineTuned, fineTuneQuantized, interrupted } from "./quantization/fine_tune_quantized.ts";
import { keepFloatWeights } from "./quantization/keep_float_weights.ts";
import { type LayerReport, rankLayers, reportLayers } from "./quantization/layer_report.ts";
import {
  calibrationLoader,
  quantizeAfterTraining,
  type QuantizedWeights,
} from "./quantization/post_training.ts";
import { type PostTrainingOrigin, savePostTraining } from "./quantization/post_training_file.ts";
import { quantizedModel } from "./quantization/quantized_model.ts";
import { checkQuantizeOptions, type QuantizeOptions } from "./quantization/quantize_options.ts";
import { resumeQuantization } from "./quantization/resume_quantization.ts";
import { measureInRuntime, scoreInRuntime } from "./quantization/score_in_runtime.ts";
import type { RangeMethod } from "./quantization/ranges.ts";
import { vnniWarning } from "./quantization/vnni.ts";
import { withFloatLayers } from "./quantization/with_float_layers.ts";
import { openExecutor } from "./tensorflow/executor.ts";
import { bestFileName, resumeFileName, saveWeights } from "./training/checkpoint.ts";
import { describeSkipped } from "./training/describe_skipped.ts";
import { describeEnvironment } from "./training/environment.ts";
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
  /** Whether the weights are fine-tuned ones; those before fine-tuning are kept where they are more accurate in int8. */
  readonly fineTuned: boolean;
  /** Top-1 of the int8 file before fine-tuning, 0..1, if there was fine-tuning. */
  readonly postTrainingTop1?: number;
  /** One row an epoch of fine-tuning. */
  readonly history: readonly EpochRecord[];
  /** Why fine-tuning ended; `undefined` without. */
  readonly stopped: StopReason | undefined;
  /** Time of one picture in the runtime on this machine, in milliseconds, measured in turns. */
  readonly latency: { readonly float: number; readonly int8: number };
  /** Bits of the weights. */
  readonly weightBits: 7 | 8;
  /** How many pictures the ranges come from; those that could not be read are left out. */
  readonly calibrationPictures: number;
  /** How the ranges were chosen, before fine-tuning. */
  readonly ranges: RangeMethod;
  /** Whether channels were given back the means they have in float, before fine-tuning. */
  readonly isAdapted: boolean;
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
 * @throws {CheckpointError} If `outputDir` cannot be written, or holds weights in float; if a fine-tuning cannot be resumed.
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
  const { device, maxDrop = 0.01, fineTune = true, target = "any", resumeFrom } = options;
  // Too few pictures are refused before anything is opened.
  const wanted = resumeFrom === undefined ? originOf(data, options) : undefined;
  const onProvision = provisionView();
  const { model } = await openSource(source, { device, onProgress: onProvision });
  checkQuantizable(model, data);
  const environment = describeEnvironment(
    await openExecutor({ device, onProgress: onProvision, signal }),
  );
  const resumed = resumeFrom === undefined
    ? undefined
    : await resumeQuantization(model, data, { ...options, resumeFrom }, environment);
  const origin = resumed?.origin ?? wanted!;
  const { pictures } = origin;
  const outputDir = options.outputDir ?? resumed?.start.outputDir ?? newOutputDir(`${model.id}-int8`);
  await keepFloatWeights(outputDir);
  const weightBits = resumed?.quantized.quantization.weightBits ?? (target === "vnni" ? 8 : 7);
  const saturation = weightBits === 8 ? vnniWarning() : undefined;
  const warnings = [
    ...await prepareFolder(outputDir, resumed?.start.outputDir, { [resumeFileName]: "run" }),
    ...(saturation === undefined ? [] : [saturation]),
  ];
  const { workers, onUnreadable } = options, loading = { workers, onUnreadable, signal };
  const readers = openReaders(outputDir, options, resumed?.start.resume?.state.history);
  const progress = quantizationProgress(options.view ?? options.onEvent === undefined);
  const emit = async (event: TrainingEvent | QuantizationEvent) => {
    if (event.type === "quantization" || event.type === "accuracy") await progress.read(event);
    else for (const reader of readers) await reader(event);
    await options.onEvent?.(event);
  };
  let trained: FineTuned | undefined;
  try {
    // Where there is fine-tuning, it says them after its start.
    if (!fineTune) { for (const message of warnings) await emit({ type: "warning", message }); }
    const loader = validationLoader(data.validation, model, loading);
    const score = (model: Model) => scoreInRuntime(model, loader, { signal, onProvision });
    const float = await score(model);
    const post = resumed?.quantized ?? await quantizeAfterTraining(model, pictures, {
      weightBits,
      ranges: origin.ranges,
      adaptStatistics: "auto",
      batchSize: calibrationBatch,
    }, { ...loading, onProgress: (step, done, total) => emit({ type: "quantization", step, done, total }) });
    if (fineTune) {
      await savePostTraining(outputDir, model, { quantized: post, origin });
      trained = await fineTuneQuantized({
        source,
        model,
        post,
        resumed: resumed?.start,
        data,
        options,
        environment,
        outputDir,
        warnings,
        emit,
        signal,
        onProvision,
      });
    }
    const { kept, allInt8, postTrainingTop1 } = await betterWeights(
      model,
      post,
      trained?.weights,
      float,
      score,
    );
    const calibration = calibrationLoader(pictures, model, calibrationBatch, loading);
    const shares = await rankLayers(model, kept, calibration, signal);
    const held = await controlAccuracy({
      float,
      ranking: [...shares.keys()],
      maxDrop,
      maxFloatLayers: options.maxFloatLayers ?? Math.floor(kept.folded.layers.length / 2),
      quantized: async (floatLayers) =>
        quantizedModel(model, await withFloatLayers(model, kept, floatLayers, calibration, signal)),
      score,
      allInt8,
      fineTunedIn: trained === undefined ? undefined : outputDir,
      onStep: (step) => emit({ type: "accuracy", ...step }),
    });
    const quantization: Quantization = { ...kept.quantization, floatLayers: held.floatLayers };
    const final: QuantizedWeights = { ...kept, weights: { ...kept.weights, ...held.model.weights } };
    const [floatTimes, int8Times] = await measureInRuntime([model, held.model]);
    const layers = await reportLayers(model, final, quantization, calibration, shares, int8Times!, {
      signal,
      onProgress: (done, total) => emit({ type: "quantization", step: "layers", done, total }),
    });
    // Fine-tuning tells of the pictures it has seen.
    const skipped = [...calibration.unreadable, ...(fineTune ? [] : loader.unreadable)];
    if (skipped.length > 0) await emit({ type: "warning", message: describeSkipped(skipped) });
    const fineTuned = trained !== undefined && kept !== post;
    const checkpoint = join(outputDir, bestFileName);
    await saveWeights(checkpoint, held.model.weights, {
      format: 1,
      model: model.id,
      classNames: model.classNames,
      preprocessing: model.preprocessing,
      quantization,
      ...(fineTuned ? { recipe: trained!.recipe } : {}),
      metrics: { validationTop1: held.drop.int8, drop: held.drop.drop },
    });
    return withQuantizeView({
      model: held.model,
      checkpoint,
      drop: { ...held.drop, maxDrop, runtime: float.runtime },
      layers,
      steps: held.steps,
      fineTuned,
      ...(postTrainingTop1 === undefined ? {} : { postTrainingTop1 }),
      history: trained?.history ?? [],
      stopped: trained?.stopped,
      latency: { float: floatTimes!.milliseconds, int8: int8Times!.milliseconds },
      weightBits,
      ranges: post.ranges,
      isAdapted: post.isAdapted,
      calibrationPictures: pictures.samples.length - calibration.unreadable.length,
      outputDir,
      durationSeconds: (performance.now() - started) / 1000,
    });
  } catch (error) {
    throw trained !== undefined && signal.aborted && error === signal.reason
      ? interrupted(outputDir, "after its fine-tuning")
      : error;
  } finally {
    await progress.close();
    for (const reader of readers) await reader.close();
    if (typeof source === "string") await model.dispose(); // a model that is the caller's stays ready
  }
}

/** Pictures run through at a time while values are looked at. */
const calibrationBatch = 16;

/** What a quantisation that begins is made with. */
function originOf(data: DatasetSplits, options: QuantizeOptions): PostTrainingOrigin {
  const { ranges = "auto", seed = 0, calibration } = options;
  const isOwnSet = typeof calibration === "object";
  return { ranges, seed, pictures: calibrationPictures(data, options), isOwnSet };
}

function validationLoader(
  validation: Dataset,
  { preprocessing }: Model,
  loading: Pick<LoaderOptions, "workers" | "onUnreadable" | "signal">,
): Loader {
  return createLoader(validation, {
    preprocessing,
    batchSize: Math.min(32, validation.samples.length),
    training: false,
    ...loading,
  });
}
