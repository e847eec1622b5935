import { extname } from "node:path";
import {
  describeValue,
  nonNegativeNumber,
  oneOf,
  type OptionProblem,
  positiveInteger,
  positiveNumber,
  ratio,
  wholeNumber,
} from "../../lib/errors/check_options.ts";
import type { Check, Fields } from "../_check_fields.ts";

/** An augmentation that is switched on by itself. */
interface Switched {
  enable?: boolean;
}

/** `main_model.yaml` and `aux_model.yaml`: a network and how it is trained, in the words of deep-object-reid. */
export interface ModelYaml {
  lr_finder?: Switched & {
    mode?: "TPE" | "grid_search" | "fast_ai";
    stop_after?: boolean;
    num_epochs?: number;
    step?: number;
    smooth_f?: number;
    epochs_warmup?: number;
    path_to_savefig?: string;
    max_lr?: number;
    min_lr?: number;
    n_trials?: number;
  };
  model?: {
    name?: NetworkName;
    type?: string;
    pretrained?: boolean;
    save_chkpt?: boolean;
    feature_dim?: number;
    dropout_cls?: { p?: number; dist?: string };
  };
  mutual_learning?: { aux_configs?: string[] };
  custom_datasets?: { roots?: string[]; types?: string[]; names?: string[] };
  data?: {
    root?: string;
    sources?: string[];
    targets?: string[];
    save_dir?: string;
    height?: number;
    width?: number;
    norm_mean?: number[];
    norm_std?: number[];
    workers?: number;
    transforms?: {
      random_flip?: Switched & { p?: number };
      random_crop?: Switched & { p?: number; scale?: number };
      random_rotate?: Switched & { p?: number; angle?: string | number[] };
      augmix?: Switched & { cfg_str?: string };
      cutout?: Switched & { p?: number; cutout_factor?: number };
      color_jitter?: Unavailable;
      equalize?: Unavailable;
      posterize?: Unavailable;
      random_blur?: Unavailable;
      random_erase?: Unavailable;
      random_gray_scale?: Unavailable;
      random_noise?: Unavailable;
      randaugment?: Unavailable;
    };
  };
  loss?: {
    name?: "softmax" | "am_softmax";
    softmax?: { s?: number; m?: number; compute_s?: boolean };
  };
  sampler?: { train_sampler?: string };
  metric_losses?: Switched;
  train?: {
    optim?: "sam" | "sgd";
    lr?: number;
    nbd?: boolean;
    max_epoch?: number;
    weight_decay?: number;
    batch_size?: number;
    fixbase_epoch?: number;
    lr_scheduler?: "warmup" | "cosine" | "reduce_on_plateau";
    base_scheduler?: "cosine" | "reduce_on_plateau";
    warmup?: number;
    early_stoping?: boolean;
    train_patience?: number;
    lr_decay_factor?: number;
    patience?: number;
    gamma?: number;
    deterministic?: boolean;
    seed?: number;
    ema?: Switched & { ema_decay?: number };
  };
  sgd?: { momentum?: number };
  sam?: Switched & { rho?: number };
  test?: { batch_size?: number; evaluate?: boolean; eval_freq?: number };
}

/** The reference's names of the networks. */
export type NetworkName =
  | "mobilenetv3_small"
  | "mobilenetv3_large"
  | "mobilenetv3_large_075"
  | "efficientnet_b0";

/** A mapping that may be there as long as it is switched off. */
type Unavailable = boolean;

const yesNo: Check = (option, value) =>
  typeof value === "boolean" ? undefined : { option, found: value, wanted: "True or False", wrongType: true };
const text: Check = (option, value) =>
  typeof value === "string" ? undefined : { option, found: value, wanted: "a text", wrongType: true };
/** Of a picture the ending says what is written; none is the reference's way to leave that open. */
const figure: Check = (option, value) =>
  typeof value === "string" && /^(\.(svg|png|html|json|jpe?g))?$/i.test(extname(value)) ? undefined : {
    option,
    found: value,
    wanted: "a path that ends in .svg, .png, .html or .json",
    wrongType: typeof value !== "string",
  };
const texts: Check = (option, value) =>
  Array.isArray(value) && value.every((item) => typeof item === "string")
    ? undefined
    : { option, found: value, wanted: "a list of texts like ['a', 'b']", wrongType: true };
const threeNumbers: Check = (option, value) =>
  Array.isArray(value) && value.length === 3 && value.every((item) => Number.isFinite(item))
    ? undefined
    : { option, found: value, wanted: "three numbers like [0.485, 0.456, 0.406]", wrongType: true };
const probability: Check = (option, value) =>
  typeof value === "number" && value >= 0 && value <= 1
    ? undefined
    : { option, found: value, wanted: "a number from 0 to 1", wrongType: typeof value !== "number" };

/** A side as a share of another. */
const side: Check = (option, value) =>
  typeof value === "number" && value > 0 && value <= 1
    ? undefined
    : { option, found: value, wanted: "a number above 0, at most 1", wrongType: typeof value !== "number" };

/** Only one value is possible here. */
function only(value: unknown, why: string): Check {
  const written = value === true ? "True" : value === false ? "False" : describeValue(value);
  return (option, found) =>
    found === value
      ? undefined
      : { option, found, wanted: `${written}: ${why}`, wrongType: typeof found !== typeof value };
}

function choice(...choices: string[]): Check {
  return (option, value) => oneOf(option, value, choices);
}

function above(check: Check, least: number): Check {
  const wanted = `a number of at least ${least}`;
  return (option, value) =>
    check(option, value) === undefined && (value as number) >= least
      ? undefined
      : { option, found: value, wanted, wrongType: typeof value !== "number" };
}

const unavailable: Check = (option, value) => {
  const enabled = typeof value === "object" && value !== null && (value as Switched).enable !== false;
  return enabled || typeof value !== "object" || value === null
    ? {
      option,
      found: value,
      wanted: "nothing, or enable: False: there is no such augmentation",
      wrongType: true,
    }
    : undefined;
};

/** `(-10, 10)`, as the reference writes it, or a list; degrees to both sides. */
export function degreesOf(angle: string | readonly number[] | undefined): number | undefined {
  const [low, high, ...more] = typeof angle === "string"
    ? (/^\(\s*([-+\d.]+)\s*,\s*([-+\d.]+)\s*\)$/.exec(angle)?.slice(1).map(Number) ?? [])
    : angle ?? [];
  return more.length === 0 && Number.isInteger(high) && high! > 0 && low === -high! ? high : undefined;
}

/** `augmix-m4-w2`: magnitude and width. */
export function augMixOf(settings: string): { magnitude: number; width: number } | undefined {
  const [, magnitude, width] = /^augmix-m(\d+(?:\.\d+)?)-w(\d+)$/.exec(settings)?.map(Number) ?? [];
  return magnitude! > 0 && magnitude! <= 10 && width! >= 1
    ? { magnitude: magnitude!, width: width! }
    : undefined;
}

function parsed(parse: (value: never) => unknown, wanted: string): Check {
  return (option, value): OptionProblem | undefined => {
    const fits = (typeof value === "string" || Array.isArray(value)) && parse(value as never) !== undefined;
    return fits ? undefined : { option, found: value, wanted, wrongType: false };
  };
}

/** What fits each key. */
export const modelFields: Fields<ModelYaml> = {
  lr_finder: {
    enable: yesNo,
    mode: choice("TPE", "grid_search", "fast_ai"),
    stop_after: yesNo,
    num_epochs: positiveInteger,
    step: positiveNumber,
    smooth_f: ratio,
    epochs_warmup: wholeNumber,
    path_to_savefig: figure,
    max_lr: positiveNumber,
    min_lr: positiveNumber,
    n_trials: positiveInteger,
  },
  model: {
    name: choice("mobilenetv3_small", "mobilenetv3_large", "mobilenetv3_large_075", "efficientnet_b0"),
    type: only("classification", "the only task there is"),
    pretrained: yesNo,
    save_chkpt: yesNo,
    feature_dim: positiveInteger,
    dropout_cls: { p: ratio, dist: choice("bernoulli", "none") },
  },
  mutual_learning: { aux_configs: texts },
  custom_datasets: { roots: texts, types: texts, names: texts },
  data: {
    root: text,
    sources: texts,
    targets: texts,
    save_dir: text,
    height: above(positiveInteger, 32),
    width: above(positiveInteger, 32),
    norm_mean: threeNumbers,
    norm_std: threeNumbers,
    workers: positiveInteger,
    transforms: {
      random_flip: { enable: yesNo, p: probability },
      random_crop: { enable: yesNo, p: probability, scale: side },
      random_rotate: {
        enable: yesNo,
        p: probability,
        angle: parsed(degreesOf, "whole degrees, as many to both sides, like (-10, 10)"),
      },
      augmix: {
        enable: yesNo,
        cfg_str: parsed(augMixOf, "magnitude (at most 10) and width, like augmix-m4-w2"),
      },
      cutout: { enable: yesNo, p: probability, cutout_factor: probability },
      color_jitter: unavailable,
      equalize: unavailable,
      posterize: unavailable,
      random_blur: unavailable,
      random_erase: unavailable,
      random_gray_scale: unavailable,
      random_noise: unavailable,
      randaugment: unavailable,
    },
  },
  loss: {
    name: choice("softmax", "am_softmax"),
    softmax: { s: positiveNumber, m: nonNegativeNumber, compute_s: yesNo },
  },
  sampler: { train_sampler: only("RandomSampler", "every picture once an epoch") },
  metric_losses: { enable: only(false, "there are no metric losses") },
  train: {
    optim: choice("sam", "sgd"),
    lr: positiveNumber,
    nbd: yesNo,
    max_epoch: positiveInteger,
    weight_decay: nonNegativeNumber,
    batch_size: positiveInteger,
    fixbase_epoch: only(0, "no layer is frozen"),
    lr_scheduler: choice("warmup", "cosine", "reduce_on_plateau"),
    base_scheduler: choice("cosine", "reduce_on_plateau"),
    warmup: wholeNumber,
    early_stoping: yesNo,
    train_patience: positiveInteger,
    lr_decay_factor: above(positiveNumber, 1),
    patience: wholeNumber,
    gamma: ratio,
    deterministic: yesNo,
    seed: wholeNumber,
    ema: { enable: yesNo, ema_decay: ratio },
  },
  sgd: { momentum: ratio },
  sam: { enable: yesNo, rho: positiveNumber },
  test: {
    batch_size: positiveInteger,
    evaluate: yesNo,
    eval_freq: only(1, "every epoch is validated"),
  },
};
