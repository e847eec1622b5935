import { averagePrecision } from "./average_precision.ts";
import { checkScores, type Labels, type Scores } from "./scores.ts";

/**
 * Interpolated average precision of each class, one against all others; see {@linkcode averagePrecision}.
 * A class without samples has 0.
 *
 * @param scores Class scores, `[samples, classes]`; finite.
 * @param labels True classes, `[samples]`.
 * @returns Average precision per class, `[classes]`, 0..1.
 * @throws {TypeError | RangeError} If scores and labels do not fit, see `checkScores`.
 * @example
 * ```ts
 * import { averagePrecisionPerClass } from "./mean_average_precision.ts";
 * console.log(averagePrecisionPerClass([[2, 0, 0], [0, 1, 0]], [0, 1])); // Float64Array(3) [ 1, 1, 0 ]
 * ```
 */
export function averagePrecisionPerClass(scores: Scores, labels: Labels): Float64Array {
  const { samples, classes } = checkScores("compute the mean average precision", scores, labels);
  const column = new Float64Array(samples);
  const isPositive = new Uint8Array(samples);
  return Float64Array.from({ length: classes }, (_, index) => {
    for (let sample = 0; sample < samples; sample++) {
      column[sample] = scores[sample][index];
      isPositive[sample] = labels[sample] === index ? 1 : 0;
    }
    return averagePrecision(column, isPositive);
  });
}

/**
 * Mean average precision (mAP) as OpenVINO Training Extensions 2021 reports it, with its peculiarities:
 *
 * - per class all samples are ranked by that class's **score as the model gives it**: logits (or cosines), not
 *   probabilities, whose ranking across samples is another one;
 * - the average precision is the interpolated one of PASCAL VOC, all points;
 * - the mean is over **all** classes the model knows: a class without samples counts as 0, so that mAP is lowered by
 *   classes the data set lacks.
 *
 * Equal scores, where the reference's order is left to the sorting routine, are one step of the curve: see
 * {@linkcode averagePrecision}.
 *
 * @param scores Class scores, `[samples, classes]`; finite.
 * @param labels True classes, `[samples]`.
 * @returns The mean over the classes, 0..1.
 * @throws {TypeError | RangeError} If scores and labels do not fit, see `checkScores`.
 * @example
 * ```ts
 * import { meanAveragePrecision } from "./mean_average_precision.ts";
 * console.log(meanAveragePrecision([[2, 0], [0, 1]], [0, 1])); // 1
 * ```
 */
export function meanAveragePrecision(scores: Scores, labels: Labels): number {
  const perClass = averagePrecisionPerClass(scores, labels);
  return perClass.reduce((sum, value) => sum + value, 0) / perClass.length;
}
