import type { HostTensor } from "../graph/host_tensor.ts";
import { isFiniteArray } from "../models/unusable_tensors.ts";
import { sampleLosses } from "../metrics/log_loss.ts";
import { topKAccuracy } from "../metrics/top_k.ts";
import type { EpochRecord } from "./events.ts";
import type { Run } from "./_run.ts";
import { diverged, requireFinite } from "./_run_files.ts";
import { scorePictures } from "./score_pictures.ts";

/** What a pass over the validation set measures. */
export type Measured = Pick<
  EpochRecord,
  "validationLoss" | "validationTop1" | "validationTop5" | "rawTop1" | "averageTop1"
>;

/**
 * Measures weights on the validation set.
 *
 * @param run The run.
 * @param weights Parameters and running statistics.
 * @returns Loss and accuracies; `undefined` if the user stopped the run meanwhile.
 * @throws {RangeError} If weights or scores are not finite numbers.
 */
export async function validate(
  run: Run,
  weights: Readonly<Record<string, HostTensor>>,
): Promise<Measured | undefined> {
  requireFinite(run, weights);
  const scored = await (run.frozen?.scores(weights) ?? pictureScores(run, weights));
  if (scored === undefined) return undefined;
  const { logits, labels } = scored, { data } = run;
  const notFinite = logits.filter((row) => !isFiniteArray(row)).length;
  if (notFinite > 0) {
    throw diverged(
      run,
      `the scores of ${notFinite} of ${logits.length} validation pictures are not finite numbers ` +
        `after epoch ${run.state.epoch + 1}`,
    );
  }
  const losses = sampleLosses(logits, labels);
  return {
    validationLoss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
    validationTop1: topKAccuracy(logits, labels, 1),
    validationTop5: topKAccuracy(logits, labels, Math.min(5, data.classNames.length)),
  };
}

/** Scores of the validation pictures, and their labels; `undefined` if the user stopped the run meanwhile. */
async function pictureScores(
  { inference, validationLoader, signal }: Run,
  weights: Readonly<Record<string, HostTensor>>,
): Promise<{ logits: Float32Array[]; labels: number[] } | undefined> {
  await inference.setWeights(weights);
  return await scorePictures(inference, validationLoader, signal);
}
