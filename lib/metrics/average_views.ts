import type { Scores } from "./scores.ts";
import { logSumExp } from "./softmax.ts";

/**
 * Averages the probabilities that a model gives several views of the same pictures, each view alike.
 *
 * The averages come as logits: their softmax is the mean of the probabilities. A row's logits may be moved by any number;
 * they are moved to where the views' own are (by the mean of their logarithms of summed exponentials), so that a single
 * view keeps its logits and rows stay comparable with each other as far as they were, which average precision asks for.
 *
 * @param views Logits of each view, `[samples, classes]`; finite.
 * @returns Logits, `[samples, classes]`; finite, however small a probability is.
 *
 * @example
 * ```ts
 * import { averageViews } from "./average_views.ts";
 * import { softmax } from "./softmax.ts";
 * const sure = [[Math.log(0.9), Math.log(0.1)]], unsure = [[0, 0]];
 * console.log(softmax(averageViews([sure, unsure])[0])[0].toFixed(6)); // 0.700000
 * ```
 */
export function averageViews(views: readonly Scores[]): Float32Array[] {
  return views[0].map((first, sample) => {
    const rows = views.map((view) => view[sample]);
    const sums = rows.map(logSumExp);
    const offset = sums.reduce((total, sum) => total + sum, 0) / views.length;
    return Float32Array.from(first, (_, label) => {
      const logProbabilities = rows.map((row, view) => row[label] - sums[view]);
      return logSumExp(logProbabilities) - Math.log(views.length) + offset;
    });
  });
}
