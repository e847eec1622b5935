/** AugMix, bit for bit as Pillow and timm compute it; `tests/oracles/augment/make_aug_mix.py` made what is compared. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import sharp from "npm:sharp@0.35.5";
import {
  applyAugMix,
  applyOperation,
  augMix,
  augMixKinds,
  type AugMixOperation,
  type AugMixPlan,
  drawAugMix,
  operationOf,
} from "../../lib/augment/aug_mix.ts";
import type { Pixels } from "../../lib/augment/augmentation.ts";
import { rotateNearest } from "../../lib/augment/geometric_operations.ts";
import { createRng } from "../../lib/augment/rng.ts";

/** What the script wrote. */
interface Oracle {
  readonly pictures: Readonly<Record<string, { width: number; height: number; sha256: string }>>;
  readonly operations: readonly { picture: string; operation: AugMixOperation; sha256: string }[];
  readonly plans: readonly { picture: string; plan: AugMixPlan; sha256: string }[];
  readonly levels: readonly {
    kind: typeof augMixKinds[number];
    level: number;
    negative: boolean;
    value: number;
  }[];
  readonly rotations: readonly { picture: string; degrees: number; sha256: string }[];
}

const oracles = new URL("../oracles/", import.meta.url);
const oracle: Oracle = JSON.parse(Deno.readTextFileSync(new URL("augment/aug_mix.json", oracles)));

const photo = await sharp(fileURLToPath(new URL("data/photo.png", oracles))).removeAlpha().raw().toBuffer({
  resolveWithObject: true,
});
const photoPixels: Pixels = {
  width: photo.info.width,
  height: photo.info.height,
  data: new Uint8Array(photo.data),
};
const picturesByName: Readonly<Record<string, Pixels>> = {
  photo: photoPixels,
  dark: { ...photoPixels, data: photoPixels.data.map((value) => Math.floor(value / 5) + 20) },
  flat: { width: 9, height: 7, data: Uint8Array.from({ length: 189 }, (_, i) => [12, 200, 77][i % 3]!) },
  two: {
    width: 2,
    height: 3,
    data: Uint8Array.from({ length: 18 }, (_, i) => [0, 9, 255, 255, 9, 0][i % 6]!),
  },
  ramp: { width: 16, height: 12, data: Uint8Array.from({ length: 576 }, (_, i) => i * 37 % 251) },
  pixel: { width: 1, height: 1, data: Uint8Array.from([5, 6, 7]) },
};

async function digest({ data }: Pixels): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data.slice())).toHex();
}

Deno.test("the pictures are the oracle's", async () => {
  for (const [name, { width, height, sha256 }] of Object.entries(oracle.pictures)) {
    const picture = picturesByName[name]!;
    assert.deepEqual([picture.width, picture.height, await digest(picture)], [width, height, sha256], name);
  }
});

for (const op of new Set(oracle.operations.map(({ operation }) => operation.op))) {
  Deno.test(`applyOperation() does ${op} bit for bit as Pillow`, async () => {
    const cases = oracle.operations.filter(({ operation }) => operation.op === op);
    assert.ok(cases.length >= 6);
    for (const { picture, operation, sha256 } of cases) {
      const before = await digest(picturesByName[picture]!);
      const found = await digest(applyOperation(picturesByName[picture]!, operation));
      assert.equal(found, sha256, `${picture}: ${JSON.stringify(operation)}`);
      assert.equal(await digest(picturesByName[picture]!), before, "its input is not written to");
    }
  });
}

Deno.test("applyAugMix() mixes bit for bit as timm does by the same plan", async () => {
  assert.equal(oracle.plans.length, 60);
  for (const { picture, plan, sha256 } of oracle.plans) {
    assert.equal(await digest(applyAugMix(picturesByName[picture]!, plan)), sha256, JSON.stringify(plan));
  }
});

Deno.test("operationOf() has timm's parameter for each strength", () => {
  for (const { kind, level, negative, value } of oracle.levels) {
    const { op: _, axis: _axis, resample: _resample, ...parameter } = operationOf(
      kind,
      level,
      negative,
      "bilinear",
    ) as unknown as Record<string, number>;
    const [found] = Object.values(parameter);
    assert.ok(Math.abs(found! - value) < 1e-15, `${kind} at ${level}: ${found}, wanted ${value}`);
  }
});

Deno.test("rotateNearest() turns bit for bit as Pillow", async () => {
  for (const { picture, degrees, sha256 } of oracle.rotations) {
    assert.equal(
      await digest(rotateNearest(picturesByName[picture]!, degrees)),
      sha256,
      `${picture}, ${degrees} degrees`,
    );
  }
});

Deno.test("drawAugMix() draws kinds, depths, signs and shares as often as timm does", () => {
  const draws = 6000, magnitude = 4, width = 2;
  const plans = Array.from(
    { length: draws },
    (_, sample) => drawAugMix(createRng(3, "augmentation", 0, sample), { magnitude, width }),
  );
  const chains = plans.flatMap(({ chains }) => chains);
  const operations = chains.flatMap(({ operations }) => operations);
  /** Fails if a share of so many draws is five deviations from what it should be. */
  const assertShare = (what: string, found: number, of: number, wanted: number) => {
    const deviation = Math.sqrt(wanted * (1 - wanted) / of);
    assert.ok(Math.abs(found / of - wanted) < 5 * deviation, `${what}: ${found / of}, wanted ${wanted}`);
  };
  const nameOf = (operation: AugMixOperation) =>
    "axis" in operation ? `${operation.op}${operation.axis.toUpperCase()}` : operation.op;
  for (const kind of augMixKinds) {
    const count = operations.filter((operation) => nameOf(operation) === kind).length;
    assertShare(kind, count, operations.length, 1 / 12);
  }
  for (const depth of [1, 2, 3]) {
    const count = chains.filter(({ operations }) => operations.length === depth).length;
    assertShare(`depth ${depth}`, count, chains.length, 1 / 3);
  }
  const factors = operations.flatMap((operation) => "factor" in operation ? [operation] : []);
  const brightness = factors.filter(({ op }) => op === "brightness").map(({ factor }) => factor);
  assertShare("darker", brightness.filter((factor) => factor < 1).length, brightness.length, 1 / 2);
  // The strength is uniform up to the magnitude: so is the distance from 1, up to 0.36.
  for (const part of [0.25, 0.5, 0.75]) {
    const within = brightness.filter((factor) => Math.abs(factor - 1) < 0.36 * part).length;
    assertShare(`within ${part}`, within, brightness.length, part);
  }
  const resampled = operations.flatMap((operation) => "resample" in operation ? [operation.resample] : []);
  assertShare("bicubic", resampled.filter((name) => name === "bicubic").length, resampled.length, 1 / 2);
  // Dirichlet(1, 1) and Beta(1, 1) are uniform.
  for (const part of [0.1, 0.5, 0.9]) {
    assertShare("mixture", plans.filter(({ mixture }) => mixture < part).length, draws, part);
    assertShare("share", plans.filter(({ chains }) => chains[0]!.share < part).length, draws, part);
  }
  for (const { chains } of plans) {
    assert.ok(Math.abs(chains.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-6);
  }
});

Deno.test("augMix() depends on seed, epoch and index, and keeps to its options", () => {
  const augment = augMix({ magnitude: 5, width: 3 });
  const run = (epoch: number, sample: number) =>
    augment(photoPixels, createRng(7, "augmentation", epoch, sample)).data;
  assert.deepEqual(run(0, 1), run(0, 1));
  assert.notDeepEqual(run(0, 1), run(1, 1));
  assert.notDeepEqual(run(0, 1), run(0, 2));
  const { chains } = drawAugMix(createRng(7, "augmentation"), { width: 4, depth: 5 });
  assert.deepEqual(chains.map(({ operations }) => operations.length), [5, 5, 5, 5]);
});

Deno.test("augMix() refuses options out of range, all of them", () => {
  assert.throws(
    () => augMix({ magnitude: 11, width: 0, depth: 1.5, alpha: 0 }),
    new RangeError(
      "Cannot augment with AugMix:\n  magnitude is 11, wanted above 0 and at most 10\n" +
        "  width is 0, wanted a whole number of at least 1\n" +
        "  depth is 1.5, wanted a whole number of at least 1\n  alpha is 0, wanted a number above 0",
    ),
  );
});
