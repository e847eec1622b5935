import assert from "node:assert/strict";
import { normaliseImages } from "../../lib/operators/normalise_images.ts";
import { compile, record } from "../../lib/tensorflow/mod.ts";

Deno.test("normaliseImages() turns every byte into (byte / 255 - mean) / std", async () => {
  const mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225];
  const shape = [1, 16, 16, 3];
  const data = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
  const graph = record(({ images }) => ({ normalised: normaliseImages(images, { mean, std }) }), {
    images: { dtype: "uint8", shape },
  });
  await using normalise = compile(graph);
  const { normalised } = await normalise.run({ images: { dtype: "uint8", shape, data } });
  assert.equal(normalised!.dtype, "float32");
  assert.deepEqual(normalised!.shape, shape);
  data.forEach((byte, i) => {
    const wanted = (byte / 255 - mean[i % 3]!) / std[i % 3]!;
    const found = Number(normalised!.data[i]);
    assert.ok(
      Math.abs(found - wanted) < 1e-6,
      `byte ${byte} of channel ${i % 3} is ${found}, wanted ${wanted}`,
    );
  });
});
