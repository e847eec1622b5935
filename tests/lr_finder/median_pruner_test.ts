import assert from "node:assert/strict";
import { shouldPrune } from "../../lib/lr_finder/median_pruner.ts";
import type { Trial } from "../../lib/lr_finder/trial.ts";
import { oracle, trialsOf } from "./_search_oracle.ts";

function complete(...tops: number[][]): Trial[] {
  return tops.map((values, number) => ({
    number,
    learningRate: 0.001 * (number + 1),
    values,
    state: "complete",
  }));
}

Deno.test("shouldPrune() decides as Optuna's MedianPruner, after each epoch of each trial", () => {
  let pruned = 0, kept = 0;
  for (const study of [...oracle.tpe, ...oracle.grid]) {
    const trials = trialsOf(study);
    for (const [number, { values, prune }] of study.trials.entries()) {
      for (const [epoch, wanted] of prune.entries()) {
        const found = shouldPrune(trials.slice(0, number), values.slice(0, epoch + 1));
        assert.equal(found, wanted, `${study.name}, trial ${number}, epoch ${epoch}`);
        if (number >= 5) found ? pruned++ : kept++;
      }
    }
  }
  assert.ok(pruned > 50 && kept > 50, `${pruned} and ${kept}`);
});

Deno.test("shouldPrune() counts complete trials only, and stops none before there are 5", () => {
  const five = complete([0.5], [0.6], [0.7], [0.8], [0.9]);
  assert.equal(shouldPrune(five.slice(1), [0.1]), false);
  assert.equal(shouldPrune(five, [0.1]), true);
  for (const state of ["pruned", "duplicate", "failed"] as const) {
    assert.equal(shouldPrune([...five.slice(1), { ...five[0], state }], [0.1]), false, state);
    assert.equal(shouldPrune([...five, { ...five[4], state }, { ...five[4], state }], [0.75]), false, state);
  }
});

Deno.test("shouldPrune() takes the best top-1 so far, and the median of the same epoch", () => {
  const trials = complete([0.1, 0.5], [0.1, 0.6], [0.1, 0.7], [0.1, 0.8], [0.1, 0.9]);
  assert.equal(shouldPrune(trials, [0.72, 0.2]), false);
  assert.equal(shouldPrune(trials, [0.2, 0.69]), true);
  assert.equal(shouldPrune(trials, [0.2, 0.7]), false, "a trial at the median goes on");
  assert.equal(shouldPrune(trials, [0.2]), false);
});

Deno.test("shouldPrune() stops nothing that it cannot compare", () => {
  const trials = complete([0.5], [0.6], [0.7], [0.8], [0.9]);
  assert.equal(shouldPrune(trials, []), false);
  assert.equal(shouldPrune(trials, [0, 0]), false, "no other trial came so far");
});
