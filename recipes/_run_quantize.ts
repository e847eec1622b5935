import { stringify } from "npm:yaml@2.9.1";
import type { DatasetSplits } from "../lib/data/dataset.ts";
import { createNetwork, modelRecord } from "../lib/models/registry.ts";
import { describeQuantization, quantizationProgress } from "../lib/notebook/quantization_progress.ts";
import { fineTuningRecipe } from "../lib/quantization/fine_tuning_recipe.ts";
import type { QuantizeOptions } from "../lib/quantization/quantize_options.ts";
import { quantize } from "../lib/quantize.ts";
import type { TrainingEvent } from "../lib/training/events.ts";
import type { Recipe } from "../lib/training/recipe.ts";
import { exitCodes } from "./_program.ts";
import { openProgress } from "./_progress.ts";

/**
 * Quantises a model, shows how it goes, and prints what it came to.
 *
 * @param source The path of a checkpoint.
 * @param data Training and validation pictures.
 * @param options Of `quantize`.
 * @param further Told what fine-tuning does, too.
 * @returns The program's exit code.
 */
export async function runQuantize(
  source: string,
  data: DatasetSplits,
  options: QuantizeOptions,
  further?: (event: TrainingEvent) => unknown,
): Promise<number> {
  const training = openProgress();
  const isTerminal = Deno.stderr.isTerminal();
  const steps = quantizationProgress(isTerminal);
  let fineTuned: string | undefined, hasEnded = false;
  try {
    const result = await quantize(source, data, {
      ...options,
      async onEvent(event) {
        if (event.type === "quantization" || event.type === "accuracy") {
          if (event.type === "accuracy" && !isTerminal) console.error(describeQuantization(event));
          return await steps.read(event);
        }
        if (event.type === "start") fineTuned = event.outputDir;
        if (event.type === "end") hasEnded = true;
        await training.read(event);
        await further?.(event);
      },
    });
    await steps.close();
    console.log(result);
    return exitCodes.ok;
  } catch (error) {
    const isStop = error instanceof DOMException && error.name === "AbortError";
    if (!isStop || fineTuned === undefined || !hasEnded) throw error;
    await steps.close();
    console.error(`Stopped. The same command with --resume-from "${fineTuned}" goes on.`);
    return exitCodes.interrupted;
  } finally {
    await steps.close();
    await training.close();
  }
}

/** What the weights say of themselves. */
interface Described {
  readonly model: string;
  readonly recipe?: unknown;
}

/**
 * What a quantisation would do, as YAML.
 *
 * @param about Lines that come first, as a mapping.
 * @param saved What the weights say of themselves.
 * @param data The pictures.
 * @param options Of `quantize`.
 */
export function describeQuantize(
  about: Readonly<Record<string, unknown>>,
  { model, recipe }: Described,
  data: DatasetSplits,
  options: QuantizeOptions,
): string {
  const { calibration, learningRate, epochs, batchSize, auxiliaryModels, ...others } = options;
  const network = createNetwork(modelRecord(model), { numClasses: data.classNames.length });
  const choices = { learningRate, epochs, batchSize, auxiliaryModels };
  const pictures = typeof calibration === "object" ? calibration.samples.length : calibration ?? 300;
  return stringify({
    ...about,
    model,
    data: {
      classes: data.classNames,
      train: `${data.train.samples.length} pictures`,
      validation: `${data.validation.samples.length} pictures`,
      calibration: `${
        typeof calibration === "object" ? pictures : Math.min(pictures, data.train.samples.length)
      } pictures`,
    },
    maxDrop: 0.01,
    target: "any",
    ranges: "auto",
    ...others,
    fineTune: options.fineTune === false || options.resumeFrom !== undefined
      ? options.fineTune ?? "goes on"
      : fineTuningRecipe({ id: model, network }, recipe as Recipe | undefined, choices),
  }, { lineWidth: 0 }).trimEnd();
}
