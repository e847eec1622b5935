import assert from "node:assert/strict";
import { join } from "node:path";
import type { Pixels } from "../../lib/augment/augmentation.ts";
import { augmentByKey } from "../../lib/augment/augment_by_key.ts";
import { baselineSteps, createAugmentation } from "../../lib/augment/augmentation_steps.ts";
import { augmentOnThreads } from "../../lib/augment/augmentation_threads.ts";
import { createPixelCache } from "../../lib/data/cache.ts";
import type { Dataset, ImageSource } from "../../lib/data/dataset.ts";
import { decodeImage } from "../../lib/data/decode.ts";
import { mixBatch } from "../../lib/augment/mix_batch.ts";
import { createRng } from "../../lib/augment/rng.ts";
import { type Batch, createLoader, type Loader, type LoaderOptions } from "../../lib/data/loader.ts";
import { encoded, failure, inFolder, preprocessing } from "./_pictures.ts";

const pictures = await Promise.all(Array.from({ length: 23 }, (_, seed) => encoded("png", 13, 9, seed)));
const imageBytes = 8 * 10 * 3;

const of = (images: readonly ImageSource[]): Dataset => ({
  name: "noise",
  classNames: ["even", "odd"],
  samples: images.map((image, i) => ({ image, label: i % 2, name: `${i}.png` })),
});

const loaderOf = (dataset: Dataset, options: Partial<LoaderOptions> = {}): Loader =>
  createLoader(dataset, {
    preprocessing,
    batchSize: 4,
    training: true,
    cache: createPixelCache({ diskBytes: 0 }),
    ...options,
  });

async function collect(loader: Loader, epoch = 0, fromStep = 0): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of loader.epoch(epoch, fromStep)) batches.push(batch);
  return batches;
}

const indicesOf = (batches: readonly Batch[]) => batches.flatMap(({ indices }) => [...indices]);

Deno.test("createLoader() evaluates in order and pads the last batch", async () => {
  const loader = loaderOf(of(pictures), { training: false });
  assert.deepEqual([loader.batchSize, loader.stepsPerEpoch], [4, 6]);
  const batches = await collect(loader);
  assert.deepEqual(indicesOf(batches), [...Array.from({ length: 23 }, (_, i) => i), -1]);
  assert.deepEqual(batches.map(({ count }) => count), [4, 4, 4, 4, 4, 3]);
  for (const { images, labels, indices, count } of batches) {
    assert.deepEqual([images.length, labels.length, indices.length], [4 * imageBytes, 4, 4]);
    for (let row = 0; row < 4; row++) {
      const wanted = row < count
        ? await decodeImage(pictures[indices[row]], preprocessing)
        : new Uint8Array(imageBytes);
      assert.deepEqual(images.subarray(row * imageBytes, (row + 1) * imageBytes), wanted);
      assert.equal(labels[row], row < count ? indices[row] % 2 : 0);
    }
  }
});

Deno.test("createLoader() trains in another order each epoch and drops the last batch", async () => {
  const loader = loaderOf(of(pictures), { seed: 5 });
  assert.equal(loader.stepsPerEpoch, 5);
  const [first, second] = [await collect(loader, 0), await collect(loader, 1)];
  assert(first.every(({ count }) => count === 4));
  assert.equal(new Set(indicesOf(first)).size, 20);
  assert.notDeepEqual(indicesOf(first), indicesOf(second));
  assert.notDeepEqual(indicesOf(first), indicesOf(await collect(loaderOf(of(pictures), { seed: 6 }), 0)));
  const all = await collect(loaderOf(of(pictures), { seed: 5, dropLast: false }), 0);
  assert.deepEqual(indicesOf(all).slice(0, 20), indicesOf(first));
  assert.equal(all[5].count, 3);
});

Deno.test("createLoader() trains on a set that is smaller than a batch", async () => {
  const loader = loaderOf(of(pictures.slice(0, 3)), { batchSize: 128 });
  assert.deepEqual([loader.batchSize, loader.stepsPerEpoch], [3, 1]);
  const [batch] = await collect(loader);
  assert.equal(batch.count, 3);
  assert.equal(batch.images.length, 3 * imageBytes);
});

Deno.test("createLoader() gives the same bytes for any number of workers, prefetch and resumed step", async () => {
  const augment = augmentByKey(createAugmentation(baselineSteps));
  const wanted = await collect(loaderOf(of(pictures), { seed: 9, augment }), 3);
  for (const options of [{ workers: 1, prefetch: 0 }, { workers: 7, prefetch: 9 }]) {
    assert.deepEqual(await collect(loaderOf(of(pictures), { seed: 9, augment, ...options }), 3), wanted);
  }
  for (const fromStep of [0, 1, 4, 5]) {
    const resumed = loaderOf(of(pictures), { seed: 9, augment });
    assert.deepEqual(await collect(resumed, 3, fromStep), wanted.slice(fromStep), `from step ${fromStep}`);
  }
  const elsewhere = loaderOf(of(pictures), { seed: 9, augment: augmentOnThreads(baselineSteps, 2) });
  assert.deepEqual(await collect(elsewhere, 3), wanted, "on other threads");
});

Deno.test("createLoader() augments a sample by (seed, epoch, index) alone", async () => {
  const drawn = new Map<string, number>();
  const draw = (run: string) =>
    augmentByKey((image, rng) => {
      drawn.set(`${run} ${image.data.toHex()}`, rng.uint32());
      return image;
    });
  await collect(loaderOf(of(pictures), { augment: draw("a"), batchSize: 4, dropLast: false }));
  await collect(loaderOf(of(pictures), { augment: draw("b"), batchSize: 7, dropLast: false }));
  const numbers = (run: string) =>
    [...drawn].filter(([key]) => key.startsWith(run)).map(([, number]) => number).sort();
  assert.equal(numbers("a").length, 23);
  assert.deepEqual(numbers("a"), numbers("b"));
  assert.equal(new Set(numbers("a")).size, 23);
});

/** 19 pictures of class 0 and 4 of class 1. */
const unequal: Dataset = {
  ...of(pictures),
  samples: pictures.map((image, i) => ({ image, label: i < 19 ? 0 : 1, name: `${i}.png` })),
};

Deno.test("createLoader() with balanced classes augments a sample that comes again in another way", async () => {
  const drawn: string[] = [];
  const augment = augmentByKey((image, rng) => {
    drawn.push(`${image.data.toHex()} ${rng.uint32()}`);
    return image;
  });
  const batches = await collect(loaderOf(unequal, { augment, sampler: "balanced" }));
  assert.equal(batches.length, 5, "an epoch is as long");
  const labels = batches.flatMap(({ labels }) => [...labels]);
  assert.equal(labels.filter((label) => label === 1).length, 10);
  assert.ok(new Set(indicesOf(batches)).size < 16, "some come several times");
  assert.equal(new Set(drawn).size, 20, "and are drawn for anew");
  // The first time is as without repeats: (seed, epoch, index) alone.
  const before = drawn.splice(0);
  await collect(loaderOf(unequal, { augment, dropLast: false }));
  const shared = new Set(before).intersection(new Set(drawn));
  assert.equal(shared.size, new Set(indicesOf(batches)).size);
});

Deno.test("createLoader() stands in for unreadable pictures with others of their class, if classes are balanced", async () => {
  const broken: Dataset = {
    ...unequal,
    samples: unequal.samples.map((sample, i) =>
      [0, 20, 22].includes(i) ? { ...sample, image: new Uint8Array(9) } : sample
    ),
  };
  const options = { sampler: "balanced", onUnreadable: "skip" } as const;
  const batches = await collect(loaderOf(broken, options), 1);
  const labels = batches.flatMap(({ labels }) => [...labels]);
  assert.equal(labels.filter((label) => label === 1).length, 10);
  assert.ok(indicesOf(batches).every((index) => ![0, 20, 22].includes(index)));
  const again = loaderOf(broken, { ...options, workers: 1, prefetch: 0 });
  await collect(again, 0);
  assert.deepEqual(await collect(again, 1), batches);
});

Deno.test("createLoader() mixes batches by (seed, epoch, step) alone, and resumes exactly", async () => {
  const mixing = { mixup: { alpha: 1, probability: 0.8 }, cutmix: { alpha: 1 } };
  const options = {
    seed: 5,
    augment: augmentByKey(createAugmentation(baselineSteps)),
    sampler: "balanced",
  } as const;
  const plain = await collect(loaderOf(unequal, options), 2);
  const mixed = await collect(loaderOf(unequal, { ...options, mixing, prefetch: 0 }), 2);
  for (const [step, batch] of mixed.entries()) {
    const wanted = mixBatch(plain[step]!, { width: 10, height: 8 }, mixing, createRng(5, "mixing", 2, step));
    assert.deepEqual(batch, { ...plain[step]!, ...wanted });
  }
  assert.ok(new Set(mixed.map(({ labelWeight }) => labelWeight)).size > 2);
  const again = loaderOf(unequal, { ...options, mixing, workers: 3 });
  assert.deepEqual(await collect(again, 2, 3), mixed.slice(3));
  assert.equal(plain.every((batch) => !("labelWeight" in batch)), true);
  const evaluation = await collect(loaderOf(unequal, { mixing, training: false, dropLast: true }));
  assert.ok(evaluation.every((batch) => !("labelWeight" in batch)));
  assert.throws(() => loaderOf(unequal, { mixing, dropLast: false }), {
    name: "RangeError",
    message: 'Cannot load data set "noise": pictures are mixed in whole batches only',
  });
});

Deno.test("createLoader() does not augment an evaluation, nor write to the cache's pixels", async () => {
  const cache = createPixelCache({ diskBytes: 0 });
  const augment = (image: Pixels) => ({ ...image, data: image.data.map((value) => 255 - value) });
  const plain = await collect(loaderOf(of(pictures), { training: false, augment, cache }));
  await collect(loaderOf(of(pictures), { augment, cache }));
  assert.deepEqual(await collect(loaderOf(of(pictures), { training: false, cache })), plain);
  assert.equal(cache.statistics.decoded, 23);
});

Deno.test("createLoader() decodes in the first epoch only, and reads no file again", async () => {
  const files = Object.fromEntries(pictures.map((picture, i) => [`${i}.png`, picture]));
  await inFolder(files, async (folder) => {
    const cache = createPixelCache({ diskBytes: 0 });
    const paths = pictures.map((_, i) => join(folder, `${i}.png`));
    const loader = loaderOf(of(paths), { training: false, cache });
    const first = await collect(loader);
    for (const path of paths) await Deno.remove(path);
    assert.deepEqual(await collect(loader, 1), first);
    assert.equal(cache.statistics.decoded, 23);
  });
});

Deno.test("createLoader() names all unreadable pictures at once", async () => {
  const images = [...pictures];
  images[3] = images[3].slice(0, 50);
  images[20] = new Uint8Array(0);
  images[21] = new TextEncoder().encode("not a picture at all");
  const wanted = `Cannot load data set "noise": 3 of 23 pictures are not readable\n` +
    `  3.png: file is cut off\n` +
    `  20.png: file is empty\n` +
    `  21.png: file is not an image (it is text)\n` +
    `  help: remove them, or pass { onUnreadable: "skip" }`;
  for (const training of [true, false]) {
    for (const prefetch of [0, 3]) {
      assert.equal(
        await failure(collect(loaderOf(of(images), { training, prefetch, dropLast: false }))),
        wanted,
      );
    }
  }
});

Deno.test("createLoader() can leave unreadable pictures out", async () => {
  const images = [...pictures];
  images[3] = images[3].slice(0, 50);
  images[20] = new Uint8Array(0);
  const evaluation = loaderOf(of(images), { training: false, onUnreadable: "skip" });
  const batches = await collect(evaluation);
  assert.deepEqual(batches.map(({ count }) => count), [3, 4, 4, 4, 4, 2]);
  assert.deepEqual([...batches[0].indices], [0, 1, 2, -1]);
  assert.deepEqual([...batches[5].indices], [21, 22, -1, -1]);
  assert.deepEqual([...batches[5].images.subarray(2 * imageBytes)], new Array(2 * imageBytes).fill(0));
  assert.deepEqual(evaluation.unreadable, [
    { name: "3.png", reason: "file is cut off" },
    { name: "20.png", reason: "file is empty" },
  ]);

  const training = await collect(loaderOf(of(images), { onUnreadable: "skip", dropLast: false }), 2);
  const trained = indicesOf(training).filter((index) => index >= 0);
  assert.equal(trained.length, 23); // others stand in
  assert(!trained.includes(3) && !trained.includes(20));
  const again = loaderOf(of(images), { onUnreadable: "skip", dropLast: false, workers: 1 });
  await collect(again, 0);
  assert.deepEqual(await collect(again, 2), training);

  const hopeless = of(images.map(() => new Uint8Array(0)));
  assert.match(
    await failure(collect(loaderOf(hopeless, { onUnreadable: "skip" }))),
    /23 of 23 pictures are not readable/,
  );
  assert.match(
    await failure(collect(loaderOf(hopeless, { onUnreadable: "skip", training: false }))),
    /^Cannot load data set "noise": 23 of 23 pictures are not readable\n[^]*\n {2}help: check that the files are there and are pictures$/,
  );
});

Deno.test("createLoader() raises what an augmentation throws", async () => {
  let calls = 0;
  const augment = (image: Pixels) => {
    if (++calls === 6) throw new TypeError("broken augmentation");
    return image;
  };
  await assert.rejects(collect(loaderOf(of(pictures), { augment })), new TypeError("broken augmentation"));
});

Deno.test("createLoader() raises what an augmentation elsewhere fails with, while others are awaited", async () => {
  // Fails early, while later pictures of the batch are still decoded: nobody may take it for unhandled.
  const augment = async (image: Pixels) => {
    await Promise.resolve();
    if (image.width > 0) throw new TypeError("the thread has ended");
    return image;
  };
  await assert.rejects(collect(loaderOf(of(pictures), { augment })), new TypeError("the thread has ended"));
});

Deno.test("createLoader() stops for a signal and for a loop that ends early", async () => {
  const controller = new AbortController();
  const loader = loaderOf(of(pictures), { signal: controller.signal });
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const { count } of loader.epoch(0)) {
      seen.push(count);
      if (seen.length === 2) controller.abort(new Error("enough"));
    }
  }, new Error("enough"));
  assert.deepEqual(seen, [4, 4]);
  for await (const _ of loaderOf(of(pictures), { prefetch: 4 }).epoch(0)) break;
});

Deno.test("createLoader() prepares the next batches while the caller works", async () => {
  const cache = createPixelCache({ diskBytes: 0 });
  const loader = loaderOf(of(pictures), { training: false, prefetch: 2, cache });
  const batches = loader.epoch(0);
  await batches.next();
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(cache.statistics.decoded, 12); // this one and two more
  await batches.return();
});

Deno.test("createLoader() refuses an empty set and numbers out of range", () => {
  assert.throws(() => loaderOf(of([])), {
    name: "DatasetError",
    message:
      'Cannot load data set "noise": it has no pictures\n  help: check the folder or list it was made from',
  });
  for (
    const [name, value] of [["batchSize", 0], ["batchSize", 1.5], ["workers", 0], ["prefetch", -1]] as const
  ) {
    assert.throws(() => loaderOf(of(pictures), { [name]: value }), {
      name: "RangeError",
      message: `Cannot load data set "noise": ${name} must be an integer >= ${
        name === "prefetch" ? 0 : 1
      }: got ${value}`,
    });
  }
});
