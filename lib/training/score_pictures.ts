import type { Loader } from "../data/loader.ts";
import type { Inference } from "../models/inference.ts";

/** Scores of pictures, and what is on them. */
export interface ScoredPictures {
  /** One array a picture. */
  readonly logits: Float32Array[];
  /** Class indices. */
  readonly labels: number[];
}

/**
 * Goes through a data set once with the weights that a network has now.
 *
 * @param inference The network.
 * @param loader The pictures.
 * @param signal Ends it.
 * @returns The scores; `undefined` if the signal came first.
 * @throws {DatasetError} If pictures cannot be read.
 */
export async function scorePictures(
  inference: Inference,
  loader: Loader,
  signal: AbortSignal,
): Promise<ScoredPictures | undefined> {
  const logits: Float32Array[] = [];
  const labels: number[] = [];
  for await (const batch of loader.epoch(0)) {
    if (signal.aborted) return undefined;
    logits.push(...await inference.logits(batch.images, batch.count));
    for (let row = 0; row < batch.count; row++) labels.push(batch.labels[row]!);
  }
  return { logits, labels };
}
