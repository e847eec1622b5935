import { Command, InvalidArgumentError, Option } from "npm:commander@15.1.0";
import { type ContestantId, contestantIds } from "./contestants.ts";

/** One thing all contestants measure: a network, its batch, and what it may use of the machine. */
export interface Configuration {
  /** timm's id. */
  readonly model: string;
  readonly batchSize: number;
  /** Side of the pictures in pixels. */
  readonly size: number;
  readonly threads: number;
  /** Whether another process computes on one core meanwhile. */
  readonly busy: boolean;
}

/** The networks that are measured. */
export const modelIds = [
  "mobilenetv3_small_100",
  "mobilenetv3_large_075",
  "mobilenetv3_large_100",
  "efficientnet_b0",
  "efficientnet_lite0",
] as const;

const usual = { batchSizes: [32], size: 224, threads: 2, busy: false };

/** Configurations that are measured together, each set into a file of its own. */
export const sets = {
  "main": usual,
  "batches": { ...usual, batchSizes: [8, 64] },
  "small-pictures": { ...usual, size: 96 },
  "one-thread": { ...usual, threads: 1 },
  "busy": { ...usual, busy: true },
} as const;

/** Name of a set. */
export type SetName = keyof typeof sets;

/** All of them. */
export const setNames = Object.keys(sets) as SetName[];

/** What the command line asks for. */
export interface TrainingOptions {
  readonly sets: readonly SetName[];
  readonly models: readonly string[];
  readonly contestants: readonly ContestantId[];
  /** How often each contestant measures. */
  readonly rounds: number;
  /** In how many of the first rounds each contestant is a new process; the last of them stays. */
  readonly launches: number;
  /** Fewest steps of a measurement. */
  readonly steps: number;
  /** Least time of a measurement. */
  readonly seconds: number;
  readonly resume: boolean;
  /** Folder of the results. */
  readonly results: string;
  /** A Python with torch and timm, if not the one in the cache. */
  readonly python?: string;
  /** A Python with Keras and TensorFlow, if not the one in the cache. */
  readonly kerasPython?: string;
}

/**
 * Reads the command line.
 *
 * @param args Arguments after the program's name.
 * @param results Where results go unless `--results` says otherwise.
 * @returns What it asks for.
 * @throws {CommanderError} If an argument is unknown or no possible value.
 */
export function parseTrainingOptions(args: readonly string[], results: string): TrainingOptions {
  const command = new Command("bench:training")
    .description("Trains and evaluates the networks in turns with PyTorch and Keras on this machine.")
    .addOption(
      new Option("--set <name>", "what is measured").choices([...setNames, "all"]).default("main"),
    )
    .option("--models <ids>", "timm's ids, separated by commas", listOf(modelIds), [...modelIds])
    .option("--contestants <ids>", "separated by commas", listOf(contestantIds), [...contestantIds])
    .option("--rounds <n>", "how often each contestant measures", count, 5)
    .option("--launches <n>", "first rounds in which each contestant is a new process", count, 3)
    .option("--steps <n>", "fewest steps of a measurement", count, 4)
    .option("--seconds <s>", "least time of a measurement", seconds, 2)
    .option("--resume", "keep the configurations that are finished", false)
    .option("--results <folder>", "where the results are written", results)
    .option("--python <path>", "a Python with torch and timm; made in the cache if left out")
    .option("--keras-python <path>", "a Python with Keras and TensorFlow; made in the cache if left out")
    .exitOverride()
    .configureOutput({ writeErr: () => {} }) // the caller tells what is thrown
    .parse(args, { from: "user" });
  const { set, ...options } = command.opts<Omit<TrainingOptions, "sets"> & { set: SetName | "all" }>();
  return { ...options, sets: set === "all" ? setNames : [set] };
}

/**
 * The configurations of a set, in the order they are measured.
 *
 * @param set Its name.
 * @param models The networks.
 * @returns One for each network and batch size.
 */
export function configurationsOf(set: SetName, models: readonly string[]): Configuration[] {
  const { batchSizes, size, threads, busy } = sets[set];
  return batchSizes.flatMap((batchSize) =>
    models.map((model) => ({ model, batchSize, size, threads, busy }))
  );
}

function listOf<T extends string>(known: readonly T[]): (text: string) => T[] {
  return (text) => {
    const items = text.split(",").map((item) => item.trim());
    const unknown = items.filter((item) => !known.includes(item as T));
    if (unknown.length === 0) return items as T[];
    throw new InvalidArgumentError(`There is no ${unknown.join(", ")}; there is ${known.join(", ")}.`);
  };
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("Wanted a whole number above 0.");
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value < Infinity) return value;
  throw new InvalidArgumentError("Wanted a number of seconds, 0 or more.");
}
