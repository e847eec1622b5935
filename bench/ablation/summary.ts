import type { Result } from "./results.ts";
import { configurationsOf, type DataName, type NetworkName } from "./runs.ts";

/** What the seeds of one configuration gave together. */
export interface Row {
  readonly configuration: string;
  /** By seed. */
  readonly results: readonly Result[];
  /** Mean test top-1, 0..1. */
  readonly top1: number;
  /** Test top-1 less the adaptive recipe's of the same seed; nothing if there is no such pair. */
  readonly difference?: Difference;
}

/** Differences of pairs. */
export interface Difference {
  readonly values: readonly number[];
  readonly mean: number;
  /** Of the mean, from the spread of the pairs; nothing with one pair. */
  readonly standardError?: number;
}

/** The mean of some numbers. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The configurations of a network on a data set that have results, in the order of the tables. Runs that look for a
 * learning rate do not count.
 *
 * @param results All results.
 * @param network Which network.
 * @param data Which pictures.
 */
export function summarise(results: readonly Result[], network: NetworkName, data: DataName): Row[] {
  const own = results.filter((result) =>
    result.network === network && result.data === data && result.learningRate === undefined
  );
  const of = (configuration: string) =>
    own.filter((result) => result.configuration === configuration).sort((a, b) => a.seed - b.seed);
  const adaptive = new Map(of("adaptive").map(({ seed, testTop1 }) => [seed, testTop1]));
  return configurationsOf(network).flatMap((configuration): Row[] => {
    const found = of(configuration);
    if (found.length === 0) return [];
    const pairs = configuration === "adaptive" ? [] : found.filter(({ seed }) => adaptive.has(seed));
    return [{
      configuration,
      results: found,
      top1: mean(found.map(({ testTop1 }) => testTop1)),
      difference: differenceOf(pairs.map(({ seed, testTop1 }) => testTop1 - adaptive.get(seed)!)),
    }];
  });
}

function differenceOf(values: readonly number[]): Difference | undefined {
  if (values.length === 0) return undefined;
  const middle = mean(values);
  if (values.length === 1) return { values, mean: middle };
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
  return { values, mean: middle, standardError: Math.sqrt(variance / values.length) };
}
