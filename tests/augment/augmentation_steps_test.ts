import assert from "node:assert/strict";
import { augMix } from "../../lib/augment/aug_mix.ts";
import { chain, type Pixels } from "../../lib/augment/augmentation.ts";
import { augmentationProblems, createAugmentation } from "../../lib/augment/augmentation_steps.ts";
import { cutout } from "../../lib/augment/cutout.ts";
import { flip } from "../../lib/augment/flip.ts";
import { randomCrop } from "../../lib/augment/random_crop.ts";
import { randomErasing } from "../../lib/augment/random_erasing.ts";
import { createRng } from "../../lib/augment/rng.ts";
import { rotate } from "../../lib/augment/rotate.ts";

const image: Pixels = {
  width: 24,
  height: 20,
  data: Uint8Array.from({ length: 1440 }, (_, i) => i * 37 % 251),
};

Deno.test("createAugmentation() does the steps in their order, with their settings", () => {
  const made = createAugmentation([
    { kind: "randomCrop", probability: 1, enlargement: 1.5 },
    { kind: "augMix", magnitude: 5, width: 2, depth: 1 },
    { kind: "cutout", probability: 1, share: 0.2 },
    { kind: "flip", probability: 1 },
    { kind: "rotate", probability: 1, degrees: 20 },
    { kind: "randomErasing", probability: 1, maxArea: 0.2, mode: "pixel" },
  ]);
  const byHand = chain(
    randomCrop({ probability: 1, enlargement: 1.5 }),
    augMix({ magnitude: 5, width: 2, depth: 1 }),
    cutout({ probability: 1, share: 0.2 }),
    flip(1),
    rotate({ probability: 1, degrees: 20 }),
    randomErasing({ probability: 1, maxArea: 0.2, mode: "pixel" }),
  );
  for (let sample = 0; sample < 20; sample++) {
    const rng = () => createRng(3, "augmentation", 0, sample);
    assert.deepEqual(made(image, rng()).data, byHand(image, rng()).data);
  }
  assert.equal(createAugmentation([])(image, createRng(3, "augmentation")), image);
});

Deno.test("augmentationProblems() names every place that does not fit", () => {
  const problems = augmentationProblems("augmentation", [
    { kind: "flip", probability: 2 },
    { kind: "cutOut" },
    { kind: "rotate", degree: 5 },
    "flip",
    { kind: "augMix", width: "3", magnitude: 0 },
    {},
    { kind: "cutout", share: 0.5 },
    { kind: "randomErasing", mode: "noise", minAspect: 2 },
    { kind: "randomErasing", mode: 3 },
    { kind: "randomErasing", minArea: 0.4 },
    { kind: "randomErasing", minArea: 0.4, maxArea: 0.5, mode: "pixel" },
  ]);
  assert.deepEqual(
    problems.map(({ option, found, wanted }) => `${option}: ${JSON.stringify(found)}, ${wanted}`),
    [
      "augmentation[0].probability: 2, a number from 0 to 1",
      'augmentation[1].kind: "cutOut", "augMix", "cutout", "flip", "randomCrop", "randomErasing", "randomResizedCrop" or "rotate" (did you mean "cutout"?)',
      'augmentation[2].degree: 5, no other settings of "rotate" than probability, degrees (did you mean "degrees"?)',
      'augmentation[3]: "flip", an object like { kind: "flip" }',
      'augmentation[4].width: "3", a whole number of at least 1',
      "augmentation[4].magnitude: 0, a number above 0, at most 10",
      'augmentation[5].kind: null, "augMix", "cutout", "flip", "randomCrop", "randomErasing", "randomResizedCrop" or "rotate"',
      'augmentation[7].mode: "noise", "constant", "color" or "pixel"',
      "augmentation[7].minAspect: 2, a number above 0, at most 1",
      'augmentation[8].mode: 3, "constant", "color" or "pixel"',
      "augmentation[9].minArea: 0.4, at most maxArea, which is 0.333",
    ],
  );
  assert.deepEqual(augmentationProblems("augmentation", "flip").map(({ wanted }) => wanted), [
    "a list of steps",
  ]);
  assert.throws(() => createAugmentation([{ kind: "flip", probability: -1 }]), RangeError);
  assert.throws(() => createAugmentation([{ kind: "blur" as "flip" }]), RangeError);
  assert.throws(() => createAugmentation("flip" as unknown as []), TypeError);
});
