import { newcombeInterval } from "../../lib/metrics/newcombe_interval.ts";
import type { Recipe } from "../../lib/training/recipe.ts";
import { type AblationRun, searchSeed, type Settings, settingsOf } from "./runs.ts";

/** What a run gave. */
export interface Result extends AblationRun {
  readonly settings: Settings;
  readonly learningRateUsed: number;
  readonly model: string;
  /** Pictures there were. */
  readonly pictures: Readonly<Record<string, number>>;
  readonly recipe: Recipe;
  /** Of the weights that validated best, on pictures that nothing was chosen by. */
  readonly testTop1: number;
  readonly testLoss: number;
  readonly validationTop1: number;
  readonly bestEpoch: number;
  /** How many there were. */
  readonly epochs: number;
  readonly validationTop1ByEpoch: readonly number[];
  readonly trainLossByEpoch: readonly number[];
  readonly learningRateByEpoch: readonly number[];
  /** On the clock, with whatever else the machine did; of `fineTune`, compiling included. */
  readonly seconds: number;
  /** Of the processor, by all threads. */
  readonly processorSeconds: number;
  /** Whether the run was stopped and went on: both times lack its first part then. */
  readonly wentOn: boolean;
  readonly environment: Readonly<Record<"library" | "processor", string>> & { readonly threads: number };
}

/** Where each run has a file. */
export const resultsFolder = new URL("../results/ablation/", import.meta.url).pathname;

/**
 * All results there are, by the names of their files.
 *
 * @throws {RangeError} If some were measured with other settings than those of `runs.ts`; they are named.
 */
export async function readResults(folder: string = resultsFolder): Promise<Result[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  });
  const files = entries.map(({ name }) => name).filter((name) => name.endsWith(".json")).sort();
  const results: Result[] = await Promise.all(
    files.map(async (name) => JSON.parse(await Deno.readTextFile(folder + name))),
  );
  const others = files.filter((_, index) => {
    const { settings, network } = results[index]!;
    return JSON.stringify(settings) !== JSON.stringify(settingsOf(network));
  });
  if (others.length > 0) {
    throw new RangeError(
      `Cannot compare the results in ${folder}: ${others.length} of ${files.length} were measured with other ` +
        `settings\n  ${others.slice(0, 5).join("\n  ")}\n` +
        (others.length > 5 ? `  (and ${others.length - 5} more)\n` : "") +
        "  help: delete them, or put the settings in bench/ablation/runs.ts back",
    );
  }
  return results;
}

/**
 * The learning rate of a network's runs with the baseline recipe, or with the adaptive one and without its parts: the
 * middle one of those that validated as well as the best, within chance (95 %). The best alone would be chance: it is one
 * run for each rate, on few pictures. Of two in the middle it is the better one.
 *
 * @throws {Error} If no rate was tried yet.
 */
export function chosenRate(results: readonly Result[], { network, configuration }: AblationRun): number {
  const like = configuration === "baseline" ? "baseline" : "adaptive";
  const tried = results.filter((result) =>
    result.seed === searchSeed && result.network === network && result.configuration === like
  );
  if (tried.length === 0) {
    throw new Error(`No learning rate was tried for ${network} with the ${like} recipe yet`);
  }
  const [best] = tried.toSorted(better);
  const good = tried.filter((result) => !isWorse(result, best!))
    .sort((a, b) => a.learningRateUsed - b.learningRateUsed);
  const middle = good.slice((good.length - 1) >> 1, (good.length >> 1) + 1);
  return middle.sort(better)[0]!.learningRateUsed;
}

function better(a: Result, b: Result): number {
  return b.validationTop1 - a.validationTop1;
}

/** Whether a run validated worse than another by more than chance. */
function isWorse(one: Result, other: Result): boolean {
  const trials = [other, one].map(({ pictures }) => pictures["validation"]!) as [number, number];
  const right = [other, one].map(({ validationTop1 }, i) => Math.round(validationTop1 * trials[i]!));
  return newcombeInterval(right as [number, number], trials)[0] > 0;
}
