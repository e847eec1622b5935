import { modelRecord } from "../../lib/models/registry.ts";
import { adaptiveRecipe, baselineRecipe, type Recipe } from "../../lib/training/recipe.ts";

/** What is compared: each network with the recipe of its family, on each data set. */
export const networks = {
  /** From the ImageNet weights of its Python package, with EfficientNet's recipe. */
  lite0: { id: "tf_efficientnet_lite0", weights: undefined, epochs: 10, rates: [0.005, 0.02, 0.05] },
  /** From random weights, with MobileNetV3's recipe. */
  small: { id: "mobilenetv3_small_100", weights: null, epochs: 15, rates: [0.03, 0.1, 0.2] },
} as const;
export type NetworkName = keyof typeof networks;
export const dataNames = ["fashion", "emoji"] as const;
export type DataName = typeof dataNames[number];

/** Sizes that make 100 runs possible on two cores in an evening. */
export const settings = {
  imageSize: 96,
  batchSize: 32,
  /** Pictures of Fashion-MNIST; the emoji set is taken whole. */
  pictures: { train: 1000, validation: 1000, test: 2000 },
} as const;

/** Seeds of the runs that are compared, and of those that choose a learning rate. */
export const seeds = [0, 1, 2] as const, searchSeed = 100;

/** What is changed in the adaptive recipe because runs are short. */
const short = { warmUpEpochs: 2, ema: { decay: 0.98 } } as const;
const auxiliary = { model: "mobilenetv3_small_100", weights: null, dropout: 0.2 } as const;

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
  "cosine, not plateau": { change: () => ({ schedule: "cosine", earlyStoppingPatience: undefined }) },
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
 * does.
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
  const compared = (data: DataName, network: NetworkName, configurations: readonly string[]) =>
    seeds.flatMap((seed) => configurations.map((configuration) => ({ network, data, configuration, seed })));
  const parts = (network: NetworkName) => configurationsOf(network).filter((name) => !recipes.includes(name));
  return [
    ...searches,
    ...dataNames.flatMap((data) => names.flatMap((network) => compared(data, network, recipes))),
    ...dataNames.flatMap((data) => names.flatMap((network) => compared(data, network, parts(network)))),
  ];
}

/** The recipe of a run. */
export function recipeOf({ network, configuration }: AblationRun, learningRate: number): Recipe {
  const { id, epochs } = networks[network];
  const record = modelRecord(id), { batchSize } = settings;
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
