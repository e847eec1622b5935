import assert from "node:assert/strict";
import { cutout } from "../../lib/augment/cutout.ts";
import { createRng } from "../../lib/augment/rng.ts";
import { rotate } from "../../lib/augment/rotate.ts";
import { told } from "./_told_rng.ts";

const image = { width: 10, height: 8, data: new Uint8Array(10 * 8 * 3).fill(200) };

/** The rectangle of pixels that are not 200, and their colour. */
function hole({ data }: { data: Uint8Array }) {
  const inside = Array.from({ length: 80 }, (_, i) => i).filter((i) => data[3 * i] !== 200);
  const xs = inside.map((i) => i % 10), ys = inside.map((i) => Math.floor(i / 10));
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  assert.equal(inside.length, (right - left + 1) * (bottom - top + 1), "it is a rectangle");
  return { left, right, top, bottom, color: [...data.subarray(3 * inside[0]!, 3 * inside[0]! + 3)] };
}

Deno.test("cutout() covers a rectangle about the pixel, in one colour", () => {
  // 0.3 of 10 and of 8 is 3 and (rounded) 2, about column 5 and row 4.
  const cut = cutout({ probability: 1, share: 0.3 })(image, told(0, 0.55, 0.55, 0, 0.5, 0.999));
  assert.deepEqual(hole(cut), { left: 4, right: 6, top: 3, bottom: 4, color: [0, 128, 255] });
  assert.ok(image.data.every((value) => value === 200), "its input is not written to");
});

Deno.test("cutout() cuts off what lies outside", () => {
  const corner = cutout({ probability: 1, share: 0.6 })(image, told(0, 0, 0, 0.1, 0.1, 0.1));
  const { left, right, top, bottom } = hole(corner);
  assert.deepEqual([left, right, top, bottom], [0, 2, 0, 2]);
  const other = cutout({ probability: 1, share: 0.6 })(image, told(0, 0.999, 0.999, 0.1, 0.1, 0.1));
  assert.deepEqual([hole(other).right, hole(other).bottom], [9, 7]);
});

Deno.test("cutout() and rotate() return their input itself as often as they are told", () => {
  for (const make of [cutout, rotate]) {
    const changed = Array.from({ length: 2000 }, (_, i) => make()(image, createRng(1, "augmentation", 0, i)))
      .filter((result) => result !== image).length;
    // 0.35, or 0.35 less the one angle of 21 that is 0.
    const wanted = make === cutout ? 0.35 : 0.35 * 20 / 21;
    assert.ok(Math.abs(changed / 2000 - wanted) < 0.05, `${make.name}: ${changed / 2000}`);
  }
});

Deno.test("rotate() turns by whole degrees up to the limit", () => {
  const square = { width: 64, height: 64, data: Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => i % 256) };
  const results = new Set(
    Array.from(
      { length: 400 },
      (_, i) =>
        rotate({ probability: 1, degrees: 2 })(square, createRng(1, "augmentation", 0, i)).data.join(),
    ),
  );
  assert.equal(results.size, 5);
});
