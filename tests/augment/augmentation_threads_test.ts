import assert from "node:assert/strict";
import type { Pixels } from "../../lib/augment/augmentation.ts";
import { augmentByKey } from "../../lib/augment/augment_by_key.ts";
import { type AugmentationStep, createAugmentation } from "../../lib/augment/augmentation_steps.ts";
import { augmentOnThreads, defaultAugmentationThreads } from "../../lib/augment/augmentation_threads.ts";
import { decodePixels } from "../../lib/data/decode.ts";

const photo: Pixels = await decodePixels(new URL("../oracles/data/photo.png", import.meta.url));
const steps: AugmentationStep[] = [{ kind: "augMix" }, { kind: "cutout", probability: 0.5 }, {
  kind: "flip",
}];

Deno.test("augmentOnThreads() gives the bytes of this thread, whatever the order and the number of threads", async () => {
  const here = augmentByKey(createAugmentation(steps)), before = photo.data.slice();
  const keys = Array.from({ length: 12 }, (_, index) => ({ seed: 5, epoch: 1, index, repeat: index % 2 }));
  for (const count of [1, 3]) {
    const elsewhere = augmentOnThreads(steps, count);
    const found = await Promise.all(keys.toReversed().map((key) => elsewhere(photo, key)));
    assert.deepEqual(found.reverse(), keys.map((key) => here(photo, key)));
  }
  assert.deepEqual(photo.data, before, "the picture stays with its owner");
});

Deno.test("augmentOnThreads() takes pictures that are views of larger or shared memory", async () => {
  const key = { seed: 5, epoch: 0, index: 0, repeat: 0 },
    mirror: AugmentationStep[] = [{ kind: "flip", probability: 1 }];
  const { width, height, data } = photo;
  const elsewhere = augmentOnThreads(mirror, 1),
    wanted = augmentByKey(createAugmentation(mirror))(photo, key);
  const shared = new Uint8Array(new SharedArrayBuffer(data.length + 7)).subarray(7);
  shared.set(data);
  for (const view of [shared, new Uint8Array([1, 2, ...data, 3]).subarray(2, -1)]) {
    assert.deepEqual(await elsewhere({ width, height, data: view }, key), wanted);
    // A step that changes nothing gives back the bytes it was given.
    const same = await augmentOnThreads([{ kind: "flip", probability: 0 }], 1)(
      { width, height, data: view },
      key,
    );
    assert.deepEqual(same.data, data);
    assert.equal(same.data.buffer.byteLength, data.length, "no more than the picture crosses");
  }
});

Deno.test("augmentOnThreads() says what is wrong with a step, and goes on", async () => {
  const key = { seed: 0, epoch: 0, index: 0, repeat: 0 };
  const wrong = augmentOnThreads([{ kind: "rotate", degrees: 400 }], 1);
  await assert.rejects(async () => await wrong(photo, key), {
    message:
      "Cannot augment a picture: Cannot run createAugmentation(): 1 option has a value that cannot be used\n" +
      "  steps[0].degrees: found 400, wanted a whole number from 1 to 180\n" +
      "  help: leave an option out to get its default",
  });
  assert.equal((await augmentOnThreads(steps, 1)(photo, key)).width, photo.width);
});

Deno.test("defaultAugmentationThreads() leaves two cores to the network, and takes up to half of more", () => {
  assert.deepEqual([1, 2, 3, 4, 8, 16, 64].map(defaultAugmentationThreads), [0, 0, 1, 2, 4, 8, 8]);
});
