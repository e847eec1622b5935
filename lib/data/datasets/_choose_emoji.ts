import type { EmojiDrawing } from "./_emoji_sets.ts";
import { seededOrder } from "./_seeded_order.ts";

/** Share of each class's base emoji that goes to validation, and the same share again to the test set. */
const HELD_OUT_RATIO = 0.15;

/** Names of the parts, which are the names of their folders. */
export type EmojiPart = "train" | "val" | "test";

/** A drawing and where its picture belongs. */
export interface ChosenEmoji {
  /** What is drawn. */
  readonly drawing: EmojiDrawing;
  /** Where its picture belongs. */
  readonly part: EmojiPart;
}

/**
 * Takes at most `picturesPerClass` drawings of each category and divides them by base emoji: all drawings of one base
 * (both styles, every skin tone, gender and direction) are in one part.
 *
 * Drawings are taken in rounds: one of each base, then a second of each, and so on, plain ones before variants, so that
 * a small number still means as many different emoji as there are.
 *
 * @param drawings What to choose from.
 * @param picturesPerClass 1 or more.
 * @param seed Which drawings are taken and where they go.
 * @returns The chosen drawings, category by category.
 */
export function chooseEmoji(
  drawings: readonly EmojiDrawing[],
  picturesPerClass: number,
  seed: number,
): ChosenEmoji[] {
  const categories = Map.groupBy(drawings, ({ category }) => category);
  return [...categories.values()].flatMap((members) => {
    const byBase = Map.groupBy(members, ({ base }) => base);
    const bases = seededOrder([...byBase.keys()], seed, (base) => base);
    const heldOut = Math.max(1, Math.round(bases.length * HELD_OUT_RATIO));
    const heldOutPictures = Math.round(picturesPerClass * HELD_OUT_RATIO);
    const take = (part: EmojiPart, of: readonly string[], limit: number): ChosenEmoji[] =>
      of.flatMap((base) =>
        plainFirst(byBase.get(base)!, seed).map((drawing, round) => ({ drawing, part, round }))
      )
        .sort((a, b) => a.round - b.round) // stable: within a round the order of the bases stays
        .slice(0, limit)
        .map(({ drawing, part }) => ({ drawing, part }));
    return [
      ...take("train", bases.slice(2 * heldOut), picturesPerClass - 2 * heldOutPictures),
      ...take("val", bases.slice(0, heldOut), heldOutPictures),
      ...take("test", bases.slice(heldOut, 2 * heldOut), heldOutPictures),
    ];
  });
}

/** The shortest sequences first (no skin tone, no gender joined on), the styles in an order of their own. */
function plainFirst(drawings: readonly EmojiDrawing[], seed: number): EmojiDrawing[] {
  const length = ({ codePoints }: EmojiDrawing) => codePoints.split("-").length;
  return seededOrder(drawings, seed, ({ codePoints, style }) => `${codePoints} ${style}`)
    .sort((a, b) => length(a) - length(b));
}
