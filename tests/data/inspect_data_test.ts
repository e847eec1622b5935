import assert from "node:assert/strict";
import sharp, { type Sharp } from "npm:sharp@0.35.5";
import type { Dataset, DatasetSplits, ImageSource, RawImage } from "../../lib/data/dataset.ts";
import { decodePixels } from "../../lib/data/decode.ts";
import { type Finding, inspectData } from "../../lib/data/inspect_data.ts";
import { encoded } from "./_pictures.ts";

const oracles = new URL("../oracles/data/", import.meta.url);
const classNames = ["cat", "dog", "fox"];

/** A set from pictures per class; names are like `train/cat/0`. */
function setOf(name: string, ...perClass: ImageSource[][]): Dataset {
  const samples = perClass.flatMap((images, label) =>
    images.map((image, i) => ({ image, label, name: `${name}/${classNames[label]}/${i}` }))
  );
  return { name: `pets/${name}`, classNames, samples };
}
const splits = (train: Dataset, validation: Dataset, test?: Dataset): DatasetSplits => ({
  classNames,
  train,
  validation,
  ...(test ? { test } : {}),
});
const noise = await Promise.all(Array.from({ length: 90 }, (_, i) => encoded("png", 40, 50, i)));
const take = (count: number) => noise.slice(taken, taken += count);
let taken = 0;
const find = (findings: readonly Finding[], id: Finding["id"]) =>
  findings.find((finding) => finding.id === id);
const lines = (finding?: Finding) => finding?.items.map(({ name, detail }) => `${name}: ${detail}`);

Deno.test("inspectData() finds nothing wrong with good data", async () => {
  const report = await inspectData(splits(
    setOf("train", noise.slice(0, 12), noise.slice(12, 24), noise.slice(24, 40)),
    setOf("val", noise.slice(40, 42), noise.slice(42, 44), noise.slice(44, 46)),
    setOf("test", noise.slice(46, 47), [], noise.slice(47, 48)),
  ));
  assert.deepEqual(report.findings, []);
  assert.equal(report.name, "pets");
  const spread = (value: number) => ({ min: value, median: value, max: value });
  assert.deepEqual(report.sets, [
    {
      set: "train",
      name: "pets/train",
      perClass: [12, 12, 16],
      pictures: 40,
      unreadable: 0,
      width: spread(40),
      height: spread(50),
    },
    {
      set: "validation",
      name: "pets/val",
      perClass: [2, 2, 2],
      pictures: 6,
      unreadable: 0,
      width: spread(40),
      height: spread(50),
    },
    {
      set: "test",
      name: "pets/test",
      perClass: [1, 0, 1],
      pictures: 2,
      unreadable: 0,
      width: spread(40),
      height: spread(50),
    },
  ]);
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
});

Deno.test("inspectData() lists pictures that cannot be read", async () => {
  taken = 0;
  const { findings, sets } = await inspectData(
    setOf("all", [...take(11), new Uint8Array(0)], [noise[80].slice(0, 99), ...take(11)], take(11)),
  );
  assert.deepEqual(find(findings, "unreadable"), {
    id: "unreadable",
    severity: "problem",
    title: "2 pictures of 35 cannot be read",
    help: 'remove them, or pass { onUnreadable: "skip" }',
    items: [{ name: "all/cat/11", detail: "file is empty", pictures: [] }, {
      name: "all/dog/0",
      detail: "file is cut off",
      pictures: [],
    }],
  });
  assert.equal(findings.length, 1);
  assert.equal(sets[0].unreadable, 2);
});

Deno.test("inspectData() reports classes without pictures, small ones, and unequal ones", async () => {
  taken = 0;
  const { findings } = await inspectData(
    splits(setOf("train", [], take(40), take(4)), setOf("val", take(1), take(1), [])),
  );
  assert.deepEqual(findings.map(({ id, severity, title }) => [id, severity, title]), [
    ["no-training-pictures", "problem", "1 class without training pictures"],
    ["no-validation-pictures", "warning", "1 class without validation pictures"],
    ["class-imbalance", "warning", "The largest class has 10 times as many pictures as the smallest"],
    ["few-training-pictures", "note", "1 class with fewer than 10 pictures to train on"],
  ]);
  assert.deepEqual(lines(find(findings, "class-imbalance")), ["dog: 40 pictures", "fox: 4 pictures"]);
  assert.deepEqual(lines(find(findings, "no-training-pictures")), ["cat: 0 pictures"]);
});

const photo = await decodePixels(new URL("photo.png", oracles));
const crop = (left: number, top: number): RawImage => {
  const data = new Uint8Array(60 * 45 * 3);
  for (let y = 0; y < 45; y++) {
    const from = ((top + y) * photo.width + left) * 3;
    data.set(photo.data.subarray(from, from + 60 * 3), y * 60 * 3);
  }
  return { width: 60, height: 45, channels: 3, data };
};
const saved = async ({ data, width, height }: RawImage, save: (picture: Sharp) => Sharp) =>
  new Uint8Array(await save(sharp(data, { raw: { width, height, channels: 3 } })).toBuffer());

Deno.test("inspectData() finds the same picture across sets, classes, sizes and qualities", async () => {
  const pictures = [crop(0, 0), crop(30, 0), crop(0, 22), crop(30, 22), crop(15, 10)];
  const png = await Promise.all(pictures.map((picture) => saved(picture, (to) => to.png())));
  const copy = await saved(pictures[1], (to) => to.jpeg({ quality: 85 }));
  const large = await saved(pictures[2], (to) => to.resize(120, 90).webp({ quality: 90 }));
  taken = 0;
  const { findings } = await inspectData(splits(
    setOf("train", [png[0], png[1], png[4], png[4].slice(), ...take(10)], [png[2], png[3], ...take(10)], [
      png[3],
      ...take(10),
    ]),
    setOf("val", [png[0], large, ...take(1)], take(1), [copy, ...take(1)]),
  ));
  assert.deepEqual(lines(find(findings, "same-picture-across-sets")), [
    "train/cat/0: the same file as val/cat/0 (validation)",
    "train/cat/1: looks the same as val/fox/0 (fox, validation)",
    "train/dog/0: looks the same as val/cat/1 (cat, validation)",
  ]);
  assert.deepEqual(lines(find(findings, "same-picture-in-two-classes")), [
    "train/cat/1: looks the same as val/fox/0 (fox, validation); itself in cat",
    "train/dog/0: looks the same as val/cat/1 (cat, validation); itself in dog",
    "train/dog/1: the same file as train/fox/0 (fox); itself in dog",
  ]);
  assert.deepEqual(lines(find(findings, "same-picture-twice")), [
    "train/cat/2: the same file as train/cat/3",
  ]);
  assert.deepEqual(find(findings, "same-picture-twice")?.items[0].pictures, [
    { set: "train", index: 2 },
    { set: "train", index: 3 },
  ]);
});

Deno.test("inspectData() does not take pictures that are merely alike for the same", async () => {
  const plain = (value: number): RawImage => ({
    width: 40,
    height: 40,
    channels: 3,
    data: new Uint8Array(4800).fill(value),
  });
  const clock = (minute: number): Promise<Uint8Array> => {
    const angle = minute / 60 * 2 * Math.PI;
    const svg =
      `<svg xmlns="http://www.w3.org/2000/svg" width="72" height="72"><rect width="72" height="72" fill="white"/>
      <circle cx="36" cy="36" r="30" fill="none" stroke="black" stroke-width="4"/><line x1="36" y1="36"
      x2="${36 + 24 * Math.sin(angle)}" y2="${
        36 - 24 * Math.cos(angle)
      }" stroke="black" stroke-width="3"/></svg>`;
    return sharp(new TextEncoder().encode(svg)).removeAlpha().png().toBuffer();
  };
  const clocks = await Promise.all([0, 5, 10, 15, 20, 30].map(clock));
  taken = 0;
  const { findings } = await inspectData(setOf(
    "all",
    [plain(100), plain(101), crop(0, 0), crop(2, 2), ...take(10)],
    [...clocks.map((bytes) => new Uint8Array(bytes)), ...take(10)],
    take(10),
  ));
  assert.deepEqual(findings, []);
});

Deno.test("inspectData() reports tiny, huge, long and transparent pictures", async () => {
  taken = 0;
  const odd = await Promise.all([
    encoded("png", 31, 40, 1),
    sharp({ create: { width: 5000, height: 4801, channels: 3, background: "red" } }).png({
      compressionLevel: 1,
    }).toBuffer(),
    encoded("jpeg", 150, 50, 2),
    encoded("jpeg", 149, 50, 3),
    sharp({ create: { width: 50, height: 50, channels: 4, background: { r: 1, g: 2, b: 3, alpha: 0.5 } } })
      .png().toBuffer(),
    sharp({ create: { width: 50, height: 50, channels: 4, background: { r: 3, g: 2, b: 3, alpha: 1 } } })
      .png().toBuffer(),
  ]);
  const { findings } = await inspectData(
    setOf("all", [...odd.map((bytes) => new Uint8Array(bytes)), ...take(10)], take(10), take(10)),
  );
  assert.deepEqual(
    findings.map(({ id, items }) => [id, items.map(({ name, detail }) => `${name}: ${detail}`)]),
    [
      ["long", ["all/cat/2: 150 x 50"]],
      ["transparent", ["all/cat/4: 50 x 50"]],
      ["tiny", ["all/cat/0: 31 x 40"]],
      ["huge", ["all/cat/1: 5000 x 4801"]],
    ],
  );
});

Deno.test("inspectData() tells how far it is and stops for a signal", async () => {
  const seen: string[] = [];
  const data = setOf("all", noise.slice(0, 3), noise.slice(3, 5), []);
  await inspectData(data, { workers: 1, onProgress: ({ done, total }) => seen.push(`${done}/${total}`) });
  assert.deepEqual(seen, ["1/5", "2/5", "3/5", "4/5", "5/5"]);
  const controller = new AbortController();
  const stopped = inspectData(data, {
    workers: 1,
    signal: controller.signal,
    onProgress: () => controller.abort(new Error("enough")),
  });
  await assert.rejects(stopped, new Error("enough"));
});
