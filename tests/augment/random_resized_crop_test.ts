import assert from "node:assert/strict";
import type { Pixels } from "../../lib/augment/augmentation.ts";
import { type CropWindow, drawWindow, randomResizedCrop } from "../../lib/augment/random_resized_crop.ts";
import { createRng } from "../../lib/augment/rng.ts";
import { decodePixels } from "../../lib/data/decode.ts";
import { told } from "./_told_rng.ts";

const oracles = new URL("../oracles/", import.meta.url);
const photo: Pixels = await decodePixels(new URL("data/photo.png", oracles)); // 90 x 67
const { cases }: { cases: { window: CropWindow; sha256: string }[] } = JSON.parse(
  await Deno.readTextFile(new URL("augment/random_resized_crop.json", oracles)),
);

/** The numbers that make a window of some size, at some place. */
function drawsOf({ left, top, width, height }: CropWindow, minArea: number, minAspect: number): number[] {
  const share = (value: number, low: number, high: number) => (value - low) / (high - low);
  const area = share(width * height / (90 * 67), minArea, 1);
  const limit = Math.log(minAspect);
  const aspect = share(Math.log(width / height * 67 / 90), limit, -limit);
  const place = (value: number, most: number) => most === 0 ? 0 : (value + 0.5) / (most + 1);
  return [area, aspect, place(top, 67 - height), place(left, 90 - width)];
}

Deno.test("randomResizedCrop() cuts out and enlarges as Pillow does", async () => {
  for (const { window, sha256 } of cases) {
    const options = { minArea: 1e-5, minAspect: 0.01 };
    const rng = told(0, ...drawsOf(window, options.minArea, options.minAspect));
    const { width, height, data } = randomResizedCrop(options)(photo, rng);
    assert.deepEqual([width, height], [90, 67]);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data.slice())).toHex();
    assert.equal(digest, sha256, JSON.stringify(window));
  }
});

Deno.test("drawWindow() keeps to areas and aspects, inside the picture", () => {
  const options = { minArea: 0.2, maxArea: 0.6, minAspect: 0.5 };
  const seen = { area: [] as number[], aspect: [] as number[] };
  for (let sample = 0; sample < 2000; sample++) {
    const { left, top, width, height } = drawWindow(
      { width: 300, height: 200 },
      createRng(1, "augmentation", 0, sample),
      options,
    );
    assert.ok(left >= 0 && top >= 0 && left + width <= 300 && top + height <= 200);
    seen.area.push(width * height / 60_000);
    seen.aspect.push(width / height / 1.5);
  }
  const near = (value: number, wanted: number) => Math.abs(value - wanted) < 0.02;
  assert.ok(near(Math.min(...seen.area), 0.2) && near(Math.max(...seen.area), 0.6));
  assert.ok(near(Math.min(...seen.aspect), 0.5) && Math.abs(Math.max(...seen.aspect) - 2) < 0.05);
  // log-uniform: as often wider as higher
  assert.ok(Math.abs(seen.aspect.filter((aspect) => aspect > 1).length - 1000) < 100);
});

Deno.test("drawWindow() takes the whole picture where no attempt fits", () => {
  // Ten times the largest area, at half the width of such a window of the picture's form: it is too high.
  const draws = Array.from({ length: 10 }, () => [1, 0]).flat();
  assert.deepEqual(
    drawWindow({ width: 10, height: 40 }, told(...draws), {
      maxArea: 0.9,
      minAspect: 0.5,
    }),
    {
      left: 0,
      top: 0,
      width: 10,
      height: 40,
    },
  );
});

Deno.test("randomResizedCrop() returns its input itself when it does not crop", () => {
  assert.equal(randomResizedCrop({ probability: 0.5 })(photo, told(0.5)), photo);
});
