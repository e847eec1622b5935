import assert from "node:assert/strict";
import { chain, type Pixels } from "../../lib/augment/augmentation.ts";
import { baselineSteps, createAugmentation } from "../../lib/augment/augmentation_steps.ts";
import { flip } from "../../lib/augment/flip.ts";
import { randomCrop } from "../../lib/augment/random_crop.ts";
import { createRng } from "../../lib/augment/rng.ts";
import { decodePixels } from "../../lib/data/decode.ts";
import { told } from "./_told_rng.ts";

const oracles = new URL("../oracles/data/", import.meta.url);
const photo: Pixels = await decodePixels(new URL("photo.png", oracles));

Deno.test("flip() mirrors left to right at odd and even widths", () => {
  for (const width of [1, 2, 5]) {
    const data = Uint8Array.from({ length: 2 * width * 3 }, (_, i) => i);
    const mirrored = flip(1)({ width, height: 2, data }, told(0.5));
    for (let y = 0; y < 2; y++) {
      for (let x = 0; x < width; x++) {
        const at = (y * width + x) * 3, from = (y * width + width - 1 - x) * 3;
        assert.deepEqual(mirrored.data.subarray(at, at + 3), data.subarray(from, from + 3));
      }
    }
    assert.equal(data[0], 0);
  }
});

Deno.test("flip() returns its input itself when it does not flip", () => {
  assert.equal(flip(0.5)(photo, told(0.5)), photo);
  assert.notEqual(flip(0.5)(photo, told(0.49)), photo);
});

Deno.test("randomCrop() enlarges and crops as Pillow does", async () => {
  const { crops } = JSON.parse(await Deno.readTextFile(new URL("pillow_resized.json", oracles)));
  for (const { left, top, pixels } of crops as { left: number; top: number; pixels: string }[]) {
    // 90 x 67 becomes 101 x 75: the window starts at 0..11 and 0..8.
    const cropped = randomCrop({ probability: 1 })(photo, told(0, left / 11, top / 8));
    assert.deepEqual(cropped.data, Uint8Array.fromBase64(pixels), `at ${left}, ${top}`);
  }
});

Deno.test("randomCrop() returns its input itself when it does not crop", () => {
  assert.equal(randomCrop({ probability: 0.5 })(photo, told(0.5)), photo);
});

Deno.test("randomCrop() works on tiny pictures", () => {
  const dot = { width: 1, height: 1, data: new Uint8Array([1, 2, 3]) };
  assert.deepEqual(randomCrop({ probability: 1 })(dot, told(0, 0.9, 0.9)), dot);
});

Deno.test("baselineSteps depend on their numbers only and leave their input alone", () => {
  const before = photo.data.slice();
  const augment = createAugmentation(baselineSteps);
  const results = Array.from(
    { length: 40 },
    (_, sample) => augment(photo, createRng(5, "augmentation", 0, sample)),
  );
  results.forEach((result, sample) => {
    assert.deepEqual([result.width, result.height, result.data.length], [90, 67, 90 * 67 * 3]);
    assert.deepEqual(augment(photo, createRng(5, "augmentation", 0, sample)), result);
  });
  assert(new Set(results.map(({ data }) => data.toHex())).size > 15);
  assert.deepEqual(photo.data, before);
});

Deno.test("chain() applies its steps in order", () => {
  const add = (amount: number) => (image: Pixels) => ({
    ...image,
    data: image.data.map((v) => v * 2 + amount),
  });
  const dot = { width: 1, height: 1, data: new Uint8Array([1, 2, 3]) };
  assert.deepEqual([...chain(add(1), add(0))(dot, told()).data], [6, 10, 14]);
  assert.equal(chain()(dot, told()), dot);
});
