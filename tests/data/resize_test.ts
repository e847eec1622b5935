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

Deno.test("resize() equals a plain computation in floating point, at every odd size", () => {
  // Independent of the fixed-point code: weights in float64, the pass over rows rounded to bytes, then columns.
  const filters: Record<Interpolation, [number, (x: number) => number]> = {
    bilinear: [1, (x) => Math.max(0, 1 - Math.abs(x))],
    bicubic: [2, (x) => {
      const t = Math.abs(x);
      return t < 1 ? 1.5 * t ** 3 - 2.5 * t ** 2 + 1 : t < 2 ? -0.5 * t ** 3 + 2.5 * t ** 2 - 4 * t + 2 : 0;
    }],
  };
  const alongRows = (values: number[], from: number, to: number, interpolation: Interpolation): number[] => {
    const [support, weight] = filters[interpolation];
    const scale = Math.max(1, from / to);
    return Array.from({ length: to }, (_, output) => {
      const centre = (output + 0.5) * from / to;
      let sum = 0, total = 0;
      for (let i = 0; i < from; i++) {
        if (Math.abs(i + 0.5 - centre) >= support * scale + 0.5) continue;
        const w = weight((i + 0.5 - centre) / scale);
        sum += w * values[i];
        total += w;
      }
      return Math.min(255, Math.max(0, Math.round(sum / total)));
    });
  };
  for (const interpolation of ["bilinear", "bicubic"] as const) {
    for (const [from, to] of [[2, 3], [3, 7], [5, 4], [9, 2], [8, 9], [16, 5], [4, 40]]) {
      const edge = Uint8Array.from({ length: from * 3 }, (_, i) => (Math.floor(i / 3) * 151 + i * 40) % 256);
      const row = resize(edge, { width: from, height: 1 }, { width: to, height: 1 }, interpolation);
      const column = resize(edge, { width: 1, height: from }, { width: 1, height: to }, interpolation);
      assert.deepEqual(row, column, `${interpolation} ${from} -> ${to}`);
      for (let channel = 0; channel < 3; channel++) {
        const wanted = alongRows([...edge].filter((_, i) => i % 3 === channel), from, to, interpolation);
        const found = [...row].filter((_, i) => i % 3 === channel);
        found.forEach((value, i) =>
          assert(Math.abs(value - wanted[i]) <= 1, `${interpolation} ${from} -> ${to} at ${i}`)
        );
      }
    }
  }
});
