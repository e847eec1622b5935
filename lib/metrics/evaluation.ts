import type { ImageSource, Sample } from "../data/dataset.ts";
import { calibrationError, type ReliabilityBin } from "./calibration_error.ts";
import { confusionMatrix } from "./confusion_matrix.ts";
import { sampleLosses } from "./log_loss.ts";
import { averagePrecisionPerClass } from "./mean_average_precision.ts";
import { type ClassQuality, precisionRecallF1 } from "./precision_recall_f1.ts";
import { predictedClass } from "./predicted_class.ts";
import { checkScores, type Labels, type Scores } from "./scores.ts";
import { softmax } from "./softmax.ts";
import { meanTopKAccuracy, topKAccuracy } from "./top_k.ts";
import { wilsonInterval } from "./wilson_interval.ts";

/** How many of the worst mistakes an {@linkcode Evaluation} keeps, unless told otherwise. */
const MISTAKES_KEPT = 24;

/** Quality of one class, by name. */
export interface ClassEvaluation extends ClassQuality {
  /** Name of the class. */
  readonly className: string;
  /** Interpolated average precision, 0..1; 0 for a class without samples. Their mean is the `mAP`. */
  readonly averagePrecision: number;
}

/** One sample the model got wrong. */
export interface Mistake {
  /** Position of the sample in the data set. */
  readonly index: number;
  /** The sample's name, or `sample <index>`. */
  readonly name: string;
  /** Where the picture is, if samples were given. */
  readonly image?: ImageSource;
  /** Name of the true class. */
  readonly label: string;
  /** Name of the class the model named. */
  readonly predicted: string;
  /** Probability the model gave the class it named, 0..1. */
  readonly probability: number;
  /** Cross-entropy of the sample, in nats: how sure the model was of not being there. */
  readonly loss: number;
}

/** Work and size of a model. */
export interface Complexity {
  /** 2 x multiply-accumulates of convolutions and dense layers for one picture, in 10^9. */
  readonly gflops: number;
  /** Number of parameters, in 10^6. */
  readonly megaParams: number;
}

/** How good a model is on a data set: plain data. Ratios are 0..1. */
export interface Evaluation {
  /** Share of samples whose best class is right. */
  readonly top1: number;
  /** Share of samples whose true class is among the best five. */
  readonly top5: number;
  /** Top-1 per class, then the mean over the classes that have samples: what `metrics.yaml` holds. */
  readonly meanTop1: number;
  /** Top-5 per class, then the mean over the classes that have samples: what `metrics.yaml` holds. */
  readonly meanTop5: number;
  /** Mean over all classes of the interpolated average precision; see `meanAveragePrecision`. */
  readonly mAP: number;
  /** Where the true top-1 lies with 95 % confidence, given so many samples (Wilson's interval). */
  readonly top1Interval: readonly [number, number];
  /** Mean cross-entropy in nats, without class weights and label smoothing. */
  readonly loss: number;
  /** Precision, recall, F1 and average precision, in the order of `classNames`. */
  readonly perClass: readonly ClassEvaluation[];
  /** Counts, `[classes, classes]`: row = true class, column = predicted class. */
  readonly confusionMatrix: readonly (readonly number[])[];
  /** Expected calibration error over 15 bins. */
  readonly calibrationError: number;
  /** The reliability diagram: the 15 bins of the calibration error. */
  readonly reliability: readonly ReliabilityBin[];
  /** Work and size of the model, where they are known. */
  readonly complexity?: Complexity;
  /** With test-time augmentation the views of each picture whose probabilities were averaged, e.g. `mirrored`. */
  readonly views?: readonly string[];
  /** The worst mistakes, worst (highest loss) first. */
  readonly mistakes: readonly Mistake[];
  /** How many samples are wrong in all. */
  readonly mistakeCount: number;
  /** Number of samples in all. */
  readonly sampleCount: number;
  /** Names of the classes, in the order of the model's outputs. */
  readonly classNames: readonly string[];
}

/** What {@linkcode createEvaluation} takes. */
export interface EvaluationInput {
  /** Logits (for a cosine head: scaled cosines), `[samples, classes]`; finite. */
  readonly logits: Scores;
  /** True classes, `[samples]`. */
  readonly labels: Labels;
  /** Names of the classes, `[classes]`. */
  readonly classNames: readonly string[];
  /** The samples in the order of the rows: gives mistakes a name and a picture. */
  readonly samples?: readonly Sample[];
  /** Work and size of the model, where they are known. */
  readonly complexity?: Complexity;
  /** With test-time augmentation the names of the views that the logits are averaged over. */
  readonly views?: readonly string[];
  /** How many of the worst mistakes to keep. @default {24} */
  readonly keepMistakes?: number;
}

/**
 * Computes every number of an {@linkcode Evaluation} from a model's logits.
 *
 * @param input Logits, labels and names; see {@linkcode EvaluationInput}.
 * @returns The evaluation: plain data.
 * @throws {TypeError | RangeError} If logits, labels, names and samples do not fit together, or logits are not finite.
 * @example
 * ```ts
 * import { createEvaluation } from "./evaluation.ts";
 * const evaluation = createEvaluation({
 *   logits: [[2, 0], [0, 1], [3, 0]],
 *   labels: [0, 1, 1],
 *   classNames: ["cat", "dog"],
 * });
 * console.log(evaluation.top1.toFixed(2), evaluation.mistakes[0].predicted); // 0.67 cat
 * ```
 */
export function createEvaluation(input: EvaluationInput): Evaluation {
  const { logits, labels, classNames, samples, complexity, views, keepMistakes = MISTAKES_KEPT } = input;
  const sampleCount = checkInput(input);

  const probabilities = logits.map(softmax);
  const predicted = logits.map(predictedClass);
  const losses = sampleLosses(logits, labels);
  const matrix = confusionMatrix(labels, predicted, classNames.length);
  const precisions = averagePrecisionPerClass(logits, labels);
  const calibration = calibrationError(probabilities, labels);
  const wrong = predicted.map((_, index) => index).filter((index) => predicted[index] !== labels[index]);
  // Equal losses keep the order of the data set.
  const worst = [...wrong].sort((a, b) => losses[b] - losses[a] || a - b).slice(0, keepMistakes);

  return {
    top1: topKAccuracy(logits, labels, 1),
    top5: topKAccuracy(logits, labels, 5),
    meanTop1: meanTopKAccuracy(logits, labels, 1),
    meanTop5: meanTopKAccuracy(logits, labels, 5),
    mAP: mean(precisions),
    top1Interval: wilsonInterval(sampleCount - wrong.length, sampleCount),
    loss: mean(losses),
    perClass: precisionRecallF1(matrix).map((quality, index) => ({
      className: classNames[index],
      ...quality,
      averagePrecision: precisions[index],
    })),
    confusionMatrix: matrix,
    calibrationError: calibration.error,
    reliability: calibration.bins,
    ...(complexity && { complexity: { gflops: complexity.gflops, megaParams: complexity.megaParams } }),
    ...(views && { views: [...views] }),
    mistakes: worst.map((index) => ({
      index,
      name: samples?.[index].name ?? `sample ${index}`,
      ...(samples && { image: samples[index].image }),
      label: classNames[labels[index]],
      predicted: classNames[predicted[index]],
      probability: probabilities[index][predicted[index]],
      loss: losses[index],
    })),
    mistakeCount: wrong.length,
    sampleCount,
    classNames: [...classNames],
  };
}

/** Number of samples, if everything fits. */
function checkInput(
  { logits, labels, classNames, samples, keepMistakes = MISTAKES_KEPT }: EvaluationInput,
): number {
  const { samples: rows, classes } = checkScores("evaluate", logits, labels);
  if (classes !== classNames.length) {
    throw new TypeError(
      `Cannot evaluate: found ${classes} logits a row and ${classNames.length} class names, wanted one name a logit`,
    );
  }
  if (samples !== undefined && samples.length !== rows) {
    throw new TypeError(
      `Cannot evaluate: found ${rows} rows of logits and ${samples.length} samples, wanted one a row`,
    );
  }
  if (!Number.isInteger(keepMistakes) || keepMistakes < 0) {
    throw new RangeError(
      `Cannot evaluate: found keepMistakes ${keepMistakes}, wanted a whole number of at least 0`,
    );
  }
  return rows;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
