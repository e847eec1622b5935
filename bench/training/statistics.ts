import type { Round } from "./rounds.ts";

/** A figure over rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** A figure of each round, by what it tells. */
export type Metric = typeof metrics[number];

/** Training and evaluation in pictures a second, the first step in seconds, memory in bytes. */
export const metrics = ["training", "evaluation", "firstStep", "peakMemory"] as const;

/**
 * Median, least and greatest value.
 *
 * @param values One or more numbers; of an even number of them the median is the mean of the two in the middle.
 */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError("Cannot take the median of no values");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/**
 * A figure of one round.
 *
 * @param round What was measured.
 * @param metric Which figure.
 * @param batchSize Pictures of a step.
 * @returns The figure; nothing where a round has none, as a process's first step is in its first round only.
 */
export function figureOf(round: Round, metric: Metric, batchSize: number): number | undefined {
  switch (metric) {
    case "training":
      return batchSize / spread(round.trainingSeconds).median;
    case "evaluation":
      return batchSize / spread(round.evaluationSeconds).median;
    case "firstStep":
      return round.firstStepSeconds;
    case "peakMemory":
      return round.peakMemoryBytes;
  }
}

/**
 * A figure over all rounds.
 *
 * @param rounds What was measured.
 * @param metric Which figure.
 * @param batchSize Pictures of a step.
 * @returns Its spread; nothing if no round has it.
 */
export function summarise(rounds: readonly Round[], metric: Metric, batchSize: number): Spread | undefined {
  const values = rounds.map((round) => figureOf(round, metric, batchSize)).filter((v) => v !== undefined);
  return values.length === 0 ? undefined : spread(values);
}

/**
 * A contestant's figure as a multiple of another's. It is taken round by round: what slows the machine down for a
 * minute slows both down.
 *
 * @param own Rounds of the one.
 * @param other Rounds of the other, in the same order.
 * @param metric Which figure.
 * @returns The ratios' spread; nothing if there is no round that both have.
 */
export function ratio(own: readonly Round[], other: readonly Round[], metric: Metric): Spread | undefined {
  const ratios = own.flatMap((round, index) => {
    const numerator = figureOf(round, metric, 1);
    const denominator = other[index] && figureOf(other[index], metric, 1);
    return numerator === undefined || denominator === undefined ? [] : [numerator / denominator];
  });
  return ratios.length === 0 ? undefined : spread(ratios);
}
