import type { Recipe } from "../../lib/training/recipe.ts";
import { type AblationRun, searchSeed } from "./runs.ts";

/** What a run gave. */
export interface Result extends AblationRun {
  readonly learningRateUsed: number;
  readonly model: string;
  readonly imageSize: number;
  readonly pictures: Readonly<Record<string, number>>;
  readonly recipe: Recipe;
  readonly testTop1: number;
  readonly testLoss: number;
  readonly validationTop1: number;
  readonly bestEpoch: number;
  readonly epochs: number;
  readonly validationTop1ByEpoch: readonly number[];
  readonly trainLossByEpoch: readonly number[];
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly wentOn: boolean;
  readonly library: string;
}

/** Where each run has a file. */
export const resultsFolder = new URL("../results/ablation/", import.meta.url).pathname;

/** All results there are, by the names of their files. */
export async function readResults(): Promise<Result[]> {
  const entries = await Array.fromAsync(Deno.readDir(resultsFolder)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  });
  const files = entries.map(({ name }) => name).filter((name) => name.endsWith(".json")).sort();
  return await Promise.all(
    files.map(async (name) => JSON.parse(await Deno.readTextFile(resultsFolder + name))),
  );
}

/**
 * The learning rate that validated best for a network, with the baseline recipe or the adaptive one; runs without a part
 * have the adaptive one's.
 *
 * @throws {Error} If a rate was not tried yet.
 */
export function bestRate(results: readonly Result[], { network, configuration }: AblationRun): number {
  const like = configuration === "baseline" ? "baseline" : "adaptive";
  const tried = results.filter((result) =>
    result.seed === searchSeed && result.network === network && result.configuration === like
  ).sort((a, b) => b.validationTop1 - a.validationTop1);
  if (tried.length === 0) {
    throw new Error(`No learning rate was tried for ${network} with the ${like} recipe yet`);
  }
  return tried[0]!.learningRateUsed;
}
