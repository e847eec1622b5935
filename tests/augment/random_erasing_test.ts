import assert from "node:assert/strict";
import type { Pixels } from "../../lib/augment/augmentation.ts";
import { randomErasing, type RandomErasingOptions } from "../../lib/augment/random_erasing.ts";
import { createRng } from "../../lib/augment/rng.ts";
import { told } from "./_told_rng.ts";

interface Case {
  height: number;
  width: number;
  settings: { min_area?: number; max_area?: number; min_aspect?: number };
  places: number[];
  box: [number, number, number, number] | null;
  drawn: number;
}
const { erasings }: { erasings: Case[] } = JSON.parse(
  Deno.readTextFileSync(new URL("../oracles/augment/mixing.json", import.meta.url)),
);

const plain = (width: number, height: number, value = 1): Pixels => ({
  width,
  height,
  data: new Uint8Array(width * height * 3).fill(value),
});

/** Left, top, right and bottom of what is no longer `value`. */
function boxOf({ width, data }: Pixels, value = 1): number[] | null {
  const erased = Array.from({ length: data.length / 3 }, (_, i) => i).filter((i) => data[3 * i] !== value);
  if (erased.length === 0) return null;
  const xs = erased.map((i) => i % width), ys = erased.map((i) => Math.floor(i / width));
  const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
  assert.equal(erased.length, (box[2]! - box[0]!) * (box[3]! - box[1]!), "it is a rectangle");
  return box;
}

Deno.test("randomErasing() erases timm's rectangles, by the numbers timm draws", () => {
  for (const { height, width, settings, places, box, drawn } of erasings) {
    const { min_area: minArea, max_area: maxArea, min_aspect: minAspect } = settings;
    const image = plain(width, height);
    // One number too few would be told about, one too many is: `told` fails where it has no more.
    const erase = randomErasing({ probability: 0.5, minArea, maxArea, minAspect });
    const result = erase(image, told(...places.slice(0, drawn)));
    assert.deepEqual(boxOf(result), box);
    assert.equal(result === image, box === null);
    assert.ok(image.data.every((value) => value === 1), "its input is not written to");
    assert.throws(() => erase(image, told(...places.slice(0, drawn - 1))), /drew more numbers/);
  }
});

/** Bytes of the erased pixels, by channel. */
function erasedBytes(mode: RandomErasingOptions["mode"], count: number): number[][][] {
  const image = plain(40, 40, 255), results: number[][][] = [];
  for (let index = 0; index < count; index++) {
    const { data } = randomErasing({ probability: 1, minArea: 0.1, mode })(
      image,
      createRng(1, "augmentation", 0, index),
    );
    const pixels = Array.from({ length: 1600 }, (_, i) => [...data.subarray(3 * i, 3 * i + 3)]);
    results.push(pixels.filter((pixel) => pixel.some((value) => value !== 255)));
  }
  return results;
}

Deno.test("randomErasing() puts the mean colour, one random colour, or random pixels in place", () => {
  for (const pixels of erasedBytes("constant", 20)) {
    assert.ok(pixels.length > 100 && pixels.every((pixel) => pixel.join() === "124,116,104"));
  }
  const colors = erasedBytes("color", 2000).map((pixels) => {
    assert.ok(pixels.every((pixel) => pixel.join() === pixels[0]!.join()), "one colour a rectangle");
    return pixels[0]!;
  });
  const noise = erasedBytes("pixel", 20);
  assert.ok(noise.every((pixels) => new Set(pixels.map(String)).size > 0.99 * pixels.length));
  // Normal numbers about ImageNet's mean, cut off at 0 and 255: half below the mean, 16 % a deviation below.
  for (const drawn of [colors, noise.flat()]) {
    [[0.485, 0.229], [0.456, 0.224], [0.406, 0.225]].forEach(([mean, deviation], channel) => {
      const below = (limit: number) => drawn.filter((pixel) => pixel[channel]! < limit).length / drawn.length;
      const at = (n: number) => 255 * (mean! + n * deviation!) + 0.5;
      assert.ok(Math.abs(below(at(0)) - 0.5) < 0.04, `${channel}: ${below(at(0))}`);
      assert.ok(Math.abs(below(at(-1)) - 0.1587) < 0.03, `${channel}: ${below(at(-1))}`);
      assert.ok(Math.abs(below(at(1)) - 0.8413) < 0.03, `${channel}: ${below(at(1))}`);
    });
  }
});

Deno.test("randomErasing() returns its input itself as often as it is told", () => {
  const image = plain(32, 32);
  for (const [options, wanted] of [[undefined, 0.5], [{ probability: 0.2 }, 0.2]] as const) {
    const erased = Array.from(
      { length: 3000 },
      (_, index) => randomErasing(options)(image, createRng(1, "augmentation", 0, index)),
    ).filter((result) => result !== image).length;
    assert.ok(Math.abs(erased / 3000 - wanted) < 0.03, `${erased}`);
  }
});
