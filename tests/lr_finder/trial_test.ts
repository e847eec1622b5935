import assert from "node:assert/strict";
import { type Trial, wasTried } from "../../lib/lr_finder/trial.ts";

Deno.test("wasTried() finds a rate in any state, but for rounding", () => {
  for (const state of ["complete", "pruned", "duplicate", "failed"] as const) {
    const trials: Trial[] = [{ number: 0, learningRate: 0.013, values: [], state }];
    assert.equal(wasTried(trials, 0.013), true);
    assert.equal(wasTried(trials, 0.013000000000000001), true);
    assert.equal(wasTried(trials, 0.0130001), false);
  }
  assert.equal(wasTried([], 0.013), false);
});
