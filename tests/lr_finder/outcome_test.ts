import assert from "node:assert/strict";
import { outcomeOf } from "../../lib/lr_finder/outcome.ts";
import type { SearchState } from "../../lib/lr_finder/search_state.ts";
import { exampleRangeTest, exampleSearch } from "./_example_search.ts";

const validation = {
  name: "val",
  classNames: ["a", "b"],
  samples: Array.from({ length: 200 }, (_, i) => ({ image: `${i}`, name: `${i}`, label: i % 2 })),
};
const outcome = (state: Partial<SearchState>) => outcomeOf(state as SearchState, validation);

Deno.test("outcomeOf() names the rule by which a trial was chosen", () => {
  const { trials, search } = exampleSearch;
  const found = outcome({ trials, search, done: true });
  assert.deepEqual([found.suggestion, found.stopped], [0.005, "completed"]);
  assert.equal(
    found.rule,
    "the rate of the trial with the best validation top-1 after 2 epochs, trial 2 of 5",
  );
  assert.equal(outcome({ trials, search, done: false }).suggestion, 0.005, "the best so far");
});

Deno.test("outcomeOf() suggests nothing before there is something to judge", () => {
  const { search } = exampleSearch;
  const none = outcome({ trials: [], search, done: false });
  assert.deepEqual([none.suggestion, none.verdict, none.stopped], [undefined, "unfinished", "interrupted"]);
  const half = outcome({ points: [], search: exampleRangeTest.search, done: false });
  assert.deepEqual([half.suggestion, half.verdict], [undefined, "unfinished"]);
  assert.equal(
    half.reason,
    "The range test was stopped before its end; resumed, it begins again.",
  );
  const short = outcome({
    points: exampleRangeTest.points.slice(0, 16),
    search: exampleRangeTest.search,
    done: true,
  });
  assert.equal(
    short.reason,
    "The loss diverged after 16 steps, and a range test needs at least 17. Lower minLearningRate.",
  );
});
