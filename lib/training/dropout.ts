import { createRng } from "../augment/rng.ts";
import type { HostTensor } from "../graph/host_tensor.ts";

/**
 * What the classifier's inputs are multiplied by in a step: 0 for a share of them, and `1 / (1 - rate)` for the others,
 * so that their mean stays. It depends on the seed, the epoch, the step and the network, and on nothing else.
 *
 * @param shape `[batch, featureChannels]`.
 * @param rate Share of zeros, 0..1.
 * @param key `seed`; `epoch` and `step`, 0-based; `index` of the network among `learners`.
 * @returns Float32 of that shape.
 * @see Srivastava et al.: Dropout: a simple way to prevent neural networks from overfitting (JMLR 2014)
 */
export function dropoutMask(
  shape: readonly [number, number],
  rate: number,
  key: { seed: number; epoch: number; step: number; index: number; learners: number },
): HostTensor {
  const rng = createRng(key.seed, "dropout", key.epoch, key.step * key.learners + key.index);
  const limit = rate * 2 ** 32, kept = 1 / (1 - rate);
  const data = new Float32Array(shape[0] * shape[1]);
  for (let i = 0; i < data.length; i++) data[i] = rng.uint32() < limit ? 0 : kept;
  return { dtype: "float32", shape, data };
}
