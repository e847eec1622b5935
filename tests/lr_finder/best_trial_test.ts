import assert from "node:assert/strict";
import { bestTrial } from "../../lib/lr_finder/best_trial.ts";
import type { Trial } from "../../lib/lr_finder/trial.ts";
import { oracle, trialsOf } from "./_search_oracle.ts";

Deno.test("bestTrial() is Optuna's best trial, for TPE and for the grid", () => {
  let ties = 0;
  for (const study of [...oracle.tpe, ...oracle.grid]) {
    const trials = trialsOf(study);
    const best = bestTrial(trials);
    assert.equal(best?.number, study.best, study.name);
    const equals = trials.filter(({ state, values }) =>
      state === "complete" && values.at(-1) === best?.values.at(-1)
    );
    if (equals.length > 1) ties++;
  }
  assert.ok(ties > 0, "the recording has equals");
});

Deno.test("bestTrial() looks at the last epoch of complete trials, and takes the first of equals", () => {
  const trial = (number: number, values: number[], state: Trial["state"] = "complete"): Trial => (
    { number, learningRate: 0.01, values, state }
  );
  const found = bestTrial([
    trial(0, [0.9, 0.5]),
    trial(1, [0.99], "pruned"),
    trial(2, [0.5, 0.8]),
    trial(3, [0.7, 0.8]),
    trial(4, [0.7, 0.99], "failed"),
  ]);
  assert.equal(found?.number, 2);
});

Deno.test("bestTrial() is none where no trial is complete", () => {
  assert.equal(bestTrial([]), undefined);
  assert.equal(bestTrial([{ number: 0, learningRate: 0.01, values: [0.9], state: "pruned" }]), undefined);
});
