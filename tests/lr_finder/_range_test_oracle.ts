import type { RangeTestPoint } from "../../lib/lr_finder/range_test.ts";

/** One range test of tests/oracles/lr_finder/range_tests.json; see range_tests.py beside it. */
export interface Curve {
  name: string;
  minLearningRate: number;
  maxLearningRate: number;
  /** Batches planned; it may have stopped earlier. */
  batches: number;
  smoothing: number;
  losses: number[];
  rates: number[];
  smoothed: number[];
  suggestion: number;
}

/** What torch-lr-finder and NumPy computed. */
export const oracle: { gradient: { losses: number[]; gradient: number[] }[]; curves: Curve[] } = JSON.parse(
  Deno.readTextFileSync(new URL("../oracles/lr_finder/range_tests.json", import.meta.url)),
);

/** The curve of a name. */
export function curve(name: string): Curve {
  return oracle.curves.find((one) => one.name === name)!;
}

/** The points of a curve. */
export function pointsOf({ rates, losses, smoothed }: Curve): RangeTestPoint[] {
  return rates.map((learningRate, i) => ({ learningRate, loss: losses[i], smoothedLoss: smoothed[i] }));
}
