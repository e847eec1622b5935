import assert from "node:assert/strict";
import { decodedPictures, examplePictures } from "../../lib/export/_parity_pictures.ts";
import { smallMetadata } from "./_small_graphs.ts";

const { preprocessing } = smallMetadata;

/** A picture of 4 x 4 pixels of one colour. */
const plain = (value: number) =>
  ({ width: 4, height: 4, channels: 3, data: new Uint8Array(48).fill(value) }) as const;

Deno.test("decodedPictures() gives all pictures in their order, in parts of nearly the same length", async () => {
  for (const [count, lengths] of [[1, [1]], [32, [32]], [33, [17, 16]], [70, [24, 24, 22]]] as const) {
    const images = Array.from({ length: count }, (_, index) => plain(index));
    const parts = await Array.fromAsync(decodedPictures(images, preprocessing));
    assert.deepEqual(parts.map(({ length }) => length), lengths);
    for (const [index, picture] of parts.flat().entries()) assert.deepEqual(picture, plain(index).data);
  }
});

Deno.test("examplePictures() makes the same pictures at every call, each another one", () => {
  const pictures = examplePictures(100, preprocessing);
  assert.deepEqual(pictures, examplePictures(100, preprocessing));
  assert.equal(new Set(pictures.map((picture) => picture.join())).size, 100);
});
