import assert from "node:assert/strict";
import { averageViews } from "../../lib/metrics/average_views.ts";
import { softmax } from "../../lib/metrics/softmax.ts";

const logitsOf = (probabilities: readonly number[], move = 0) =>
  probabilities.map((probability) => Math.log(probability) + move);

/** Fails unless two rows are the same but for the rounding of float32. */
function assertNear(found: ArrayLike<number>, wanted: readonly number[]): void {
  assert.equal(found.length, wanted.length);
  wanted.forEach((value, index) =>
    assert.ok(
      Math.abs(found[index]! - value) < 1e-6 * Math.max(1, Math.abs(value)),
      `${found[index]}, not ${value}`,
    )
  );
}

Deno.test("averageViews() gives logits of the mean probabilities", () => {
  const views = [
    [logitsOf([0.7, 0.2, 0.1]), logitsOf([0.3, 0.3, 0.4], 5)],
    [logitsOf([0.1, 0.8, 0.1], -3), logitsOf([0.3, 0.5, 0.2])],
    [logitsOf([0.1, 0.2, 0.7]), logitsOf([0.9, 0.1, 1e-9])],
  ];
  const [first, second] = averageViews(views);
  assertNear(softmax(first!), [0.3, 0.4, 0.3]);
  assertNear(softmax(second!), [0.5, 0.3, (0.6 + 1e-9) / 3]);
});

Deno.test("averageViews() keeps the logits of a single view, and of views that agree", () => {
  const logits = [[3, -1, 0.5], [100, 120, -800], [-7, -7, -7]];
  for (const views of [[logits], [logits, logits, logits]]) {
    averageViews(views).forEach((row, sample) => assertNear(row, logits[sample]!));
  }
});

Deno.test("averageViews() keeps what no view believes in finite", () => {
  const [row] = averageViews([[[0, 2000]], [[0, 3000]]]);
  assert.ok(row!.every(Number.isFinite));
  assert.ok(
    row![1]! - row![0]! > 1990 && row![1]! - row![0]! < 2010,
    "about the mean of the smaller distance",
  );
});
