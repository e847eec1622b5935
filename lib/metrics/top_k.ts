import { checkScores, type Labels, type Scores } from "./scores.ts";

/**
 * Top-k accuracy: the share of samples whose true class is among the k best scores.
 *
 * **Equal scores**: a class with a higher index comes before a class with a lower index, so exactly k classes count
 * for each sample and a constant model is not always right. That is the rule of `sklearn.metrics.top_k_accuracy_score`,
 * with whose result this one is equal. With k at least the number of classes every sample is right.
 *
 * @param scores Class scores, `[samples, classes]`; finite.
 * @param labels True classes, `[samples]`.
 * @param k How many of the best classes count; at least 1.
 * @returns The accuracy, 0..1.
 * @throws {TypeError | RangeError} If scores and labels do not fit, see `checkScores`, or k is no positive integer.
 * @example
 * ```ts
 * import { topKAccuracy } from "./top_k.ts";
 * const scores = [[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]];
 * console.log(topKAccuracy(scores, [0, 1], 1), topKAccuracy(scores, [0, 1], 2)); // 0.5 1
 * ```
 */
export function topKAccuracy(scores: Scores, labels: Labels, k: number): number {
  const hits = topKHits(scores, labels, k);
  return hits.reduce((sum, hit) => sum + hit, 0) / hits.length;
}

/**
 * Mean per-class top-k accuracy: for each class that occurs among the labels the share of its samples whose class is
 * among the k best scores, then the mean over those classes. Every class counts the same, however many samples it
 * has; classes without samples do not count. With k = 1 this is `sklearn.metrics.balanced_accuracy_score`. It is the
 * accuracy that OpenVINO Training Extensions 2021 writes to `metrics.yaml`. Equal scores: as in
 * {@linkcode topKAccuracy}.
 *
 * @param scores Class scores, `[samples, classes]`; finite.
 * @param labels True classes, `[samples]`.
 * @param k How many of the best classes count; at least 1.
 * @returns The mean of the accuracies, 0..1.
 * @throws {TypeError | RangeError} If scores and labels do not fit, see `checkScores`, or k is no positive integer.
 * @example
 * ```ts
 * import { meanTopKAccuracy } from "./top_k.ts";
 * // Class 0: 2 of 2 right; class 1: 0 of 1.
 * console.log(meanTopKAccuracy([[0.7, 0.3], [0.9, 0.1], [0.8, 0.2]], [0, 0, 1], 1)); // 0.5
 * ```
 */
export function meanTopKAccuracy(scores: Scores, labels: Labels, k: number): number {
  const hits = topKHits(scores, labels, k);
  const classes = scores[0].length;
  const hitsOfClass = new Float64Array(classes);
  const samplesOfClass = new Float64Array(classes);
  for (let sample = 0; sample < hits.length; sample++) {
    hitsOfClass[labels[sample]] += hits[sample];
    samplesOfClass[labels[sample]]++;
  }
  let sum = 0;
  let present = 0;
  for (let index = 0; index < classes; index++) {
    if (samplesOfClass[index] === 0) continue;
    sum += hitsOfClass[index] / samplesOfClass[index];
    present++;
  }
  return sum / present;
}

/** 1 for each sample whose true class is among the k best, else 0; `[samples]`. */
function topKHits(scores: Scores, labels: Labels, k: number): Uint8Array {
  if (!Number.isInteger(k) || k < 1) {
    throw new RangeError(
      `Cannot compute the top-k accuracy: found k = ${k}, wanted a whole number of at least 1`,
    );
  }
  const { samples } = checkScores(`compute the top-${k} accuracy`, scores, labels);
  const hits = new Uint8Array(samples);
  for (let sample = 0; sample < samples; sample++) {
    hits[sample] = rankOf(scores[sample], labels[sample]) < k ? 1 : 0;
  }
  return hits;
}

/** How many classes come before `label`: those with a better score, and those with the same and a higher index. */
function rankOf(row: ArrayLike<number>, label: number): number {
  const score = row[label];
  let rank = 0;
  for (let index = 0; index < row.length; index++) {
    if (row[index] > score || (row[index] === score && index > label)) rank++;
  }
  return rank;
}
