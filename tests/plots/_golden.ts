import assert from "node:assert/strict";
import type { Figure } from "../../lib/plots/figure.ts";

/**
 * Compares a figure's specification with the stored one, never its pixels. After a wanted change, look at the figure,
 * then run the tests once with `UPDATE_GOLDEN=1`.
 */
export function assertGolden(figure: Figure, name: string): void {
  const file = new URL(`./golden/${name}.json`, import.meta.url);
  const text = JSON.stringify(figure, null, 1) + "\n";
  if (Deno.env.get("UPDATE_GOLDEN")) Deno.writeTextFileSync(file, text);
  assert.deepEqual(JSON.parse(text), JSON.parse(Deno.readTextFileSync(file)));
}
