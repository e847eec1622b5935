import type { DatasetSplits } from "../data/dataset.ts";
import type { Model } from "../models/model.ts";
import { CheckpointError } from "../training/checkpoint.ts";
import type { Environment } from "../training/environment.ts";
import { type Start, startAgain } from "../training/start.ts";
import { loadPostTraining, type PostTraining } from "./post_training_file.ts";
import type { QuantizeOptions } from "./quantize_options.ts";

/** A quantisation that goes on. */
export interface ResumedQuantization extends PostTraining {
  /** Where its fine-tuning stands. */
  readonly start: Start;
}

/**
 * Goes on with a quantisation whose fine-tuning was begun, or is done: nothing before that is done again.
 *
 * @param model The model in float: the one it began with.
 * @param data What it is trained on.
 * @param options The user's; `resumeFrom` is the folder or its `resume.safetensors`. What is passed must not contradict it.
 * @param environment This machine.
 * @returns Where it stands.
 * @throws {CheckpointError} If there is no such fine-tuning, or it is another one; all differences are named.
 */
export async function resumeQuantization(
  model: Model,
  data: DatasetSplits,
  options: QuantizeOptions & { readonly resumeFrom: string },
  environment: Environment,
): Promise<ResumedQuantization> {
  const { resumeFrom, learningRate, epochs, batchSize, seed } = options;
  const asked = { resumeFrom, learningRate, epochs, batchSize, seed };
  const start = await startAgain(model, data, asked, environment);
  if (start.model.quantization === undefined) {
    throw new CheckpointError(
      `Cannot resume from "${resumeFrom}": it is a training in float, not the fine-tuning of a quantised model\n` +
        `  help: go on with fineTune(model, data, { resumeFrom: ${JSON.stringify(resumeFrom)} })`,
    );
  }
  return { start, ...await loadPostTraining(start.outputDir, model, data, options) };
}
