import type { HostTensor } from "../graph/host_tensor.ts";
import type { Model } from "../models/model.ts";
import { accuracyDrop } from "./accuracy_drop.ts";
import type { QuantizedWeights } from "./post_training.ts";
import { quantizedModel } from "./quantized_model.ts";
import type { RuntimeScores } from "./score_in_runtime.ts";

/** Weights that were chosen. */
export interface BetterWeights {
  readonly kept: QuantizedWeights;
  /** Scores of their int8 file with all layers in int8, if there was something to choose. */
  readonly allInt8?: RuntimeScores;
  /** Top-1 of the int8 file before fine-tuning, 0..1, if there was fine-tuning. */
  readonly postTrainingTop1?: number;
}

/**
 * Takes fine-tuned weights, unless their int8 file is less accurate than that of the weights before.
 *
 * @param model The model in float.
 * @param post Its quantised weights before fine-tuning.
 * @param trained Those after it, and their ranges; `undefined` if there was none.
 * @param float Scores of the model's file.
 * @param score Scores a model's file on the same pictures.
 */
export async function betterWeights(
  model: Model,
  post: QuantizedWeights,
  trained: Readonly<Record<string, HostTensor>> | undefined,
  float: RuntimeScores,
  score: (model: Model) => Promise<RuntimeScores>,
): Promise<BetterWeights> {
  if (trained === undefined) return { kept: post };
  const measure = async (kept: QuantizedWeights) => {
    const candidate = quantizedModel(model, kept);
    const allInt8 = await score(candidate);
    await candidate.dispose();
    return { kept, allInt8, top1: accuracyDrop(float, allInt8).int8 };
  };
  const before = await measure(post);
  // Biases that were learnt are no correction that would have to fit the layers.
  const after = await measure({ ...post, weights: { ...post.weights, ...trained }, isAdapted: false });
  const { kept, allInt8 } = after.top1 >= before.top1 ? after : before;
  return { kept, allInt8, postTrainingTop1: before.top1 };
}
