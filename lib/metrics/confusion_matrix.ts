/**
 * Counts how often each class was taken for each other one. Row = true class, column = predicted class, as in
 * `sklearn.metrics.confusion_matrix`.
 *
 * @param labels True classes, `[samples]`, in `0..classes - 1`.
 * @param predicted Predicted classes, `[samples]`, in `0..classes - 1`.
 * @param classes Number of classes.
 * @returns Counts, `[classes, classes]`; the sum is the number of samples.
 * @throws {TypeError} If there are not as many predictions as labels.
 * @throws {RangeError} If a label or a prediction is no class.
 * @example
 * ```ts
 * import { confusionMatrix } from "./confusion_matrix.ts";
 * console.log(confusionMatrix([0, 0, 1], [0, 1, 1], 2)); // [ [ 1, 1 ], [ 0, 1 ] ]
 * ```
 */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): number[][] {
  if (labels.length !== predicted.length) {
    throw new TypeError(
      `Cannot count the confusion matrix: found ${labels.length} labels and ${predicted.length} predictions, ` +
        `wanted as many of each`,
    );
  }
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let sample = 0; sample < labels.length; sample++) {
    const row = matrix[labels[sample]];
    if (row?.[predicted[sample]] === undefined) {
      throw new RangeError(
        `Cannot count the confusion matrix: sample ${sample} has label ${labels[sample]} and prediction ` +
          `${predicted[sample]}, wanted whole numbers from 0 to ${classes - 1}`,
      );
    }
    row[predicted[sample]]++;
  }
  return matrix;
}
