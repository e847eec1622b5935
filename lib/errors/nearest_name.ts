/**
 * Finds the known name that somebody probably meant. Case, `_`, `-` and spaces do not count; a name that starts with
 * the other, or differs from it by at most a third of its letters (Levenshtein's distance), is near.
 *
 * @param name What was written.
 * @param known The names there are.
 * @returns The nearest known name, the first of equally near ones, or `undefined` if none is near.
 * @example
 * ```ts
 * import { nearestName } from "./nearest_name.ts";
 * console.log(nearestName("learning_rate", ["epochs", "learningRate"])); // learningRate
 * console.log(nearestName("colour", ["epochs", "learningRate"])); // undefined
 * ```
 * @see V. I. Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", 1966.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const written = plain(name);
  let nearest: string | undefined;
  let smallest = Infinity;
  for (const candidate of known) {
    const meant = plain(candidate);
    const shorter = Math.min(written.length, meant.length);
    const isStart = shorter >= 3 && (meant.startsWith(written) || written.startsWith(meant));
    const distance = editDistance(written, meant);
    const isNear = isStart || distance <= Math.floor(Math.max(written.length, meant.length) / 3);
    if (isNear && distance < smallest) {
      nearest = candidate;
      smallest = distance;
    }
  }
  return nearest;
}

/**
 * Lists names that are not known, a line each, with the nearest known one where there is one: the middle of an error.
 *
 * @param unknown Names that were written.
 * @param known The names there are.
 * @returns Lines, indented by two spaces.
 * @example
 * ```ts
 * import { listUnknown } from "./nearest_name.ts";
 * console.log(listUnknown(["epoch", "colour"], ["epochs"]));
 * //   "epoch": did you mean "epochs"?
 * //   "colour"
 * ```
 */
export function listUnknown(unknown: readonly string[], known: readonly string[]): string {
  return unknown.map((name) => {
    const nearest = nearestName(name, known);
    return `  ${JSON.stringify(name)}${
      nearest === undefined ? "" : `: did you mean ${JSON.stringify(nearest)}?`
    }`;
  }).join("\n");
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[_\-\s]/g, "");
}

/** How many letters to insert, delete or replace to make `b` of `a`. */
function editDistance(a: string, b: string): number {
  // row[j]: distance between the first i letters of a and the first j of b.
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}
