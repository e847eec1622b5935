/**
 * Average precision of one class against all others: the area under its precision-recall curve, when all samples are
 * ranked by that class's score.
 *
 * - `"interpolated"` (the default) is PASCAL VOC's (2010 on) all-points rule: precision at a recall is the best precision
 *   at that recall or a higher one, so the curve only falls. It is what OpenVINO Training Extensions 2021 reports.
 * - `"step"` is `sklearn.metrics.average_precision_score`: `sum_n (R_n - R_(n-1)) P_n`, without interpolation.
 *
 * **Equal scores** are one step of the curve, so that the order of the samples does not matter (for `"interpolated"`
 * this is also what the worst order among them gives). A class without positives has average precision 0.
 *
 * @param scores Score of the class per sample, `[samples]`; finite.
 * @param isPositive Per sample, `[samples]`: true (or 1) where the sample is of this class.
 * @param rule How the area is taken.
 * @returns The average precision, 0..1.
 * @throws {TypeError} If there are not as many flags as scores.
 * @throws {RangeError} If a score is NaN or infinite.
 * @example
 * ```ts
 * import { averagePrecision } from "./average_precision.ts";
 * const scores = [0.9, 0.8, 0.7, 0.6];
 * const isPositive = [1, 0, 1, 1];
 * console.log(averagePrecision(scores, isPositive).toFixed(4)); // 0.8333
 * console.log(averagePrecision(scores, isPositive, "step").toFixed(4)); // 0.8056
 * ```
 * @see M. Everingham et al., "The PASCAL Visual Object Classes Challenge: A Retrospective", IJCV 2015.
 */
export function averagePrecision(
  scores: ArrayLike<number>,
  isPositive: ArrayLike<boolean | number>,
  rule: "interpolated" | "step" = "interpolated",
): number {
  const steps = precisionRecallSteps(scores, isPositive);
  if (rule === "interpolated") {
    // From the right: each precision becomes the best one at its recall or beyond.
    for (let index = steps.length - 2; index >= 0; index--) {
      steps[index].precision = Math.max(steps[index].precision, steps[index + 1].precision);
    }
  }
  let area = 0;
  let recall = 0;
  for (const step of steps) {
    area += (step.recall - recall) * step.precision;
    recall = step.recall;
  }
  return area;
}

/** Precision and recall at each distinct score of a positive, from the best score down; none without positives. */
function precisionRecallSteps(
  scores: ArrayLike<number>,
  isPositive: ArrayLike<boolean | number>,
): { precision: number; recall: number }[] {
  if (scores.length !== isPositive.length) {
    throw new TypeError(
      `Cannot compute the average precision: found ${scores.length} scores and ${isPositive.length} flags, ` +
        `wanted one flag a score`,
    );
  }
  for (let sample = 0; sample < scores.length; sample++) {
    if (!Number.isFinite(scores[sample])) {
      throw new RangeError(
        `Cannot compute the average precision: the score of sample ${sample} is ${scores[sample]}, ` +
          `wanted a finite number`,
      );
    }
  }
  // Only where a positive comes in does recall grow; the steps between add no area. So the positives' own scores are
  // the thresholds, and their ranks are found by bisection: sorting plain numbers is far quicker than sorting indices.
  const ascending = new Float64Array(scores).sort();
  const positives = new Float64Array(countOf(isPositive));
  for (let sample = 0, next = 0; sample < scores.length; sample++) {
    if (isPositive[sample]) positives[next++] = scores[sample];
  }
  positives.sort();
  const steps: { precision: number; recall: number }[] = [];
  for (let index = positives.length - 1; index >= 0; index--) {
    const isLastOfItsScore = index === 0 || positives[index - 1] !== positives[index];
    if (!isLastOfItsScore) continue;
    const truePositives = positives.length - index;
    const chosen = ascending.length - firstAtLeast(ascending, positives[index]);
    steps.push({ precision: truePositives / chosen, recall: truePositives / positives.length });
  }
  return steps;
}

/** Index of the first element that is at least `threshold`; `ascending` holds one. */
function firstAtLeast(ascending: Float64Array, threshold: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < threshold) low = middle + 1;
    else high = middle;
  }
  return low;
}

function countOf(isPositive: ArrayLike<boolean | number>): number {
  let count = 0;
  for (let sample = 0; sample < isPositive.length; sample++) if (isPositive[sample]) count++;
  return count;
}
