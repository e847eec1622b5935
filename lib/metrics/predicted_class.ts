/**
 * The class a row of scores names: the one with the best score. Among equal best scores it is the class with the
 * highest index, as in {@linkcode topKAccuracy}, so that top-1, the confusion matrix and the mistakes always agree.
 *
 * @param scores Scores of one sample, `[classes]`; finite.
 * @returns Index of the class, `0..classes - 1`.
 * @throws {RangeError} If there is no class.
 * @example
 * ```ts
 * import { predictedClass } from "./predicted_class.ts";
 * console.log(predictedClass(Float32Array.of(0.1, 0.7, 0.2))); // 1
 * ```
 */
export function predictedClass(scores: ArrayLike<number>): number {
  if (scores.length === 0) {
    throw new RangeError("Cannot name the predicted class: the row of scores is empty");
  }
  let best = 0;
  for (let index = 1; index < scores.length; index++) if (scores[index] >= scores[best]) best = index;
  return best;
}
