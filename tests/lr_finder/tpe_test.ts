import assert from "node:assert/strict";
import {
  drawRates,
  observationWeights,
  parzenEstimator,
  probability,
} from "../../lib/lr_finder/_parzen_estimator.ts";
import { gridRates } from "../../lib/lr_finder/grid_search.ts";
import { pickCandidate, splitTrials, suggestTpe } from "../../lib/lr_finder/tpe.ts";
import type { Trial } from "../../lib/lr_finder/trial.ts";
import { createRng } from "../../lib/augment/rng.ts";
import { oracle, type Side, type Study, trialsOf } from "./_search_oracle.ts";

const mobilenet = { minLearningRate: 0.005, maxLearningRate: 0.03, step: 0.001 };

/** Each recorded choice of Optuna, with the trials before it. */
const suggestions = oracle.tpe.flatMap((study) =>
  study.suggestions.map((suggestion) => ({
    name: `${study.name}, trial ${suggestion.trial}`,
    grid: gridRates(study.bounds),
    trials: trialsOf(study).slice(0, suggestion.trial),
    ...suggestion,
  }))
);

function ratesOf(trials: readonly Trial[]): number[] {
  return trials.map((trial) => trial.learningRate);
}

function assertNear(
  found: readonly number[],
  wanted: readonly number[],
  tolerance: number,
  what: string,
): void {
  assert.equal(found.length, wanted.length, what);
  found.forEach((value, index) =>
    assert.ok(
      Math.abs(value - wanted[index]) <= tolerance * Math.abs(wanted[index]),
      `${what}[${index}]: ${value}, wanted ${wanted[index]}`,
    )
  );
}

Deno.test("splitTrials() splits as Optuna, with pruned, repeated and failed trials", () => {
  const numbers = (trials: readonly Trial[]) => trials.map((trial) => trial.number);
  for (const { name, trials, below, above } of suggestions) {
    const found = splitTrials(trials);
    assert.deepEqual(numbers(found.below), below.trials, name);
    assert.deepEqual(numbers(found.above), above.trials, name);
  }
  const good = new Set(
    suggestions.flatMap(({ trials, below }) => below.trials.map((at) => trials[at].state)),
  );
  assert.deepEqual([...good].sort(), ["complete", "duplicate", "pruned"], "the recording has each kind");
});

Deno.test("splitTrials() takes as many good trials as Optuna", () => {
  const trials = oracle.gamma.map((_, number): Trial => (
    { number, learningRate: 0.01, values: [0.5], state: "complete" }
  ));
  const found = oracle.gamma.map((_, count) => splitTrials(trials.slice(0, count)).below.length);
  assert.deepEqual(found, oracle.gamma);
});

Deno.test("observationWeights() equals Optuna's default_weights", () => {
  for (const [count, weights] of Object.entries(oracle.weights)) {
    assertNear(observationWeights(Number(count)), weights, 1e-15, count);
  }
});

Deno.test("parzenEstimator() makes Optuna's mixture", () => {
  for (const { name, grid, trials, below, above } of suggestions) {
    for (const side of [below, above]) {
      const found = parzenEstimator(side.trials.map((at) => trials[at].learningRate), grid);
      assertNear(found.weights, side.weights, 1e-13, `${name}: weights`);
      assertNear(found.means, side.means, 1e-13, `${name}: means`);
      assertNear(found.sigmas, side.sigmas, 1e-11, `${name}: sigmas`);
    }
  }
  assert.ok(suggestions.some(({ above }) => above.weights[0] < above.weights.at(-1)!), "some weigh less");
});

Deno.test("probability() equals exp of Optuna's log_pdf at the candidates", () => {
  for (const { name, grid, trials, below, above, candidates } of suggestions) {
    for (const side of [below, above]) {
      const estimator = parzenEstimator(side.trials.map((at) => trials[at].learningRate), grid);
      const found = candidates.map((index) => Math.log(probability(estimator, grid[index])));
      assertNear(found, side.logDensities, 1e-11, name);
    }
  }
});

Deno.test("probability() adds up to 1 over the grid", () => {
  for (const { name, grid, trials, above } of suggestions) {
    const estimator = parzenEstimator(above.trials.map((at) => trials[at].learningRate), grid);
    const sum = grid.reduce((sum, rate) => sum + probability(estimator, rate), 0);
    assert.ok(Math.abs(sum - 1) < 1e-12, `${name}: ${sum}`);
  }
});

Deno.test("parzenEstimator() of no rates is the prior alone", () => {
  const grid = gridRates(mobilenet);
  const { weights, means, sigmas } = parzenEstimator([], grid);
  assert.deepEqual(weights, [1]);
  assertNear(means, [0.0175], 1e-12, "means");
  assertNear(sigmas, [0.026], 1e-12, "sigmas");
});

Deno.test("pickCandidate() picks the candidate Optuna picked", () => {
  for (const { name, grid, trials, below, above, candidates, chosen } of suggestions) {
    const estimate = (side: Side) => parzenEstimator(side.trials.map((at) => trials[at].learningRate), grid);
    const found = pickCandidate(candidates.map((index) => grid[index]), estimate(below), estimate(above));
    assert.equal(found, grid[chosen], name);
  }
  const inPlaces = new Set(suggestions.map(({ candidates, chosen }) => candidates.indexOf(chosen)));
  assert.ok(inPlaces.size > 5, "the recorded choices are not all alike");
});

Deno.test("drawRates() draws as probable", () => {
  const { grid, estimator } = recordedDraws();
  const size = 50_000;
  const drawn = drawRates(estimator, size, createRng(7, "search"));
  const counts = grid.map((rate) => drawn.filter((found) => found === rate).length);
  assert.ok(chiSquare(counts, grid.map((rate) => size * probability(estimator, rate))) < CHI_SQUARE_25);
});

Deno.test("probability() is how often Optuna draws a rate", () => {
  const { grid, estimator, counts } = recordedDraws();
  const size = counts.reduce((sum, count) => sum + count);
  assert.ok(chiSquare(counts, grid.map((rate) => size * probability(estimator, rate))) < CHI_SQUARE_25);
});

Deno.test("suggestTpe() depends on the seed and the trials only", () => {
  const trials = trialsOf(oracle.tpe[0]);
  const first = suggestTpe(mobilenet, trials, 5);
  assert.equal(suggestTpe(mobilenet, structuredClone(trials), 5), first);
  const others = Array.from({ length: 20 }, (_, seed) => suggestTpe(mobilenet, trials, seed));
  assert.ok(new Set(others).size > 1);
});

Deno.test("suggestTpe() draws evenly from the whole grid before 5 trials count", () => {
  const grid = gridRates(mobilenet);
  const trial = (number: number, state: Trial["state"]): Trial => (
    { number, learningRate: 0.006, values: state === "duplicate" ? [] : [0.9], state }
  );
  const trials = [
    ...[0, 1, 2, 3, 4].map((number) => trial(number, "failed")),
    ...[5, 6, 7].map((number) => trial(number, "complete")),
    trial(8, "duplicate"),
  ];
  const size = 5200;
  const found = Array.from({ length: size }, (_, seed) => suggestTpe(mobilenet, trials, seed));
  const counts = grid.map((rate) => found.filter((one) => one === rate).length);
  assert.ok(chiSquare(counts, grid.map(() => size / grid.length)) < CHI_SQUARE_25);

  const enough = [...trials, trial(9, "duplicate")];
  const low = Array.from({ length: 200 }, (_, seed) => suggestTpe(mobilenet, enough, seed));
  assert.ok(new Set(low).size < grid.length);
});

Deno.test("suggestTpe() comes to the best rates", () => {
  const distances = Array.from({ length: 10 }, (_, seed) => {
    const trials: Trial[] = [];
    for (let number = 0; number < 30; number++) {
      const learningRate = suggestTpe(mobilenet, trials, seed);
      const top1 = 0.9 - 1000 * (learningRate - 0.012) ** 2; // best at 0.012
      trials.push({ number, learningRate, values: [top1], state: "complete" });
    }
    return ratesOf(trials).map((rate) => Math.abs(rate - 0.012));
  });
  const mean = (from: number, to: number) => {
    const part = distances.flatMap((run) => run.slice(from, to));
    return part.reduce((sum, distance) => sum + distance, 0) / part.length;
  };
  assert.ok(mean(20, 30) < mean(0, 5) / 2, `${mean(20, 30)}, first ${mean(0, 5)}`);
});

Deno.test("suggestTpe() stays within the grid, whatever was tried", () => {
  const bounds = { minLearningRate: 0.001, maxLearningRate: 0.0035, step: 0.001 };
  const grid = gridRates(bounds);
  const trials = ratesOf(trialsOf(oracle.tpe[0])).map((_, number): Trial => (
    { number, learningRate: 0.003, values: [0.1], state: "complete" }
  ));
  for (let seed = 0; seed < 50; seed++) assert.ok(grid.includes(suggestTpe(bounds, trials, seed)));
});

/** 99.9 % quantile of the chi-square distribution with 25 degrees of freedom: 26 rates. */
const CHI_SQUARE_25 = 52.62;

function chiSquare(counts: readonly number[], expected: readonly number[]): number {
  return counts.reduce((sum, count, index) => sum + (count - expected[index]) ** 2 / expected[index], 0);
}

function recordedDraws() {
  const study: Study = oracle.tpe.find(({ name }) => name === oracle.draws.study)!;
  const { below } = study.suggestions.find(({ trial }) => trial === oracle.draws.trial)!;
  const grid = gridRates(study.bounds);
  const estimator = parzenEstimator(below.trials.map((at) => grid[study.trials[at].rate]), grid);
  return { grid, estimator, counts: oracle.draws.counts };
}
