/**
 * Turns logits into probabilities: `exp(z_i) / sum_j exp(z_j)`, in float64 and with the largest logit subtracted
 * first, so that no logit is too large.
 *
 * @param logits Logits of one sample, `[classes]`; finite.
 * @returns Probabilities, `[classes]`, in 0..1, summing to 1.
 * @example
 * ```ts
 * import { softmax } from "./softmax.ts";
 * console.log(softmax([1000, 1000])); // Float64Array(2) [ 0.5, 0.5 ]
 * ```
 */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const probabilities = new Float64Array(logits.length);
  const largest = largestOf(logits);
  let sum = 0;
  for (let index = 0; index < logits.length; index++) {
    probabilities[index] = Math.exp(logits[index] - largest);
    sum += probabilities[index];
  }
  for (let index = 0; index < logits.length; index++) probabilities[index] /= sum;
  return probabilities;
}

/**
 * `log(sum_j exp(z_j))`, in float64 and without overflow: the part of the cross-entropy that needs care.
 *
 * @param logits Logits of one sample, `[classes]`; finite.
 * @returns The logarithm of the sum of exponentials; `-Infinity` for no logits.
 * @example
 * ```ts
 * import { logSumExp } from "./softmax.ts";
 * console.log(logSumExp([1000, 1000]) === 1000 + Math.log(2)); // true
 * ```
 */
export function logSumExp(logits: ArrayLike<number>): number {
  const largest = largestOf(logits);
  if (largest === -Infinity) return -Infinity;
  let sum = 0;
  for (let index = 0; index < logits.length; index++) sum += Math.exp(logits[index] - largest);
  return largest + Math.log(sum);
}

function largestOf(values: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let index = 0; index < values.length; index++) if (values[index] > largest) largest = values[index];
  return largest;
}
