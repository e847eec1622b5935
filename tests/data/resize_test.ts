import assert from "node:assert/strict";
import { decodePixels } from "../../lib/data/decode.ts";
import { type Interpolation, resize } from "../../lib/data/resize.ts";

const oracles = new URL("../oracles/data/", import.meta.url);

interface Oracle {
  resized: { width: number; height: number; interpolation: Interpolation; pixels: string }[];
  crops: { left: number; top: number; pixels: string }[];
}
const oracle: Oracle = JSON.parse(await Deno.readTextFile(new URL("pillow_resized.json", oracles)));
const photo = await decodePixels(new URL("photo.png", oracles));

Deno.test("resize() equals Pillow bit for bit, smaller and larger", () => {
  for (const { width, height, interpolation, pixels } of oracle.resized) {
    const found = resize(photo.data, photo, { width, height }, interpolation);
    assert.deepEqual(found, Uint8Array.fromBase64(pixels), `${width} x ${height} ${interpolation}`);
  }
});

Deno.test("resize() computes a window as Pillow crops", () => {
  const size = { width: Math.round(90 * 1.125), height: Math.round(67 * 1.125) };
  for (const { left, top, pixels } of oracle.crops) {
    const found = resize(photo.data, photo, size, "bilinear", { left, top, width: 90, height: 67 });
    assert.deepEqual(found, Uint8Array.fromBase64(pixels), `at ${left}, ${top}`);
  }
});

Deno.test("resize() returns a picture of the right size itself", () => {
  assert.equal(resize(photo.data, photo, photo, "bicubic"), photo.data);
});

Deno.test("resize() keeps a plain colour plain at odd sizes", () => {
  for (const interpolation of ["bilinear", "bicubic"] as const) {
    for (const [from, to] of [[1, 1], [1, 9], [2, 3], [3, 2], [5, 1], [100, 7], [7, 100]]) {
      const plain = resize(
        new Uint8Array(from * from * 3).fill(201),
        { width: from, height: from },
        { width: to, height: to },
        interpolation,
      );
      assert.equal(plain.length, to * to * 3);
      assert(plain.every((value) => value === 201), `${interpolation} ${from} -> ${to}`);
    }
  }
});

Deno.test("resize() clamps what bicubic overshoots", () => {
  const edge = new Uint8Array([0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255]);
  const wide = resize(edge, { width: 4, height: 1 }, { width: 40, height: 1 }, "bicubic");
  assert.equal(Math.min(...wide), 0);
  assert.equal(Math.max(...wide), 255);
});
