import assert from "node:assert/strict";
import { runText, withRunView } from "../../lib/notebook/run_view.ts";
import { exampleRunSummary } from "./_example_evaluation.ts";

Deno.test("runText() is what a terminal shows", () => {
  assert.equal(
    runText(exampleRunSummary()),
    `\
mobilenetv3_small_100, 3 classes: all epochs done in 2:05
best epoch 1 of 2: validation top-1 75.0 %, loss 0.6000
checkpoint outputs/pets/best.safetensors

epoch  training loss  training top-1  validation loss  validation top-1  validation top-5  learning rate
    1         0.7000          50.0 %           0.6000            75.0 %           100.0 %         0.0100
    2         0.4000          50.0 %           0.6500            75.0 %           100.0 %         0.0100`,
  );
});

Deno.test("runText() tells which epochs were frozen", () => {
  const summary = exampleRunSummary();
  const history = summary.history.map((record, index) =>
    index === 0 ? { ...record, phase: "frozen" as const } : record
  );
  const lines = runText({ ...summary, history }).split("\n").slice(-2).map((line) => line.slice(0, 8));
  assert.deepEqual(lines, ["1 frozen", "       2"]);
});

Deno.test("runText() tells of a run that was stopped before an epoch was finished", () => {
  const { model } = exampleRunSummary();
  assert.equal(
    runText({ model, history: [], stopped: "interrupted" }),
    "mobilenetv3_small_100, 3 classes: interrupted\nno epoch was finished",
  );
});

Deno.test("withRunView() prints as text and draws curves", () => {
  const run = withRunView(exampleRunSummary());
  assert.equal(Deno.inspect(run), runText(run));
  assert.deepEqual(run.figures.trainingCurves.data[0].y, [0.7, 0.4]);
});
