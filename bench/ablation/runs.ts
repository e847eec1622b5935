import { modelRecord } from "../../lib/models/registry.ts";
import { adaptiveRecipe, baselineRecipe, type Recipe } from "../../lib/training/recipe.ts";

/**
 * What is compared: each network with the recipe of its family, on each data set. `rates` are the learning rates that are
 * tried first, on Fashion-MNIST, with the baseline and the adaptive recipe; `chosenRate` takes one of them for both data
 * sets.
 */
export const networks = {
  /** From the ImageNet weights of its Python package, with EfficientNet's recipe. */
  lite0: {
    id: "tf_efficientnet_lite0",
    weights: undefined,
    epochs: 6,
    batchSize: 16,
    rates: [0.003, 0.01, 0.03, 0.1, 0.2],
  },
  /** From random weights, with MobileNetV3's recipe. */
  small: {
    id: "mobilenetv3_small_100",
    weights: null,
    epochs: 10,
    batchSize: 16,
    rates: [0.02, 0.05, 0.1, 0.2],
  },
} as const;
export type NetworkName = keyof typeof networks;
export const dataNames = ["fashion", "emoji"] as const;
export type DataName = typeof dataNames[number];

/** Sizes that make 140 runs possible on one core in some hours. */
export const sizes = {
  imageSize: 80,
  /** Pictures, as many of each class; what of them there is of the emoji, drawn from up to so many of each class. */
  pictures: { train: 512, validation: 256, test: 1000 },
  emojiPicturesPerClass: 400,
  pictureSeed: 7,
} as const;

/** Seeds of the runs that are compared, and of those that choose a learning rate. */
export const seeds = [0, 1, 2] as const, searchSeed = 100;

/**
 * What is changed in the adaptive recipe because runs have 192 or 320 steps, so that each part can act: the average reaches
 * over 20 steps (not 1000), the rate rises for one epoch (not 5), and a plateau is three epochs without a better loss (not
 * six). A plateau that does not come is made up for after three quarters of the epochs, as the recipe does.
 */
const short = { warmUpEpochs: 1, ema: { decay: 0.95 }, plateau: { patience: 2 } } as const;
const auxiliary = { model: "mobilenetv3_large_100", weights: null, dropout: 0.2 } as const;

/** Everything a result depends on beside the run's names: results that differ in it are never in one table. */
export interface Settings {
  readonly imageSize: number;
  readonly pictures: Readonly<Record<string, number>>;
  readonly emojiPicturesPerClass: number;
  readonly pictureSeed: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly rates: readonly number[];
  readonly short: Partial<Recipe>;
}

/** The settings of a network's runs. */
export function settingsOf(network: NetworkName): Settings {
  const { epochs, batchSize, rates } = networks[network];
  return { ...sizes, epochs, batchSize, rates, short };
}

type Change = (recipe: Recipe) => Partial<Recipe>;
const without = (kind: string): Change => ({ augmentation }) => ({
  augmentation: Array.isArray(augmentation)
    ? augmentation.filter((step) => step.kind !== kind)
    : augmentation,
});

/** Configurations beside `baseline` and `adaptive`: what each changes of the adaptive recipe, for which network. */
const changes: Readonly<Record<string, { only?: NetworkName; change: Change }>> = {
  "no mutual learning": { only: "small", change: () => ({ auxiliaryModels: undefined }) },
  "auxiliary loss of the reference's code": {
    only: "small",
    change: () => ({ auxiliaryModels: [{ ...auxiliary, loss: "cosineSoftmax" }] }),
  },
  "softmax, not AM-softmax": { only: "lite0", change: () => ({ loss: "softmax" }) },
  "no SAM": { change: () => ({ sam: undefined }) },
  "no EMA": { change: () => ({ ema: undefined }) },
  "bias decay": { change: () => ({ noBiasDecay: undefined }) },
  "no AugMix": { change: without("augMix") },
  "no rotation": { change: without("rotate") },
  "cosine, not plateau": {
    change: () => ({ schedule: "cosine", plateau: undefined, earlyStoppingPatience: undefined }),
  },
  "no warm-up": { change: () => ({ warmUpEpochs: 0 }) },
};

/** Names of the configurations a network has, in the order of the tables. */
export function configurationsOf(network: NetworkName): string[] {
  const own = Object.entries(changes).filter(([, { only }]) => only === undefined || only === network);
  return ["baseline", "adaptive", ...own.map(([name]) => name)];
}

/** One run of the queue. */
export interface AblationRun {
  readonly network: NetworkName;
  readonly data: DataName;
  readonly configuration: string;
  readonly seed: number;
  /** Given where a learning rate is looked for; else the one that was found. */
  readonly learningRate?: number;
}

/** Name of a run's file, without its end. */
export function nameOf({ network, data, configuration, seed, learningRate }: AblationRun): string {
  const rate = learningRate === undefined ? [] : [`rate_${learningRate}`];
  return [network, data, configuration.replaceAll(/[^A-Za-z0-9-]+/g, "_"), ...rate, `seed_${seed}`].join("-");
}

/**
 * All runs, the most telling first: the search for learning rates, the recipes, then what each part of the adaptive one
 * does, seed by seed.
 */
export function queue(): AblationRun[] {
  const names = ["small", "lite0"] as const, recipes = ["baseline", "adaptive"];
  const searches = names.flatMap((network) =>
    recipes.flatMap((configuration) =>
      networks[network].rates.map((learningRate) => ({
        network,
        data: "fashion" as const,
        configuration,
        seed: searchSeed,
        learningRate,
      }))
    )
  );
  const compared = (data: DataName, isCompared: (configuration: string) => boolean) =>
    seeds.flatMap((seed) =>
      names.flatMap((network) =>
        configurationsOf(network).filter(isCompared)
          .map((configuration) => ({ network, data, configuration, seed }))
      )
    );
  return [
    ...searches,
    ...dataNames.flatMap((data) => compared(data, (configuration) => recipes.includes(configuration))),
    ...dataNames.flatMap((data) => compared(data, (configuration) => !recipes.includes(configuration))),
  ];
}

/** The recipe of a run. */
export function recipeOf({ network, configuration }: AblationRun, learningRate: number): Recipe {
  const { id, epochs, batchSize } = networks[network];
  const record = modelRecord(id);
  if (configuration === "baseline") return baselineRecipe(record, { epochs, batchSize, learningRate });
  const adaptive = adaptiveRecipe(record, {
    ...short,
    epochs,
    batchSize,
    learningRate,
    ...(network === "small" ? { auxiliaryModels: [auxiliary] } : {}),
  });
  if (configuration === "adaptive") return adaptive;
  const changed = { ...adaptive, ...changes[configuration]!.change(adaptive), name: configuration };
  return JSON.parse(JSON.stringify(changed)); // without what is undefined
}
