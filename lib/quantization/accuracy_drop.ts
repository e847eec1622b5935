import { pairedInterval } from "../metrics/paired_interval.ts";
import { predictedClass } from "../metrics/predicted_class.ts";
import type { ScoredPictures } from "../training/score_pictures.ts";

/** How much accuracy int8 costs, measured on the same pictures. */
export interface AccuracyDrop {
  /** Top-1 of the model in float, 0..1. */
  readonly float: number;
  /** Top-1 of the int8 file, 0..1. */
  readonly int8: number;
  /** `float - int8`; below 0 where int8 is better. */
  readonly drop: number;
  /** Where the drop truly lies, with 95 % confidence. */
  readonly interval: readonly [number, number];
  /** Share of the pictures that both call the same. */
  readonly agreement: number;
  /** How many pictures. */
  readonly pictures: number;
}

/**
 * Compares the scores of a model in float and in int8.
 *
 * @param float Scores in float, and labels.
 * @param int8 Scores in int8 of the same pictures.
 */
export function accuracyDrop(float: ScoredPictures, int8: Pick<ScoredPictures, "logits">): AccuracyDrop {
  const { labels } = float;
  let onlyFloat = 0, onlyInt8 = 0, both = 0, same = 0;
  labels.forEach((label, index) => {
    const first = predictedClass(float.logits[index]!), second = predictedClass(int8.logits[index]!);
    if (first === second) same++;
    if (first === label && second === label) both++;
    else if (first === label) onlyFloat++;
    else if (second === label) onlyInt8++;
  });
  const pictures = labels.length;
  return {
    float: (both + onlyFloat) / pictures,
    int8: (both + onlyInt8) / pictures,
    drop: (onlyFloat - onlyInt8) / pictures,
    interval: pairedInterval(onlyFloat, onlyInt8, pictures),
    agreement: same / pictures,
    pictures,
  };
}
