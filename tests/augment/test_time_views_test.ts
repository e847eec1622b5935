import assert from "node:assert/strict";
import { testTimeViews } from "../../lib/augment/test_time_views.ts";
import { resize } from "../../lib/data/resize.ts";

const width = 24, height = 16;
const image = {
  width,
  height,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => i * 37 % 251),
};
const large = { width: 27, height: 18 };
const enlarged = resize(image.data, image, large, "bilinear");

/** The window of the enlarged picture, pixel by pixel. */
function window(left: number, top: number): number[] {
  return Array.from({ length: height }, (_, y) => {
    const start = 3 * ((top + y) * large.width + left);
    return [...enlarged.subarray(start, start + 3 * width)];
  }).flat();
}

/** Mirrored, pixel by pixel. */
function reflected(data: ArrayLike<number>): number[] {
  return Array.from({ length: data.length }, (_, at) => {
    const pixel = Math.floor(at / 3), x = pixel % width;
    return data[3 * (pixel - x + width - 1 - x) + at % 3]!;
  });
}

Deno.test("testTimeViews() are the picture and its mirror image", () => {
  for (const option of [true, {}, { flip: true, crops: false }]) {
    const views = testTimeViews(option);
    assert.deepEqual(views.map(({ name }) => name), ["original", "mirrored"]);
    assert.deepEqual(views.map(({ of }) => [...of(image).data]), [[...image.data], reflected(image.data)]);
  }
  for (const option of [false, undefined]) assert.deepEqual(testTimeViews(option), []);
});

Deno.test("testTimeViews() cut corners and the middle out of the picture, enlarged by an eighth", () => {
  const places = [[0, 0], [3, 0], [0, 2], [3, 2], [2, 1]] as const; // 1.5 pixels are 2
  const plain = places.map(([left, top]) => window(left, top));
  const views = testTimeViews({ flip: false, crops: true });
  assert.deepEqual(views.map(({ of }) => [...of(image).data]), [[...image.data], ...plain]);
  const both = testTimeViews({ crops: true });
  assert.deepEqual(
    both.map(({ of }) => [...of(image).data]),
    [[...image.data], ...plain].flatMap((data) => [data, reflected(data)]),
  );
  assert.equal(new Set(both.map(({ name }) => name)).size, 12);
});
