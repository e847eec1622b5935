import type { AugmentationStep } from "../../lib/augment/augmentation_steps.ts";

const flip: AugmentationStep = { kind: "flip" };
const rotate: AugmentationStep = { kind: "rotate", probability: 0.35, degrees: 10 };
const cutout: AugmentationStep = { kind: "cutout", probability: 0.35, share: 0.3 };

/** What is measured: each alone, every time, and all of the adaptive recipes' as often as they do them. */
export const augmentations = {
  "AugMix m4-w2": [{ kind: "augMix", magnitude: 4, width: 2 }],
  "AugMix m5-w3": [{ kind: "augMix", magnitude: 5, width: 3 }],
  "cutout": [{ ...cutout, probability: 1 }],
  "rotation": [{ ...rotate, probability: 1 }],
  "flip": [{ ...flip, probability: 1 }],
  "all of MobileNetV3 large's": [{ kind: "augMix", magnitude: 4, width: 2 }, cutout, flip, rotate],
  "all of EfficientNet's": [{ kind: "augMix", magnitude: 5, width: 3 }, flip, rotate],
} as const satisfies Readonly<Record<string, readonly AugmentationStep[]>>;

export type AugmentationName = keyof typeof augmentations;
