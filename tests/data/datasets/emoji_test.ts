import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import sharp from "npm:sharp@0.35.5";
import { DatasetError } from "../../../lib/data/dataset_error.ts";
import { chooseEmoji } from "../../../lib/data/datasets/_choose_emoji.ts";
import { type EmojiDrawing, loadEmojiDrawings } from "../../../lib/data/datasets/_emoji_sets.ts";
import { EMOJI_CATEGORIES, type EmojiPictures, emojiPictures } from "../../../lib/data/datasets/emoji.ts";

async function inTemporaryCache(body: (cache: string) => Promise<void>): Promise<void> {
  const cache = await Deno.makeTempDir({ prefix: "whittle_emoji_" });
  try {
    await body(cache);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

async function hashOf(data: EmojiPictures): Promise<string> {
  const hash = createHash("sha256");
  for (const { samples } of [data.train, data.validation, data.test]) {
    for (const { image, label, name } of samples) {
      hash.update(`${name} ${label} `).update(await Deno.readFile(image as string));
    }
  }
  return hash.digest("hex");
}

Deno.test("emojiPictures() gives eight classes of real pictures, 70/15/15", async () => {
  await inTemporaryCache(async (cache) => {
    const progress: number[] = [];
    const options = {
      cache,
      size: 32,
      picturesPerClass: 40,
      onProgress: (done: number) => progress.push(done),
    };
    const data = await emojiPictures(options);

    assert.deepEqual(data.classNames, EMOJI_CATEGORIES);
    assert.deepEqual([data.train.name, data.validation.name, data.test.name], [
      "emoji/train",
      "emoji/val",
      "emoji/test",
    ]);
    for (const [part, count] of [[data.train, 28], [data.validation, 6], [data.test, 6]] as const) {
      assert.deepEqual(part.classNames, EMOJI_CATEGORIES);
      EMOJI_CATEGORIES.forEach((_, label) =>
        assert.equal(part.samples.filter((sample) => sample.label === label).length, count)
      );
    }
    assert.deepEqual(progress, Array.from({ length: 320 }, (_, index) => index + 1));

    for (const { image, name, label } of data.train.samples) {
      assert.equal(name.split("/")[1], EMOJI_CATEGORIES[label]);
      const { width, height, channels, format } = await sharp(await Deno.readFile(image as string))
        .metadata();
      assert.deepEqual({ width, height, channels, format }, {
        width: 32,
        height: 32,
        channels: 3,
        format: "png",
      });
      const { entropy } = await sharp(await Deno.readFile(image as string)).stats();
      assert.ok(entropy > 0.05, `${name} is blank`);
    }
  });
});

Deno.test("emojiPictures() makes the same bytes twice, and opens a rendered set without rendering", async () => {
  await inTemporaryCache(async (cache) => {
    const options = { size: 24, picturesPerClass: 20 };
    const first = await emojiPictures({ ...options, cache: join(cache, "a") });
    const second = await emojiPictures({ ...options, cache: join(cache, "b") });
    assert.equal(await hashOf(first), await hashOf(second));

    const again = await emojiPictures({
      ...options,
      cache: join(cache, "a"),
      onProgress: () => assert.fail("rendered again"),
    });
    assert.deepEqual(again, first);

    const otherSeed = await emojiPictures({ ...options, cache: join(cache, "a"), seed: 1 });
    assert.notEqual(await hashOf(otherSeed), await hashOf(first));
  });
});

Deno.test("emojiPictures() gives each picture a colour of its own, or all a white ground", async () => {
  await inTemporaryCache(async (cache) => {
    const categories = ["Food & Drink", "Animals & Nature"];
    for (const background of ["varied", "white"] as const) {
      const data = await emojiPictures({ cache, size: 16, picturesPerClass: 20, categories, background });
      assert.deepEqual(data.classNames, categories.toSorted());
      const corners = await Promise.all(
        [data.train, data.validation, data.test].flatMap(({ samples }) => samples).map(async ({ image }) => {
          const pixels = await sharp(await Deno.readFile(image as string)).raw().toBuffer();
          return pixels.subarray(0, 3).toString("hex");
        }),
      );
      // A few drawings reach into the corner.
      const white = corners.filter((corner) => corner === "ffffff").length;
      if (background === "white") assert.ok(white >= 35, `${white} of ${corners.length} are on white`);
      else assert.ok(white < 5 && new Set(corners).size >= 35, `${new Set(corners).size} colours`);
    }
  });
});

Deno.test("emojiPictures() renders a set anew from which a picture was removed", async () => {
  await inTemporaryCache(async (cache) => {
    const options = { cache, size: 16, picturesPerClass: 20 };
    const whole = await emojiPictures(options);
    const hash = await hashOf(whole);
    await Deno.remove(whole.train.samples[3].image as string);
    await Deno.writeTextFile(whole.train.samples[5].image as string, "cut");
    assert.equal(await hashOf(await emojiPictures(options)), hash);
  });
});

Deno.test("emojiPictures() leaves nothing half-made when it is stopped", async () => {
  await inTemporaryCache(async (cache) => {
    const stop = new AbortController();
    const onProgress = (done: number) => done === 5 && stop.abort();
    await assert.rejects(
      emojiPictures({ cache, size: 16, picturesPerClass: 20, onProgress, signal: stop.signal }),
      { name: "AbortError" },
    );
    const left = [...Deno.readDirSync(cache)].filter((entry) => entry.isDirectory);
    assert.deepEqual(left, []);
  });
});

Deno.test("emojiPictures() throws when an option is out of range", async () => {
  await assert.rejects(emojiPictures({ picturePerClass: 50 } as object), {
    name: "TypeError",
    message: /^Cannot run emojiPictures\(\): .*\n.*did you mean "picturesPerClass"\?/,
  });
  await assert.rejects(emojiPictures({ size: 0 }), {
    name: "RangeError",
    message:
      "Cannot make the emoji pictures: size must be a whole number from 16 to 1024: current value is 0",
  });
  await assert.rejects(emojiPictures({ picturesPerClass: 3.5 }), {
    name: "RangeError",
    message:
      "Cannot make the emoji pictures: picturesPerClass must be a whole number from 20 to 10000: current value is 3.5",
  });
  await assert.rejects(emojiPictures({ categories: ["Animals & Nature", "Food"] }), {
    name: "RangeError",
    message:
      'Cannot make the emoji pictures: there is no category "Food"\n  help: the categories are "Activities", ' +
      '"Animals & Nature", "Food & Drink", "Objects", "People & Body", "Smileys & Emotion", "Symbols", "Travel & Places"',
  });
  await assert.rejects(emojiPictures({ categories: ["Objects"] }), {
    name: "RangeError",
    message:
      /^Cannot make the emoji pictures: categories must be two or more: current value is \["Objects"\]\n/,
  });
  await assert.rejects(emojiPictures({ background: "black" as "white" }), {
    name: "RangeError",
    message:
      'Cannot make the emoji pictures: background must be "varied" or "white": current value is "black"',
  });
  await assert.rejects(emojiPictures({ seed: -1 }), {
    name: "RangeError",
    message:
      "Cannot make the emoji pictures: seed must be a whole number from 0 to 9007199254740991: current value is -1",
  });
});

Deno.test("loadEmojiDrawings() says what to do when a package cannot be loaded", async () => {
  const missing = { style: "none", specifier: "file:///no/such/package", license: "none" };
  const error = await loadEmojiDrawings([missing]).then(() => assert.fail("loaded"), (error) => error);
  assert.ok(error instanceof DatasetError, String(error));
  const [head, cause, help] = error.message.split("\n");
  assert.equal(head, "Cannot load the emoji drawings: an npm package could not be imported");
  assert.match(cause, /^ {2}file:\/\/\/no\/such\/package\/\w+\.json: ./);
  assert.equal(
    help,
    "  help: run once with a network that reaches the npm registry; Deno keeps the package in its cache",
  );
});

/**
 * The name without skin tone and gender: a rule over the names, so independent of the one over code points.
 * "man-artist-dark-skin-tone" and "woman-artist" become "artist".
 */
function nameWithoutVariant({ name, category }: EmojiDrawing): string {
  if (category !== "People & Body") return name;
  return name
    .replace(/-(medium-)?(light|dark|medium)(-skin-tone)?(?=-|$)/g, "")
    .replace(/-facing-right$/, "")
    .split("-")
    .filter((word) => !/^(man|woman|men|women|person|people|and)$/.test(word))
    .join("-");
}

Deno.test("chooseEmoji() has no base emoji, by code points or by name, in two parts", async () => {
  const drawings = await loadEmojiDrawings();
  assert.ok(drawings.length > 6000, `${drawings.length} drawings`);
  assert.equal(new Set(drawings.map(({ style }) => style)).size, 2);
  for (const seed of [0, 1, 2]) {
    const chosen = chooseEmoji(drawings, 10_000, seed);
    assert.equal(chosen.length, drawings.length);
    for (const keyOf of [({ base }: EmojiDrawing) => base, nameWithoutVariant]) {
      const partOf = new Map<string, string>();
      for (const { drawing, part } of chosen) {
        const key = `${drawing.category} ${keyOf(drawing)}`;
        assert.equal(
          partOf.get(key) ?? part,
          part,
          `${key} is in ${partOf.get(key)} and ${part}: ${drawing.name}`,
        );
        partOf.set(key, part);
      }
    }
    const held = chosen.filter(({ part }) => part !== "train");
    const bases = (of: typeof chosen) => new Set(of.map(({ drawing }) => drawing.base)).size;
    assert.ok(Math.abs(bases(held) / bases(chosen) - 0.3) < 0.01);
  }
});

Deno.test("chooseEmoji() takes every emoji once before it takes variants", async () => {
  const drawings = await loadEmojiDrawings();
  const people = chooseEmoji(drawings, 150, 0).filter(({ drawing }) => drawing.category === "People & Body");
  assert.equal(people.length, 150);
  const train = people.filter(({ part }) => part === "train").map(({ drawing }) => drawing);
  assert.equal(new Set(train.map(({ base }) => base)).size, train.length);
  assert.ok(train.every(({ codePoints }) => !/1f3f[b-f]/.test(codePoints)));
});

Deno.test("emojiPictures() has no two pictures drawn alike, mirrored or not, in two parts", async () => {
  await inTemporaryCache(async (cache) => {
    const data = await emojiPictures({ cache, size: 16, picturesPerClass: 240, background: "white" });
    const pixels = async (part: EmojiPictures["train"], mirrored = false) =>
      await Promise.all(part.samples.map(async ({ image, name }) => {
        const picture = sharp(await Deno.readFile(image as string)).removeAlpha();
        return { name, bytes: (await (mirrored ? picture.flop() : picture).raw().toBuffer()) as Uint8Array };
      }));
    const parts = [await pixels(data.train), await pixels(data.validation), await pixels(data.test)];
    const mirrored = [await pixels(data.train, true), await pixels(data.validation, true)];
    const alike: string[] = [];
    for (const [a, b] of [[0, 1], [0, 2], [1, 2]]) {
      for (const left of [...parts[a], ...mirrored[a]]) {
        for (const right of parts[b]) {
          if (meanDifference(left.bytes, right.bytes) < 1) alike.push(`${left.name} ~ ${right.name}`);
        }
      }
    }
    assert.deepEqual(alike, []);
  });
});

/** Mean absolute difference of two pictures on the 0..255 scale; gives up early where it is large. */
function meanDifference(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) {
    sum += Math.abs(a[index] - b[index]);
    if (sum > 2 * a.length) break;
  }
  return sum / a.length;
}
