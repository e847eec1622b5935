import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import sharp from "npm:sharp@0.35.5";
import { thumbnailUrl } from "../../lib/notebook/thumbnail.ts";

Deno.test("thumbnailUrl() keeps the shape of the picture inside the size", async () => {
  const image = { width: 300, height: 150, channels: 1 as const, data: new Uint8Array(45_000).fill(200) };
  const url = await thumbnailUrl(image, 100);
  assert.match(url!, /^data:image\/jpeg;base64,/);
  const { width, height, channels } = await sharp(Buffer.from(url!.split(",")[1], "base64")).metadata();
  assert.deepEqual([width, height, channels], [100, 50, 3]);
});

Deno.test("thumbnailUrl() is undefined for a picture that cannot be read", async () => {
  assert.equal(await thumbnailUrl("/there/is/no/such/picture.png"), undefined);
  assert.equal(await thumbnailUrl(new Uint8Array([1, 2, 3])), undefined);
});
