import assert from "node:assert/strict";
import type { Preprocessing } from "../../lib/data/preprocessing.ts";
import { planarImages } from "../../lib/runtimes/planar_images.ts";

const preprocessing: Preprocessing = {
  size: { height: 2, width: 1 },
  interpolation: "bilinear",
  channelOrder: "rgb",
  mean: [0.5, 0.25, 0],
  std: [0.5, 0.25, 1],
};
/** Two pictures of two pixels. */
const images = Uint8Array.of(0, 51, 102, 255, 255, 255, 1, 2, 3, 4, 5, 6);

Deno.test("planarImages() puts the channels in planes, picture by picture", () => {
  const planes = new Float32Array(12);
  planarImages(preprocessing, { channelOrder: "rgb", values: "raw" })(images, planes);
  assert.deepEqual([...planes], [0, 255, 51, 255, 102, 255, 1, 4, 2, 5, 3, 6]);
  planarImages(preprocessing, { channelOrder: "bgr", values: "raw" })(images, planes);
  assert.deepEqual([...planes], [102, 255, 51, 255, 0, 255, 3, 6, 2, 5, 1, 4]);
});

Deno.test("planarImages() normalises each channel by its own mean and deviation, in either order", () => {
  const wanted = { red: [-1, 1], green: [(0.2 - 0.25) / 0.25, 3], blue: [0.4, 1] };
  for (const channelOrder of ["rgb", "bgr"] as const) {
    const planes = new Float32Array(6);
    planarImages(preprocessing, { channelOrder, values: "normalized" })(images.subarray(0, 6), planes);
    const { red, green, blue } = wanted;
    const order = channelOrder === "rgb" ? [red, green, blue] : [blue, green, red];
    assert.deepEqual(planes, Float32Array.from(order.flat()));
  }
});
