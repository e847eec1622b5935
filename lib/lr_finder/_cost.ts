import type { TrialBench } from "./_bench.ts";

/** Times of a search; they inform the user and decide nothing. */
export interface Cost {
  elapsedSeconds(): number;
  /** Epochs (or parts of one) are done. */
  done(epochs: number): void;
  /** Seconds that some epochs will take, with their validation. */
  secondsFor(epochs: number): number;
}

/** The most steps that are taken to see how long they take; the first is not counted. */
const measuredSteps = 4;

/**
 * Takes a few steps and scores a few pictures, to tell what a search will cost before it begins. The state of the bench
 * is to be reset after it.
 *
 * @param bench The bench.
 * @param signal Ends it early.
 * @returns Seconds an epoch.
 */
export async function measureEpoch(bench: TrialBench, signal: AbortSignal): Promise<number> {
  const { trainLoader, validationLoader } = bench;
  await bench.reset();
  const step = await meanSeconds(
    trainLoader.epoch(0),
    (batch, step) => bench.step(batch, { epoch: 0, step }, 1e-9),
    signal,
  );
  const score = await meanSeconds(validationLoader.epoch(0), (batch) => bench.score(batch), signal);
  return step * trainLoader.stepsPerEpoch + score * validationLoader.stepsPerEpoch;
}

/** Mean seconds of the first few items, loading included. */
async function meanSeconds<T>(
  items: AsyncIterable<T>,
  work: (item: T, index: number) => Promise<unknown>,
  signal: AbortSignal,
): Promise<number> {
  const ends = [performance.now()];
  for await (const item of items) {
    if (signal.aborted) break;
    await work(item, ends.length - 1);
    if (ends.push(performance.now()) > measuredSteps) break;
  }
  const from = ends.length > 2 ? 1 : 0; // the first is slower than the others, unless it is the only one
  return (ends.at(-1)! - ends[from]!) / 1000 / Math.max(1, ends.length - 1 - from);
}

/**
 * Follows what a search costs.
 *
 * @param secondsPerEpoch What was measured before it; once epochs are done their mean counts.
 * @returns The times.
 */
export function followCost(secondsPerEpoch: number): Cost {
  const start = performance.now();
  let epochsDone = 0, atLast = start;
  return {
    elapsedSeconds: () => (performance.now() - start) / 1000,
    done(epochs) {
      epochsDone += epochs;
      atLast = performance.now();
    },
    secondsFor: (epochs) =>
      epochs * (epochsDone < 1 ? secondsPerEpoch : (atLast - start) / 1000 / epochsDone),
  };
}
