import { predictedClass } from "../metrics/predicted_class.ts";
import type { Picture } from "./_parity_pictures.ts";

/** How far a file's logits are from a model's. */
export interface LogitsComparison {
  /** How many pictures were looked at. */
  readonly count: number;
  /** Largest difference of a logit; infinite where one is not a number, or one of them has other classes. */
  readonly maxAbsDifference: number;
  /** The same as a share of the range of all of the model's logits. */
  readonly relativeDifference: number;
  /** For how many pictures both name the same class. */
  readonly same: number;
  /** For how many they do not, but the model gives both classes nearly the same score. */
  readonly ties: number;
  /** The picture they differ most for. */
  readonly worst: Picture;
}

/** A comparison under way. */
export interface LogitsComparer {
  /** Takes what both say of a picture. */
  add(picture: Picture, wanted: Float32Array, found: Float32Array): void;
  /**
   * What came of it.
   *
   * @param equalShare Scores that differ by at most this share of the range are nearly the same.
   */
  result(equalShare: number): LogitsComparison;
}

/** Compares logits picture by picture, without keeping them. */
export function createLogitsComparer(): LogitsComparer {
  let lowest = Infinity, highest = -Infinity, maxAbsDifference = -1, count = 0, same = 0;
  let worst: Picture | undefined;
  /** By how much the model itself prefers its class to the file's, where they are not the same. */
  const preferences: number[] = [];
  return {
    add(picture, wanted, found) {
      count++;
      let difference = wanted.length === found.length ? 0 : Infinity;
      wanted.forEach((value, at) => {
        [lowest, highest] = [Math.min(lowest, value), Math.max(highest, value)];
        const here = Math.abs(value - found[at]!);
        difference = Math.max(difference, Number.isFinite(here) ? here : Infinity);
      });
      if (difference > maxAbsDifference) [maxAbsDifference, worst] = [difference, picture];
      const [best, named] = [predictedClass(wanted), predictedClass(found)];
      if (best === named) same++;
      else preferences.push(wanted[best]! - wanted[named]!);
    },
    result(equalShare) {
      const range = highest - lowest || Math.abs(highest) || 1;
      const ties = preferences.filter((preference) => preference <= equalShare * range).length;
      const relativeDifference = maxAbsDifference / range;
      return { count, maxAbsDifference, relativeDifference, same, ties, worst: worst! };
    },
  };
}
