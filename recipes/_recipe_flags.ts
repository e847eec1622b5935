import { type Command, Option } from "npm:commander@15.1.0";
import { type OptionProblem, wholeNumber } from "../lib/errors/check_options.ts";
import { nearestName } from "../lib/errors/nearest_name.ts";
import { precisions } from "../lib/graph/compiled_function.ts";
import { runSearchProblems } from "../lib/lr_finder/wanted_search.ts";
import { executorChoices } from "../lib/tensorflow/executor.ts";
import { lossNames } from "../lib/training/am_softmax.ts";
import { type FineTuneOptions, valueProblems } from "../lib/training/fine_tune_options.ts";
import { recipeFieldNames } from "../lib/training/recipe_fields.ts";
import { messageOf } from "./_check_fields.ts";
import { UsageError } from "./_program.ts";
import { atLeastOne, atLeastZero, positive } from "./_flag_values.ts";
import { type KeyPath, readYamlFile, refuseProblems } from "./_yaml_file.ts";

/** What the flags of {@linkcode addRecipeFlags} were set to. */
export interface RecipeFlags {
  readonly recipe?: "baseline" | "adaptive";
  readonly config?: string;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly schedule?: "cosine" | "constant" | "plateau";
  readonly warmUpEpochs?: number;
  readonly loss?: (typeof lossNames)[number];
  readonly labelSmoothing?: number;
  readonly classWeights?: boolean;
  readonly momentum?: number;
  readonly weightDecay?: number;
  /** `false` where `--no-bias-decay` stands. */
  readonly biasDecay?: boolean;
  readonly sam?: number;
  readonly ema?: number;
  readonly dropout?: number;
  readonly earlyStoppingPatience?: number;
  readonly augmentation?: "baseline" | "none";
  readonly precision?: (typeof precisions)[number];
  readonly weights?: string;
  readonly fromScratch?: boolean;
  readonly imageSize?: number;
  readonly seed?: number;
  readonly device?: "auto" | "cpu" | "gpu";
  readonly executor?: (typeof executorChoices)[number];
  readonly workers?: number;
  readonly skipUnreadable?: boolean;
}

const choice = (flag: string, description: string, choices: readonly string[]) =>
  new Option(flag, description).choices(choices);
const number = (flag: string, description: string, parse: (text: string) => number = Number) =>
  new Option(flag, description).argParser(parse);

/** Flags of a recipe that a search for the learning rate has no use for. */
const ofRun = [
  number("--epochs <n>", "passes over the training pictures", atLeastOne),
  number("--learning-rate <x>", "learning rate at the start", positive),
  choice("--schedule <name>", "how the rate falls", ["cosine", "constant", "plateau"]),
  number("--warm-up-epochs <n>", "epochs over which the rate rises", atLeastZero),
  new Option("--no-bias-decay", "only weights decay, and biases learn twice as fast"),
  number("--sam <rho>", "sharpness-aware minimisation", positive),
  number("--ema <decay>", "a moving average of the weights"),
  number("--early-stopping-patience <n>", "epochs without a better one after which the run ends", atLeastOne),
];
const ofBoth = [
  number("--batch-size <n>", "pictures a step", atLeastOne),
  choice("--loss <name>", "the loss and its classifier", lossNames),
  number("--label-smoothing <x>", "share of the target spread over all classes"),
  new Option("--class-weights", "weigh classes by inverse frequency"),
  number("--momentum <x>", "share of the velocity that stays"),
  number("--weight-decay <x>", "L2 penalty"),
  number("--dropout <x>", "share of the classifier's inputs left out"),
  choice("--augmentation <name>", "how pictures are varied", ["baseline", "none"]),
];
const ofMachine = [
  new Option("--weights <tag or file>", "first weights (default: the model's published ones)"),
  new Option("--from-scratch", "begin with random weights"),
  number("--image-size <pixels>", "side of the square input", atLeastOne),
  number("--seed <n>", "decides order, augmentation and random weights", atLeastZero),
  choice("--device <name>", "what to compute on", ["auto", "cpu", "gpu"]),
  choice("--executor <name>", "what runs the network", executorChoices),
  choice("--precision <name>", "of products and convolutions", precisions),
  number("--workers <n>", "pictures decoded at the same time", atLeastOne),
  new Option("--skip-unreadable", "leave out pictures that cannot be read, and warn of them"),
];

/**
 * Gives a command the flags that say how a model is trained.
 *
 * @param command The command.
 * @param verb What it does: a search has no use for some.
 * @returns The command.
 */
export function addRecipeFlags(command: Command, verb: "fineTune" | "findLR"): Command {
  command
    .optionsGroup("Recipe:")
    .addOption(choice("--recipe <name>", "how to train", ["baseline", "adaptive"]))
    .option(
      "--config <file>",
      "fields of a recipe as YAML or JSON, as fine_tune.ts --dry-run prints; flags count more",
    );
  for (const option of [...(verb === "fineTune" ? ofRun : []), ...ofBoth]) command.addOption(option);
  command.optionsGroup("Model and machine:");
  for (const option of ofMachine) command.addOption(option);
  return command;
}

/**
 * The options that flags ask for, with those of the file that `--config` names: flags count more, and both more than the
 * recipe.
 *
 * @param flags What the user wrote.
 * @returns Options of `fineTune`.
 * @throws {UsageError} If the file, or a value, cannot be used; all problems are named, with lines and columns.
 */
export async function optionsOf(flags: RecipeFlags): Promise<FineTuneOptions> {
  const file = flags.config === undefined ? {} : await readConfig(flags.config);
  const { recipe: named, name, findLR, ...fields } = file as FineTuneOptions & { name?: string };
  const recipe = flags.recipe ?? named;
  const given: FineTuneOptions = {
    ...(recipe === undefined ? { recipe: { ...(name === undefined ? {} : { name }) } } : { recipe }),
    ...fields,
    ...withoutUndefined({
      findLR: flags.learningRate === undefined ? findLR : undefined, // a rate that is given needs no search
      epochs: flags.epochs,
      batchSize: flags.batchSize,
      learningRate: flags.learningRate,
      schedule: flags.schedule,
      warmUpEpochs: flags.warmUpEpochs,
      loss: flags.loss,
      labelSmoothing: flags.labelSmoothing,
      classWeights: flags.classWeights ? "auto" as const : undefined,
      momentum: flags.momentum,
      weightDecay: flags.weightDecay,
      noBiasDecay: flags.biasDecay === false ? true : undefined,
      sam: flags.sam === undefined ? undefined : { rho: flags.sam },
      ema: flags.ema === undefined ? undefined : { decay: flags.ema },
      dropout: flags.dropout,
      earlyStoppingPatience: flags.earlyStoppingPatience,
      augmentation: flags.augmentation,
      precision: flags.precision,
      weights: flags.fromScratch ? null : flags.weights,
      imageSize: flags.imageSize,
      seed: flags.seed,
      device: flags.device,
      executor: flags.executor,
      workers: flags.workers,
      onUnreadable: flags.skipUnreadable ? "skip" as const : undefined,
    }),
  };
  if (flags.config === undefined && recipe === undefined) given.recipe = "baseline";
  const problems = valueProblems(given).filter((problem) => problem !== undefined);
  refuseProblems("Cannot train", [], [
    ...problems.map(messageOf).map((text) => text.replace(/^[a-zA-Z]+/, flagOf)),
    ...(flags.fromScratch && flags.weights !== undefined
      ? ["--weights and --from-scratch: found both, wanted one"]
      : []),
  ]);
  return given;
}

/** Fields that a file may have besides those of a recipe. */
const furtherFields = ["recipe", "findLR", "weights", "imageSize", "seed"];

async function readConfig(path: string): Promise<FineTuneOptions> {
  const file = await readYamlFile(path);
  const known = [...recipeFieldNames, ...furtherFields];
  const { value } = file;
  const isMapping = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isMapping && file.problems.length === 0) file.report([], `found no keys, wanted fields of a recipe`);
  const given = (isMapping ? value : {}) as Record<string, unknown>;
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const meant = nearestName(key, known);
    file.report(
      [key],
      `${key}: unknown field, ${meant ? `did you mean "${meant}"?` : `the fields are ${known.join(", ")}`}`,
      "key",
    );
  }
  const options = given as FineTuneOptions;
  for (
    const problem of [...valueProblems(options), ...runSearchProblems(options, undefined), isName(given.name)]
  ) {
    if (problem !== undefined) file.report(pathOf(problem), messageOf(problem));
  }
  refuseProblems(`Cannot use the recipe "${path}"`, [file]);
  return options;
}

function isName(name: unknown): OptionProblem | undefined {
  return name === undefined || typeof name === "string"
    ? undefined
    : { option: "name", found: name, wanted: "a text", wrongType: true };
}

/** `augmentation[1].probability` as a path. */
function pathOf({ option }: OptionProblem): KeyPath {
  return option.split(/[.[\]]+/).filter((part) => part !== "").map((part) =>
    wholeNumber("", Number(part)) === undefined ? Number(part) : part
  );
}

/** `labelSmoothing` as the flag is written. */
function flagOf(option: string): string {
  return "--" + option.replaceAll(/[A-Z]+/g, (letters) => "-" + letters.toLowerCase());
}

/**
 * Makes a program name its flags where a verb refuses options: those are mistakes in usage.
 *
 * @param program A program whose flags are options of a verb.
 */
export function namingFlags(program: () => Promise<number>): () => Promise<number> {
  return () =>
    program().catch((error) => {
      if (!(error instanceof Error) || !/^Cannot run \w+\(\): /.test(error.message)) throw error;
      const message = error.message.replaceAll(
        /^ {2}(?:parity\.)?([a-zA-Z\d]+)(?=\S*: found )/gm,
        (_, name) => "  " + flagOf(name),
      );
      throw new UsageError(message, { cause: error });
    });
}

function withoutUndefined(given: FineTuneOptions): FineTuneOptions {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
