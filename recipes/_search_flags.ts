import { type Command, Option } from "npm:commander@15.1.0";
import { type LRSearchSettings, searchModes } from "../lib/lr_finder/settings.ts";
import { atLeastOne, positive } from "./_flag_values.ts";

/** What the flags of {@linkcode addSearchFlags} were set to. */
export interface SearchFlags {
  readonly mode?: (typeof searchModes)[number];
  readonly minLearningRate?: number;
  readonly maxLearningRate?: number;
  readonly step?: number;
  readonly trials?: number;
  readonly trialEpochs?: number;
  readonly savefig?: string;
}

/** Gives a command the flags of a search for the learning rate. */
export function addSearchFlags(command: Command): Command {
  return command
    .optionsGroup("Search for the learning rate:")
    .addOption(new Option("--mode <name>", "how rates are chosen").choices(searchModes))
    .option("--min-learning-rate <x>", "the smallest rate", positive)
    .option("--max-learning-rate <x>", "the largest rate", positive)
    .option("--step <x>", "distance between rates", positive)
    .option("--trials <n>", "how many rates are tried", atLeastOne)
    .option("--trial-epochs <n>", "epochs of each trial", atLeastOne)
    .option("--savefig <file>", "where the curve goes: .svg, .png, .html or .json");
}

/** The settings that flags ask for. */
export function searchOf({ trialEpochs, ...flags }: SearchFlags): LRSearchSettings {
  const { mode, minLearningRate, maxLearningRate, step, trials, savefig } = flags;
  const settings = { mode, minLearningRate, maxLearningRate, step, trials, savefig, epochs: trialEpochs };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
