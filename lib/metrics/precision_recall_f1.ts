/** How well one class is found. */
export interface ClassQuality {
  /** Number of samples whose true class this is. */
  readonly support: number;
  /** Share of right ones among the samples that were given this class, 0..1. */
  readonly precision: number;
  /** Share of the class's samples that were given this class, 0..1. */
  readonly recall: number;
  /** Harmonic mean of precision and recall, `2 tp / (2 tp + fp + fn)`, 0..1. */
  readonly f1: number;
}

/**
 * Precision, recall and F1 of each class, with its support.
 *
 * **Division by zero**: a class that was never predicted has precision 0, a class without samples has recall 0, and F1
 * is 0 where both are missing; that is `sklearn.metrics.precision_recall_fscore_support` with `zero_division=0`.
 *
 * @param confusionMatrix Counts, `[classes, classes]`: row = true class, column = predicted class.
 * @returns One record per class, in the order of the rows.
 * @throws {TypeError} If the matrix is not square.
 * @example
 * ```ts
 * import { precisionRecallF1 } from "./precision_recall_f1.ts";
 * const [cat, dog] = precisionRecallF1([[1, 1], [0, 2]]);
 * console.log(cat.precision, cat.recall, dog.f1); // 1 0.5 0.8
 * ```
 */
export function precisionRecallF1(confusionMatrix: readonly (readonly number[])[]): ClassQuality[] {
  const classes = confusionMatrix.length;
  const row = confusionMatrix.findIndex((counts) => counts.length !== classes);
  if (row >= 0) {
    throw new TypeError(
      `Cannot compute precision and recall: row ${row} of the confusion matrix has ${
        confusionMatrix[row].length
      } ` +
        `columns, wanted ${classes}, one a class`,
    );
  }
  return confusionMatrix.map((counts, index) => {
    const truePositives = counts[index];
    const support = counts.reduce((sum, count) => sum + count, 0);
    const predicted = confusionMatrix.reduce((sum, other) => sum + other[index], 0);
    return {
      support,
      precision: ratio(truePositives, predicted),
      recall: ratio(truePositives, support),
      f1: ratio(2 * truePositives, predicted + support),
    };
  });
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
