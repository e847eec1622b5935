import assert from "node:assert/strict";
import { cutmix, cutmixBox, keptShare } from "../../lib/augment/cutmix.ts";
import { beta, normalQuantiles } from "../../lib/augment/distributions.ts";
import { mixBatch, type MixedImages, type Mixing } from "../../lib/augment/mix_batch.ts";
import { mixup } from "../../lib/augment/mixup.ts";
import { createRng, type Rng } from "../../lib/augment/rng.ts";
import { told } from "./_told_rng.ts";

interface Oracle {
  rows: number;
  height: number;
  width: number;
  classes: number;
  labels: number[];
  mixes: {
    kind: "mixup" | "cutmix";
    share: number;
    places: number[];
    images: number[];
    target: number[];
  }[];
}
const oracle: Oracle = JSON.parse(
  Deno.readTextFileSync(new URL("../oracles/augment/mixing.json", import.meta.url)),
);
const { rows, height, width, classes } = oracle, size = { height, width };
const images = Uint8Array.from({ length: rows * height * width * 3 }, (_, i) => i * 7919 % 256);
const labels = Int32Array.from(oracle.labels);

/** The target that timm makes of labels, with its label smoothing of 0.1. */
function targetOf({ labels, otherLabels, labelWeight }: Omit<MixedImages, "images">): number[] {
  const one = (label: number, index: number) => (label === index ? 0.9 : 0) + 0.1 / classes;
  return [...labels].flatMap((label, row) =>
    Array.from(
      { length: classes },
      (_, index) => labelWeight * one(label, index) + (1 - labelWeight) * one(otherLabels[row]!, index),
    )
  );
}

/** Fails unless bytes are the same; where the exact value lies between two bytes both will do. */
function assertBytes(found: Uint8Array, wanted: readonly number[], share: number): void {
  wanted.forEach((value, at) => {
    const own = images[at]!, bytes = images.length / rows, row = Math.floor(at / bytes);
    const exact = share * own + (1 - share) * images[(rows - 1 - row) * bytes + at % bytes]!;
    const isTie = Math.abs(Math.abs(exact % 1) - 0.5) < 1e-4;
    assert.ok(Math.abs(found[at]! - value) <= (isTie ? 1 : 0), `byte ${at} is ${found[at]}, not ${value}`);
  });
}

Deno.test("mixup() and cutmix() give timm's pixels and shares", () => {
  for (const { kind, share, places, images: wanted, target } of oracle.mixes) {
    const rng = told(...places);
    const box = kind === "cutmix" ? cutmixBox(size, share, rng) : undefined;
    const found = box === undefined ? mixup(images, rows, share) : cutmix(images, rows, size, box);
    if (box === undefined) assertBytes(found, wanted, share);
    else assert.deepEqual([...found], wanted, `cutmix with ${share}`);
    const kept = box === undefined ? share : keptShare(size, box);
    const off = targetOf({ labels, otherLabels: labels.toReversed(), labelWeight: kept })
      .map((value, index) => Math.abs(value - target[index]!));
    assert.ok(Math.max(...off) < 1e-6, `${kind} with ${share}`);
  }
});

Deno.test("mixBatch() gives timm's targets, with the stronger label first", () => {
  const seen = { mixup: 0, cutmix: 0 };
  for (let index = 0; index < 300; index++) {
    const kind = index % 2 === 0 ? "mixup" : "cutmix";
    const rng = () => createRng(7, "mixing", 0, index);
    const mixed = mixBatch({ images, labels }, size, { [kind]: { alpha: 0.7 } }, rng());
    const again = rng();
    again.chance(1);
    const share = beta(again, 0.7, 0.7);
    const box = kind === "cutmix" ? cutmixBox(size, share, again) : undefined;
    assert.deepEqual(
      mixed.images,
      box === undefined ? mixup(images, rows, share) : cutmix(images, rows, size, box),
    );
    const kept = box === undefined ? share : keptShare(size, box);
    const wanted = targetOf({ labels, otherLabels: labels.toReversed(), labelWeight: kept });
    const found = targetOf(mixed);
    assert.ok(found.every((value, at) => Math.abs(value - wanted[at]!) < 1e-12));
    assert.ok(mixed.labelWeight >= 0.5 && mixed.labelWeight <= 1);
    if (kept < 0.5) seen[kind]++;
  }
  assert.ok(seen.mixup > 20 && seen.cutmix > 3, "both orders were seen");
});

Deno.test("mixBatch() mixes as often as it is told, with both by one of them", () => {
  const batches = 4000;
  const count = (mixing: Mixing) => {
    const counts = { none: 0, mixup: 0, cutmix: 0 };
    // Where all pixels of a picture are alike, cutmix leaves two values, mixup one.
    const flat = { images: Uint8Array.from({ length: 2 * 48 }, (_, i) => i < 48 ? 0 : 200) };
    for (let index = 0; index < batches; index++) {
      const batch = { ...flat, labels: Int32Array.of(0, 1) };
      const mixed = mixBatch(batch, { width: 4, height: 4 }, mixing, createRng(3, "mixing", 0, index));
      const first = new Set(mixed.images.subarray(0, 48));
      const isWhole = first.size === 1 && (first.has(0) || first.has(200));
      if (mixed.images === flat.images) {
        assert.deepEqual([mixed.labelWeight, mixed.otherLabels], [1, batch.labels]);
        counts.none++;
      } else if (first.size === 2 || isWhole) counts.cutmix++;
      else counts.mixup++;
    }
    return counts;
  };
  const close = (found: number, share: number) =>
    assert.ok(Math.abs(found / batches - share) < 0.035, `${found / batches}, wanted ${share}`);
  const mixup = { alpha: 4 }, cutmix = { alpha: 1 };
  const both = count({ mixup, cutmix });
  assert.equal(both.none, 0);
  close(both.mixup, 0.5);
  const seldom = count({ mixup: { ...mixup, probability: 0.4 }, cutmix: { ...cutmix, probability: 0.8 } });
  close(seldom.mixup, 0.2);
  close(seldom.cutmix, 0.4);
  close(count({ cutmix: { ...cutmix, probability: 0.3 } }).none, 0.7);
  assert.equal(count({ mixup: { ...mixup, probability: 0 } }).none, batches);
});

Deno.test("mixBatch() writes to nothing it was given", () => {
  const before = [images.slice(), labels.slice()];
  for (const mixing of [{ mixup: { alpha: 1 } }, { cutmix: { alpha: 1 } }]) {
    mixBatch({ images, labels }, size, mixing, createRng(1, "mixing"));
  }
  assert.deepEqual([images, labels], before);
});

Deno.test("normalQuantiles() are those of the normal distribution", () => {
  // statistics.NormalDist().inv_cdf of 0.525, 0.575, ..., 0.975 (Python)
  const upper = [
    0.062707,
    0.189118,
    0.318639,
    0.453762,
    0.59776,
    0.755415,
    0.934589,
    1.150349,
    1.439531,
    1.959964,
  ];
  const wanted = [...upper.toReversed().map((value) => -value), ...upper];
  normalQuantiles(20).forEach((value, index) =>
    assert.ok(Math.abs(value - wanted[index]!) < 1e-3, `${index}: ${value}, not ${wanted[index]}`)
  );
});

/** Largest distance between the shares of what was drawn and a distribution (Kolmogorov and Smirnov). */
function distance(draw: (rng: Rng) => number, cdf: (x: number) => number): number {
  const drawn = Array.from({ length: 20_000 }, (_, index) => draw(createRng(2, "mixing", 0, index)))
    .sort((a, b) => a - b);
  return Math.max(
    ...drawn.map((x, index) =>
      Math.max(
        Math.abs(cdf(x) - index / drawn.length),
        Math.abs(cdf(x) - (index + 1) / drawn.length),
      )
    ),
  );
}

Deno.test("beta() draws shares of the distribution mixup and cutmix ask for", () => {
  const distributions: [number, (x: number) => number][] = [
    [0.5, (x) => 2 / Math.PI * Math.asin(Math.sqrt(x))],
    [1, (x) => x],
    [2, (x) => x * x * (3 - 2 * x)],
  ];
  // The distance of 20,000 numbers has a probability of 0.1 % above 0.0138.
  for (const [alpha, cdf] of distributions) {
    const found = distance((rng) => beta(rng, alpha, alpha), cdf);
    assert.ok(found < 0.0138, `alpha ${alpha}: ${found}`);
    assert.ok(
      distance((rng) => beta(rng, alpha * 1.3, alpha * 1.3), cdf) > 0.0138,
      "another alpha is noticed",
    );
  }
});

Deno.test("beta() gives 0 or 1, never NaN, where its parameters are tiny", () => {
  let high = 0;
  for (let index = 0; index < 2000; index++) {
    const share = beta(createRng(4, "mixing", 0, index), 1e-4, 1e-4);
    assert.ok(share >= 0 && share <= 1);
    if (share > 0.5) high++;
  }
  assert.ok(Math.abs(high / 2000 - 0.5) < 0.05, `${high}`);
});

Deno.test("cutmixBox() is about any pixel alike, and as large as the share asks where nothing is cut off", () => {
  const square = { width: 32, height: 32 };
  let kept = 0;
  const middles = new Array(4).fill(0);
  for (let index = 0; index < 8000; index++) {
    const box = cutmixBox(square, 0.75, createRng(6, "mixing", 0, index));
    kept += keptShare(square, box);
    const isWhole = box.left > 0 && box.right < 32 && box.top > 0 && box.bottom < 32;
    if (isWhole) assert.deepEqual([box.right - box.left, box.bottom - box.top], [16, 16]);
    const column = box.left > 0 ? box.left + 8 : box.right - 8;
    middles[Math.floor(column / 8)]++;
  }
  for (const count of middles) assert.ok(Math.abs(count / 8000 - 0.25) < 0.03, `${middles}`);
  // About pixel 0..31 a side of 16 is (on average) 12 long: 8 + 0..8 at the edges, 16 within.
  const side = (16 * 17 + 2 * [8, 9, 10, 11, 12, 13, 14, 15].reduce((sum, x) => sum + x, 0) - 8) / 32;
  assert.ok(Math.abs(kept / 8000 - (1 - (side / 32) ** 2)) < 0.005, `${kept / 8000}, ${side}`);
});
