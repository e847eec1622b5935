import { extname } from "node:path";
import type { AugmentationStep } from "../../lib/augment/augmentation_steps.ts";
import { describeValue } from "../../lib/errors/check_options.ts";
import type { RunSearch } from "../../lib/lr_finder/wanted_search.ts";
import { modelRecord } from "../../lib/models/registry.ts";
import type { Recipe } from "../../lib/training/recipe.ts";
import { contradictions } from "../../lib/training/recipe_fields.ts";
import { checkFields } from "../_check_fields.ts";
import type { KeyPath, YamlFile } from "../_yaml_file.ts";
import { augMixOf, degreesOf, modelFields, type ModelYaml, type NetworkName } from "./_model_yaml.ts";

/** What a `main_model.yaml` or `aux_model.yaml` says, in the words of `fineTune`. */
export interface ModelPlan {
  readonly file: YamlFile;
  /** Id of the published weights of the network. */
  readonly id: string;
  /** Whether it begins with published weights. */
  readonly pretrained: boolean;
  /** How it is trained; without auxiliary models. */
  readonly recipe: Partial<Recipe>;
  /** How its learning rate is searched; `undefined`: it is not. */
  readonly search?: RunSearch;
  /** Files of the auxiliary models. */
  readonly auxiliary: readonly string[];
  readonly imageSize?: number;
  readonly workers?: number;
  readonly seed?: number;
  /** Pictures a step of an evaluation. */
  readonly testBatchSize?: number;
  /** What the user should know. */
  readonly warnings: readonly string[];
}

/** The networks of the reference, and the weights that are published for them under timm's names. */
const networks: Readonly<Record<NetworkName, { id: string; features: number }>> = {
  mobilenetv3_small: { id: "mobilenetv3_small_100.lamb_in1k", features: 1024 },
  mobilenetv3_large: { id: "mobilenetv3_large_100.ra_in1k", features: 1280 },
  mobilenetv3_large_075: { id: "tf_mobilenetv3_large_075.in1k", features: 1280 },
  efficientnet_b0: { id: "efficientnet_b0.ra_in1k", features: 1280 },
};

/** Which key of a model's file each field of a recipe, or setting of its search, comes from. */
export const origins: Readonly<Record<string, KeyPath>> = {
  epochs: ["train", "max_epoch"],
  batchSize: ["train", "batch_size"],
  learningRate: ["train", "lr"],
  "findLR.mode": ["lr_finder", "mode"],
  "findLR.minLearningRate": ["lr_finder", "min_lr"],
  "findLR.maxLearningRate": ["lr_finder", "max_lr"],
  "findLR.step": ["lr_finder", "step"],
  "findLR.epochs": ["lr_finder", "num_epochs"],
  "findLR.trials": ["lr_finder", "n_trials"],
  "findLR.warmUpEpochs": ["lr_finder", "epochs_warmup"],
  "findLR.smoothing": ["lr_finder", "smooth_f"],
  schedule: ["train", "lr_scheduler"],
  plateau: ["train", "patience"],
  warmUpEpochs: ["train", "warmup"],
  loss: ["loss", "name"],
  margin: ["loss", "softmax", "m"],
  scale: ["loss", "softmax", "s"],
  dropout: ["model", "dropout_cls", "p"],
  momentum: ["sgd", "momentum"],
  weightDecay: ["train", "weight_decay"],
  augmentation: ["data", "transforms"],
  earlyStoppingPatience: ["train", "train_patience"],
  sam: ["sam", "rho"],
  noBiasDecay: ["train", "nbd"],
  ema: ["train", "ema", "ema_decay"],
  auxiliaryModels: ["mutual_learning", "aux_configs"],
  imageSize: ["data", "height"],
  seed: ["train", "seed"],
};

/**
 * Reads a model's file; everything that is wrong becomes a problem of the file.
 *
 * @param file `main_model.yaml` or `aux_model.yaml`.
 * @returns What it says; of use only if the file has no problems.
 */
export function readModelPlan(file: YamlFile): ModelPlan {
  const yaml = checkFields<ModelYaml>(file, modelFields);
  const { model = {}, data = {}, train = {}, loss = {}, test = {} } = yaml;
  const isReadable = typeof file.value === "object" && file.value !== null;
  if (isReadable && model.name === undefined && (file.value as ModelYaml).model?.name === undefined) {
    file.report(["model"], 'model.name: found nothing, wanted a network like "mobilenetv3_large"');
  }
  const network = networks[model.name ?? "mobilenetv3_large"];
  if (isReadable) {
    requireSwitches(file, yaml);
    reportContradictions(file, yaml, network);
  }
  const recipe = withoutUndefined<Partial<Recipe>>({
    loss: loss.name === "am_softmax" ? "amSoftmax" : "softmax",
    ...lossSettings(loss),
    dropout: model.dropout_cls?.dist === "none" ? undefined : model.dropout_cls?.p || undefined,
    epochs: train.max_epoch,
    batchSize: train.batch_size,
    learningRate: train.lr,
    ...scheduleOf(train),
    earlyStoppingPatience: train.early_stoping === true ? train.train_patience ?? 5 : undefined,
    momentum: yaml.sgd?.momentum ?? 0.9,
    weightDecay: train.weight_decay,
    noBiasDecay: train.nbd === true ? true : undefined,
    sam: train.optim === "sam" ? { rho: yaml.sam?.rho ?? 0.05 } : undefined,
    ema: train.ema?.enable === true ? { decay: train.ema.ema_decay ?? 0.999 } : undefined,
    augmentation: augmentationOf(data.transforms ?? {}),
  });
  if (file.problems.length === 0) {
    for (const problem of contradictions(recipe)) {
      if (problem === undefined) continue;
      const path = origins[problem.option] ?? [];
      file.report(path, `${path.join(".")}: found ${describeValue(problem.found)}, wanted ${problem.wanted}`);
    }
  }
  return {
    file,
    id: network.id,
    pretrained: model.pretrained ?? true,
    recipe,
    ...(yaml.lr_finder?.enable === true ? { search: searchOf(yaml.lr_finder) } : {}),
    auxiliary: yaml.mutual_learning?.aux_configs ?? [],
    imageSize: data.height,
    workers: data.workers,
    seed: train.seed,
    testBatchSize: test.batch_size,
    warnings: warningsOf(file, yaml, network.id),
  };
}

function lossSettings({ name, softmax = {} }: NonNullable<ModelYaml["loss"]>): Partial<Recipe> {
  if (name !== "am_softmax") return {};
  const { s, m, compute_s } = softmax;
  return { margin: m, scale: compute_s === true ? "auto" : s };
}

function scheduleOf(train: NonNullable<ModelYaml["train"]>): Partial<Recipe> {
  const { lr_scheduler = "cosine", base_scheduler = "reduce_on_plateau", warmup = 5 } = train;
  const base = lr_scheduler === "warmup" ? base_scheduler : lr_scheduler;
  return {
    warmUpEpochs: lr_scheduler === "warmup" ? warmup : 0,
    ...(base === "cosine" ? { schedule: "cosine" } : {
      schedule: "plateau",
      plateau: {
        patience: train.patience ?? 5,
        factor: train.gamma ?? 0.1,
        floor: 1 / (train.lr_decay_factor ?? 200),
      },
    }),
  };
}

/** In the reference's order, whatever the order in the file. */
function augmentationOf(
  transforms: NonNullable<NonNullable<ModelYaml["data"]>["transforms"]>,
): Recipe["augmentation"] {
  const { random_crop: crop, augmix, cutout, random_flip: flip, random_rotate: rotate } = transforms;
  const mixture = augMixOf(augmix?.cfg_str ?? "augmix-m5-w3");
  const steps: (AugmentationStep | false | undefined)[] = [
    crop?.enable && {
      kind: "randomResizedCrop",
      // sides of `scale` at least, in a picture that is square already
      ...{ probability: crop.p ?? 0.5, minArea: (crop.scale ?? 0.9) ** 2, minAspect: 1 },
    },
    augmix?.enable && mixture && { kind: "augMix", ...mixture },
    cutout?.enable &&
    { kind: "cutout", ...withoutUndefined({ probability: cutout.p, share: cutout.cutout_factor }) },
    flip?.enable && { kind: "flip", ...withoutUndefined({ probability: flip.p }) },
    rotate?.enable &&
    { kind: "rotate", ...withoutUndefined({ probability: rotate.p, degrees: degreesOf(rotate.angle) }) },
  ];
  const list = steps.filter((step) => step !== undefined && step !== false);
  return list.length === 0 ? "none" : list;
}

function searchOf(finder: NonNullable<ModelYaml["lr_finder"]>): RunSearch {
  return withoutUndefined<RunSearch>({
    mode: finder.mode === "TPE" ? "tpe" : finder.mode,
    minLearningRate: finder.min_lr,
    maxLearningRate: finder.max_lr,
    step: finder.step,
    epochs: finder.num_epochs,
    trials: finder.n_trials,
    warmUpEpochs: finder.epochs_warmup,
    smoothing: finder.smooth_f,
    savefig: finder.path_to_savefig ? figurePath(finder.path_to_savefig) : undefined,
    stopAfter: finder.stop_after === true ? true : undefined,
  });
}

/** A PNG where the reference writes a JPEG, or chooses itself because the path ends in nothing. */
function figurePath(path: string): string {
  return extname(path) === "" ? `${path}.png` : path.replace(/\.jpe?g$/i, ".png");
}

/** Whether a part is on or off is written down, not guessed. */
function requireSwitches(file: YamlFile, yaml: ModelYaml): void {
  const { random_flip, random_crop, random_rotate, augmix, cutout } = yaml.data?.transforms ?? {};
  const parts: [KeyPath, object | undefined][] = [
    [["lr_finder"], yaml.lr_finder],
    ...Object.entries({ random_flip, random_crop, random_rotate, augmix, cutout }).map((
      [name, part],
    ): [KeyPath, object | undefined] => [["data", "transforms", name], part]),
    [["train", "ema"], yaml.train?.ema],
    [["sam"], yaml.sam],
  ];
  for (const [path, part] of parts) {
    if (part === undefined || "enable" in part) continue;
    const written = valueAt(file.value, [...path, "enable"]);
    if (written === undefined) {
      file.report(path, `${path.join(".")}.enable: found nothing, wanted True or False`, "key");
    }
  }
}

function reportContradictions(file: YamlFile, yaml: ModelYaml, network: { features: number }): void {
  const { lr_finder: finder = {}, model = {}, data = {}, train = {}, loss = {}, sam } = yaml;
  const report = (path: KeyPath, found: unknown, wanted: string) =>
    file.report(path, `${path.join(".")}: found ${describeValue(found)}, wanted ${wanted}`);
  const { min_lr, max_lr, step } = finder;
  if (min_lr !== undefined && max_lr !== undefined && min_lr >= max_lr) {
    report(["lr_finder", "min_lr"], min_lr, `less than max_lr, which is ${max_lr}`);
  } else if (step !== undefined && max_lr !== undefined && step > max_lr - (min_lr ?? 0)) {
    report(["lr_finder", "step"], step, `a step that fits between min_lr and max_lr`);
  }
  const { name, feature_dim } = model;
  if (name !== undefined && feature_dim !== undefined && feature_dim !== network.features) {
    report(["model", "feature_dim"], feature_dim, `${network.features}, the width of ${name}`);
  }
  if (data.height !== undefined && data.height !== (data.width ?? data.height)) {
    report(["data", "width"], data.width, `${data.height} as the height: pictures are square`);
  }
  const { s, m, compute_s } = loss.softmax ?? {};
  if (loss.name === "softmax") {
    const nothing = "nothing with the loss softmax";
    if (m !== undefined) report(["loss", "softmax", "m"], m, nothing);
    if (s !== undefined && s !== 1) report(["loss", "softmax", "s"], s, `1 with the loss softmax`);
    if (compute_s === true) report(["loss", "softmax", "compute_s"], true, "False with the loss softmax");
  } else if (compute_s === true && s !== undefined) {
    report(["loss", "softmax", "s"], s, "nothing beside compute_s: True, which computes it");
  }
  const { optim, lr_scheduler } = train;
  if (optim === "sam" && sam?.enable === false) {
    report(["sam", "enable"], false, "True with the optimiser sam, or optim: 'sgd'");
  } else if (optim !== "sam" && sam?.enable === true) {
    report(["sam", "enable"], true, "False, or optim: 'sam'");
  }
  const { lr_scheduler: scheduler = "cosine" } = train;
  const withWarmUp = scheduler === "warmup";
  for (const key of ["warmup", "base_scheduler"] as const) {
    if (withWarmUp || train[key] === undefined || train[key] === 0) continue;
    report(["train", key], train[key], `nothing with lr_scheduler: '${lr_scheduler ?? "cosine"}'`);
  }
  const base = withWarmUp ? train.base_scheduler ?? "reduce_on_plateau" : scheduler;
  for (const key of ["patience", "gamma", "lr_decay_factor"] as const) {
    if (base !== "cosine" || train[key] === undefined) continue;
    report(["train", key], train[key], "nothing with the scheduler cosine, which has no plateaus");
  }
}

function warningsOf(file: YamlFile, yaml: ModelYaml, id: string): string[] {
  const { data = {}, loss = {}, lr_finder: finder } = yaml;
  const warnings: string[] = [];
  const warn = (path: KeyPath, text: string) => warnings.push(`${file.place(path)}: ${text}`);
  const { mean, std } = modelRecord(id).preprocessing;
  for (const [key, own] of [["norm_mean", mean], ["norm_std", std]] as const) {
    if (data[key] !== undefined && data[key].join() !== own.join()) {
      warn(["data", key], `data.${key} does not count: pictures are normalised as the weights want it`);
    }
  }
  const { s, compute_s } = loss.softmax ?? {};
  if (loss.name === "am_softmax" && s === 1 && compute_s !== true) {
    warn(
      ["loss", "softmax", "s"],
      "loss.softmax.s: with the scale 1 AM-softmax is almost flat; write compute_s: True",
    );
  }
  const figure = finder?.path_to_savefig;
  if (finder?.enable === true && figure && figurePath(figure) !== figure) {
    warn(["lr_finder", "path_to_savefig"], "lr_finder.path_to_savefig: the plot is written as .png");
  }
  return warnings;
}

function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], value);
}

function withoutUndefined<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T;
}
