/** A ratio as a percentage for people, e.g. `93.4 %`. */
export function percent(ratio: number, digits = 1): string {
  return Number.isFinite(ratio) ? `${(ratio * 100).toFixed(digits)} %` : "n/a";
}
