import assert from "node:assert/strict";
import { gridRates, nextGridRate } from "../../lib/lr_finder/grid_search.ts";
import type { Trial } from "../../lib/lr_finder/trial.ts";
import { oracle } from "./_search_oracle.ts";

const mobilenet = { minLearningRate: 0.005, maxLearningRate: 0.03, step: 0.001 };

function trial(number: number, learningRate: number, state: Trial["state"] = "complete"): Trial {
  return { number, learningRate, values: state === "duplicate" ? [] : [0.5], state };
}

Deno.test("gridRates() has both ends and no rounding noise", () => {
  const rates = gridRates(mobilenet);
  assert.deepEqual(rates.map(String), Array.from({ length: 26 }, (_, index) => String((index + 5) / 1000)));
  assert.deepEqual(gridRates({ minLearningRate: 0.1, maxLearningRate: 0.3, step: 0.1 }), [0.1, 0.2, 0.3]);
  assert.deepEqual(gridRates({ minLearningRate: 0.1, maxLearningRate: 0.3, step: 0.2 }), [0.1, 0.3]);
});

Deno.test("gridRates() leaves out a highest rate that the steps do not meet, as Optuna", () => {
  for (const { name, bounds, rates } of oracle.tpe) assert.equal(gridRates(bounds).length, rates, name);
  assert.deepEqual(gridRates({ minLearningRate: 0.1, maxLearningRate: 0.38, step: 0.1 }), [0.1, 0.2, 0.3]);
});

Deno.test("gridRates() keeps small rates apart", () => {
  const rates = gridRates({ minLearningRate: 1e-9, maxLearningRate: 1e-5, step: 1e-9 });
  assert.equal(rates.length, 10_000);
  assert.ok(rates.every((rate, index) => index === 0 || rate > rates[index - 1]));
});

Deno.test("nextGridRate() comes to each rate once, whatever came of the others", () => {
  const rates = gridRates(mobilenet);
  const states: Trial["state"][] = ["complete", "pruned", "failed", "duplicate"];
  const trials: Trial[] = [];
  for (let number = 0; number < rates.length; number++) {
    const rate = nextGridRate(rates, trials, 5);
    assert.ok(rate !== undefined);
    trials.push(trial(number, rate, states[number % states.length]));
  }
  assert.deepEqual(trials.map((one) => one.learningRate).sort((a, b) => a - b), rates);
  assert.equal(nextGridRate(rates, trials, 5), undefined);
});

Deno.test("nextGridRate() has an order that depends on the seed only", () => {
  const rates = gridRates(mobilenet);
  const order = (seed: number) => {
    const trials: Trial[] = [];
    for (let rate; (rate = nextGridRate(rates, trials, seed)) !== undefined;) {
      trials.push(trial(trials.length, rate));
    }
    return trials.map((one) => one.learningRate);
  };
  assert.deepEqual(order(5), order(5));
  assert.notDeepEqual(order(5), order(6));
  assert.notDeepEqual(order(5), rates, "not ascending");
  // A rate tried out of turn does not change the order of the others.
  const [first, second] = order(5);
  assert.equal(nextGridRate(rates, [trial(0, second)], 5), first);
});

Deno.test("nextGridRate() knows a rate that differs by rounding", () => {
  assert.equal(nextGridRate([0.012, 0.013], [trial(0, 0.005 + 8 * 0.001)], 1), 0.012);
  assert.equal(nextGridRate([0.012, 0.013], [trial(0, 0.012)], 1), 0.013);
});

Deno.test("gridRates() names all bounds that do not fit", () => {
  const help = "\n  help: write for example { minLearningRate: 0.005, maxLearningRate: 0.03, step: 0.001 }";
  const refused = (minLearningRate: unknown, maxLearningRate: unknown, step: unknown) => {
    try {
      gridRates({ minLearningRate, maxLearningRate, step } as typeof mobilenet);
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    assert.fail("not refused");
  };
  assert.equal(
    refused(0, NaN, -0.001),
    "RangeError: Cannot search a learning rate: 3 bounds cannot be used\n" +
      "  minLearningRate: found 0, wanted a number above 0\n" +
      "  maxLearningRate: found NaN, wanted a number above 0\n" +
      "  step: found -0.001, wanted a number above 0" + help,
  );
  assert.equal(
    refused("0.1", Infinity, 0),
    "TypeError: Cannot search a learning rate: 3 bounds cannot be used\n" +
      "  minLearningRate: found 0.1, wanted a number above 0\n" +
      "  maxLearningRate: found Infinity, wanted a number above 0\n" +
      "  step: found 0, wanted a number above 0" + help,
  );
  assert.equal(
    refused(0.03, 0.005, 0.001),
    "RangeError: Cannot search a learning rate: 1 bound cannot be used\n" +
      "  minLearningRate: found 0.03, wanted less than maxLearningRate, 0.005" + help,
  );
  assert.match(
    refused(0.01, 0.01, 0.001),
    /minLearningRate: found 0.01, wanted less than maxLearningRate, 0.01/,
  );
  assert.match(
    refused(0.005, 0.03, 0.026),
    /step: found 0.026, wanted from 0.0000025 to 0.025, for at least 2 and at most 10000 rates from 0.005 to 0.03/,
  );
  assert.match(refused(0.005, 0.03, 1e-9), /1 bound cannot be used\n {2}step: found 1e-9, wanted from /);
});
