import type { LossName } from "../../lib/training/am_softmax.ts";
import type { EMAOptions } from "../../lib/training/ema.ts";
import type { SAMOptions } from "../../lib/training/sam.ts";

/** What a measured step has besides SGD with momentum. */
export interface Technique {
  readonly loss?: LossName;
  readonly noBiasDecay?: boolean;
  readonly sam?: SAMOptions;
  readonly ema?: EMAOptions;
  /** Id of the model that learns beside the main one. */
  readonly auxiliary?: string;
  /** Whether the network is folded and quantised, as where it is fine-tuned for int8. */
  readonly int8?: boolean;
}

const sam = { rho: 0.05 }, ema = { decay: 0.999 }, auxiliary = "mobilenetv3_large_100", loss = "amSoftmax";

/** The techniques of the adaptive recipes, each alone and together, and int8. */
export const techniques = {
  "plain": {},
  "no bias decay": { noBiasDecay: true },
  "EMA": { ema },
  "AM-softmax": { loss },
  "SAM": { sam },
  "mutual learning": { auxiliary },
  "adaptive, alone": { loss, noBiasDecay: true, sam, ema },
  "adaptive, mutual": { noBiasDecay: true, sam, ema, auxiliary },
  "int8": { int8: true },
} as const satisfies Record<string, Technique>;
