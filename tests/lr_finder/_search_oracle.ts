import { gridRates } from "../../lib/lr_finder/grid_search.ts";
import type { LearningRateBounds } from "../../lib/lr_finder/bounds.ts";
import type { Trial } from "../../lib/lr_finder/trial.ts";

/** One side of Optuna's split, and the mixture it made of it. */
export interface Side {
  trials: number[];
  weights: number[];
  means: number[];
  sigmas: number[];
  logDensities: number[];
}

/** How Optuna chose the rate of a trial; rates are indices on the grid. */
export interface Suggestion {
  trial: number;
  below: Side;
  above: Side;
  candidates: number[];
  chosen: number;
}

/** One search of tests/oracles/lr_finder/search.json; see search.py beside it. */
export interface Study {
  name: string;
  bounds: LearningRateBounds;
  rates: number;
  trials: { rate: number; values: number[]; state: Trial["state"]; prune: boolean[] }[];
  best: number;
  suggestions: Suggestion[];
}

/** What Optuna and SciPy computed. */
export const oracle: {
  gamma: number[];
  weights: Record<string, number[]>;
  tpe: Study[];
  grid: Study[];
  draws: { study: string; trial: number; counts: number[] };
  errorFunction: { x: number[]; erf: number[]; erfc: number[]; quantiles: [number, number][] };
} = JSON.parse(Deno.readTextFileSync(new URL("../oracles/lr_finder/search.json", import.meta.url)));

/** The trials of a study as ours. */
export function trialsOf(study: Study): Trial[] {
  const grid = gridRates(study.bounds);
  return study.trials.map(({ rate, values, state }, number) => ({
    number,
    learningRate: grid[rate],
    values,
    state,
  }));
}
