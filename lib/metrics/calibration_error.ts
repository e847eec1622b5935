import { predictedClass } from "./predicted_class.ts";
import { checkScores, type Labels, type Scores } from "./scores.ts";

/** Number of bins of equal width; Guo et al. use 15. */
const BINS = 15;

/** One bar of the reliability diagram: the samples whose confidence lies in `(lower, upper]`. */
export interface ReliabilityBin {
  /** Lower edge, not included (but the first bin includes 0). */
  readonly lower: number;
  /** Upper edge, included. */
  readonly upper: number;
  /** Number of samples in the bin. */
  readonly count: number;
  /** Mean confidence of the bin's samples, 0..1; 0 if there is none. */
  readonly confidence: number;
  /** Share of the bin's samples that are right, 0..1; 0 if there is none. */
  readonly accuracy: number;
}

/** What {@linkcode calibrationError} returns. */
export interface Calibration {
  /** Expected calibration error, 0..1: how far confidence and accuracy are apart, on the average. */
  readonly error: number;
  /** The bins it was taken over, from confidence 0 to 1: the reliability diagram. */
  readonly bins: readonly ReliabilityBin[];
}

/**
 * Expected calibration error (ECE): is a model that says "80 % sure" right 80 % of the time? Samples are sorted into
 * bins of equal width by confidence, the probability of the predicted class; the error is the mean over bins of
 * `|accuracy - confidence|`, weighted by the number of samples. The bins are those of
 * `sklearn.calibration.calibration_curve` (with empty ones kept).
 *
 * @param probabilities Probabilities, `[samples, classes]`, 0..1, as `softmax` gives them.
 * @param labels True classes, `[samples]`.
 * @param bins Number of bins, at least 1.
 * @returns The error and the bins.
 * @throws {TypeError | RangeError} If scores and labels do not fit, see `checkScores`; if a confidence is not within 0..1.
 * @example
 * ```ts
 * import { calibrationError } from "./calibration_error.ts";
 * // Twice 75 % sure, right once: accuracy 0.5, confidence 0.75.
 * console.log(calibrationError([[0.75, 0.25], [0.75, 0.25]], [0, 1]).error); // 0.25
 * ```
 * @see C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
 */
export function calibrationError(probabilities: Scores, labels: Labels, bins: number = BINS): Calibration {
  if (!Number.isInteger(bins) || bins < 1) {
    throw new RangeError(
      `Cannot compute the calibration error: found ${bins} bins, wanted a whole number of at least 1`,
    );
  }
  const { samples } = checkScores("compute the calibration error", probabilities, labels);
  const counts = new Float64Array(bins);
  const confidences = new Float64Array(bins);
  const hits = new Float64Array(bins);
  for (let sample = 0; sample < samples; sample++) {
    const predicted = predictedClass(probabilities[sample]);
    const confidence = probabilities[sample][predicted];
    if (!(confidence >= 0 && confidence <= 1 + 1e-6)) {
      throw new RangeError(
        `Cannot compute the calibration error: the best score of row ${sample} is ${confidence}, ` +
          `wanted a probability from 0 to 1\n  help: pass the logits through softmax() first`,
      );
    }
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1));
    counts[bin]++;
    confidences[bin] += confidence;
    if (predicted === labels[sample]) hits[bin]++;
  }
  let error = 0;
  const curve = Array.from({ length: bins }, (_, bin): ReliabilityBin => {
    const count = counts[bin];
    const confidence = count === 0 ? 0 : confidences[bin] / count;
    const accuracy = count === 0 ? 0 : hits[bin] / count;
    error += (count / samples) * Math.abs(accuracy - confidence);
    return { lower: bin / bins, upper: (bin + 1) / bins, count, confidence, accuracy };
  });
  return { error, bins: curve };
}
