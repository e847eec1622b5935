import assert from "node:assert/strict";
import { drawSearch } from "../../lib/notebook/find_lr_view.ts";
import { learningRateCurve } from "../../lib/plots/lr_curve.ts";
import { learningRateTrials } from "../../lib/plots/lr_trials.ts";
import { exampleRangeTest, exampleSearch } from "../lr_finder/_example_search.ts";
import { assertGolden } from "./_golden.ts";

const subtitle = (layout: Readonly<Record<string, unknown>>) =>
  (layout.title as { subtitle: { text: string } }).subtitle.text;

Deno.test("learningRateTrials() draws trials by kind, the suggestion and what chance does not tell apart", () => {
  const figure = drawSearch(exampleSearch);
  assert.equal(
    subtitle(figure.layout),
    "suggestion 0.005 (clear): the rate of the trial with the best validation top-1 after 2 epochs, trial 2 of 5" +
      "<br>Its top-1 of 85.0 % is 15.0 points above the other's." +
      "<br>shaded: 95 % interval of the best trial's top-1 on 200 pictures",
  );
  assert.deepEqual(figure.data.map(({ name, x }) => [name, x]), [
    ["complete", [0.0025, 0.005]],
    ["pruned, where it ended", [0.0015]],
    ["failed", [0.0075]],
    ["suggestion", [0.005]],
  ]);
  assertGolden(figure, "lr_trials");
});

Deno.test("learningRateCurve() draws the loss over the rates, and where it falls most steeply", () => {
  const figure = drawSearch(exampleRangeTest);
  assert.match(
    subtitle(figure.layout),
    /^suggestion 0\.00631 \(clear\): the rate at which the smoothed loss falls/,
  );
  assertGolden(figure, "lr_curve");
});

Deno.test("learningRateCurve() says why there is no suggestion, and marks none", () => {
  const reason = "The loss falls by less than it swings from step to step.";
  const figure = drawSearch({ ...exampleRangeTest, suggestion: undefined, verdict: "noisy", reason });
  assert.match(
    subtitle(figure.layout),
    new RegExp(`^no suggestion \\(noisy\\)\\. ${reason}<br>rule: the rate`),
  );
  assert.equal(figure.data.some(({ name }) => name === "suggestion"), false);
});

Deno.test("learningRateCurve() keeps a loss that diverges from flattening the rest", () => {
  const points = exampleRangeTest.points.map((point, step) =>
    step < 38 ? point : { ...point, smoothedLoss: 50 }
  );
  const { layout } = learningRateCurve(points, { lines: [], bounds: [0.0001, 1], leftAside: [10, 5] });
  const [low, high] = (layout.yaxis as { range: [number, number] }).range;
  assert.ok(low < 1 && high < 5, `${low} to ${high}`);
});

Deno.test("the figures of a search are drawn before anything is known", () => {
  const bounds = [0.001, 0.01] as const;
  assert.deepEqual(learningRateTrials([], { lines: [], bounds }).data[0].x, []);
  const { data, layout } = learningRateCurve([], { lines: [], bounds });
  assert.deepEqual(data[0].x, []);
  assert.deepEqual((layout.xaxis as { ticktext: string[] }).ticktext, ["0.001", "0.002", "0.005", "0.01"]);
});
