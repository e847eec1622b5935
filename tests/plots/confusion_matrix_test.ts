import assert from "node:assert/strict";
import sharp from "npm:sharp@0.35.5";
import { confusionMatrixPlot } from "../../lib/plots/confusion_matrix.ts";
Deno.test("png() of confusionMatrixPlot() fills each cell with one colour, without dither", async () => {
  const counts = [[11, 1, 2, 7], [1, 16, 6, 0], [1, 1, 20, 2], [4, 3, 2, 11]];
  const figure = confusionMatrixPlot(counts, ["a", "b", "c", "d"]);
  const { data, info } = await sharp(await figure.png({ scale: 1 })).removeAlpha().raw()
    .toBuffer({ resolveWithObject: true });
  const { l, t } = figure.layout.margin as { l: number; t: number };
  const cell = 96;
  for (const [row, column] of [[0, 1], [1, 0], [2, 3], [3, 1]]) {
    // A strip of the cell beside its number.
    const colours = new Set<string>();
    for (let y = t + row * cell + 10; y < t + (row + 1) * cell - 10; y++) {
      for (let x = l + column * cell + 8; x < l + column * cell + 30; x++) {
        colours.add(data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3).join());
      }
    }
    assert.equal(colours.size, 1, `cell ${row}, ${column}: ${[...colours].join("; ")}`);
  }
});
