import type { DatasetProblem } from "../data/dataset_error.ts";

/**
 * What to tell of pictures that are left out.
 *
 * @param skipped The pictures, at least one.
 * @returns A sentence with the first five.
 *
 * @example
 * ```ts
 * import { describeSkipped } from "./describe_skipped.ts";
 *
 * console.log(describeSkipped([{ name: "cat/1.jpg", reason: "file is cut off" }]));
 * // 1 picture is skipped, because it cannot be read: cat/1.jpg (file is cut off)
 * ```
 */
export function describeSkipped(skipped: readonly DatasetProblem[]): string {
  const shown = skipped.slice(0, 5).map(({ name, reason }) => `${name} (${reason})`).join(", ");
  const more = skipped.length > 5 ? ` and ${skipped.length - 5} more` : "";
  const what = skipped.length === 1
    ? "1 picture is skipped, because it cannot be read"
    : `${skipped.length} pictures are skipped, because they cannot be read`;
  return `${what}: ${shown}${more}`;
}
