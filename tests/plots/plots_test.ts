import assert from "node:assert/strict";
import type { EpochRecord } from "../../lib/training/events.ts";
import { classCounts } from "../../lib/plots/class_counts.ts";
import { confusionMatrixPlot } from "../../lib/plots/confusion_matrix.ts";
import { perClassScores } from "../../lib/plots/per_class.ts";
import { reliabilityDiagram } from "../../lib/plots/reliability.ts";
import { trainingCurves } from "../../lib/plots/training_curves.ts";
import { assertGolden } from "./_golden.ts";

const history: EpochRecord[] = [0.5, 0.75, 0.7].map((top1, epoch) => ({
  epoch,
  trainLoss: 1 - top1,
  trainTop1: top1 - 0.1,
  validationLoss: 1.1 - top1,
  validationTop1: top1,
  validationTop5: 1,
  learningRate: 0.01,
}));
const text = (layout: Readonly<Record<string, unknown>>) =>
  (layout.title as { subtitle: { text: string } }).subtitle.text;

Deno.test("trainingCurves() draws loss and accuracy and marks the best epoch", () => {
  const steps = [0.5, 1, 1.5, 2, 2.5, 3].map((epochs) => ({ epochs, loss: 1 / epochs }));
  assertGolden(trainingCurves(history, { epochs: 5, steps, title: "a <model>" }), "training_curves");
});

Deno.test("trainingCurves() marks frozen epochs in both panels", () => {
  const frozen = history.map((record) => record.epoch < 2 ? { ...record, phase: "frozen" as const } : record);
  const bands = (options?: Parameters<typeof trainingCurves>[1]) => {
    const { shapes, annotations } = trainingCurves(frozen, options).layout as unknown as {
      shapes: { xref: string; x0: number; x1: number }[];
      annotations: { text: string; xref: string }[];
    };
    assert.deepEqual(annotations.map(({ text, xref }) => [text, xref]), [["frozen", "x"], ["frozen", "x2"]]);
    return shapes.map(({ xref, x0, x1 }) => [xref, Number(x0.toFixed(2)), x1]);
  };
  assert.deepEqual(bands(), [["x", 0.91, 2.5], ["x2", 0.91, 2.5]]);
  // Where steps are drawn too, an epoch ends at its number.
  assert.deepEqual(bands({ steps: [{ epochs: 1, loss: 1 }] }), [["x", -0.09, 2], ["x2", -0.09, 2]]);
});

Deno.test("trainingCurves() takes the first of equally good epochs for the best", () => {
  const equal = history.map((record) => ({ ...record, validationTop1: 0.5 }));
  assert.match(text(trainingCurves(equal).layout), /^best epoch 1:/);
});

Deno.test("trainingCurves() draws a run of which no epoch is finished", () => {
  const figure = trainingCurves([], { epochs: 3 });
  assert.equal(text(figure.layout), "no epoch is finished yet");
  assert.deepEqual(figure.data.map((trace) => trace.y), [[], [], [], []]);
});

Deno.test("confusionMatrixPlot() puts counts into cells and shares into colours", () => {
  assertGolden(
    confusionMatrixPlot([[8, 2, 0], [1, 3, 0], [0, 0, 0]], ["cat", "<dog>", "owl"]),
    "confusion_matrix",
  );
});

Deno.test("confusionMatrixPlot() writes shares into the cells if asked to", () => {
  const { data, layout } = confusionMatrixPlot([[8, 2], [1, 3]], ["cat", "dog"], { cells: "share" });
  assert.deepEqual([data[0].text, data[1].text], [[["", "20"], ["25", ""]], [["80", ""], ["", "75"]]]);
  assert.equal((layout.title as { text: string }).text, "<b>Confusion matrix, % of each true class</b>");
});

Deno.test("confusionMatrixPlot() stays readable for 100 classes: no text in cells, all names at the axes", () => {
  const names = Array.from({ length: 100 }, (_, i) => `class ${i} with a name that is much too long`);
  const { data, layout } = confusionMatrixPlot(
    names.map((_, i) => names.map((_, j) => i === j ? 5 : 0)),
    names,
  );
  assert.ok(!("texttemplate" in data[0]));
  const { ticktext, tickfont } = layout.xaxis as { ticktext: string[]; tickfont: { size: number } };
  assert.equal(ticktext.length, 100);
  assert.equal(ticktext[7], "class 7 with a name t…");
  assert.ok(tickfont.size >= 6);
  assert.equal(text(layout), "500 of 500 right (100.0 %)");
});

Deno.test("confusionMatrixPlot() refuses a matrix that is not square or names that do not fit", () => {
  assert.throws(() => confusionMatrixPlot([[1, 2]], ["cat", "dog"]), {
    name: "RangeError",
    message:
      "Cannot draw confusion matrix: found 1 rows of 2 counts and 2 class names, wanted classes x classes counts",
  });
});

Deno.test("reliabilityDiagram() draws accuracy, the gap to the confidence, and where the pictures are", () => {
  const bins = [
    { lower: 0, upper: 0.5, count: 0, confidence: 0, accuracy: 0 },
    { lower: 0.5, upper: 0.75, count: 10, confidence: 0.6, accuracy: 0.5 },
    { lower: 0.75, upper: 1, count: 30, confidence: 0.9, accuracy: 0.8 },
  ];
  assertGolden(reliabilityDiagram(bins, 0.1), "reliability");
});

Deno.test("reliabilityDiagram() says whether a model is too sure of itself", () => {
  const bin = { lower: 0, upper: 1, count: 10, confidence: 0.8 };
  const verdict = (accuracy: number) => text(reliabilityDiagram([{ ...bin, accuracy }], 0.1).layout);
  assert.match(verdict(0.5), /; over-confident:/);
  assert.match(verdict(0.9), /; under-confident:/);
  assert.match(verdict(0.79), /; on the average as sure as it is right:/);
  assert.equal(text(reliabilityDiagram([{ ...bin, count: 0, accuracy: 0 }], 0).layout), "no pictures");
});

const score = (className: string, f1: number) => ({ className, support: 10, precision: f1, recall: f1, f1 });

Deno.test("perClassScores() draws the worst class at the top", () => {
  assertGolden(perClassScores([score("cat", 0.9), score("<dog>", 0.25), score("owl", 1)]), "per_class");
});

Deno.test("perClassScores() draws the worst classes only, if there are many, and says so", () => {
  const figure = perClassScores(Array.from({ length: 50 }, (_, i) => score(`class ${i}`, (i + 1) / 50)));
  assert.deepEqual((figure.data[0].x as number[]).slice(0, 2), [0.02, 0.04]);
  assert.equal((figure.data[0].x as number[]).length, 40);
  assert.equal(text(figure.layout), "mean F1 0.510 over 50 classes; the 40 lowest are shown");
});

Deno.test("classCounts() draws the largest class first, the parts of the data stacked", () => {
  const figure = classCounts(["cat", "<dog>"], [
    { name: "training", counts: [10, 20] },
    { name: "validation", counts: [5, 6] },
  ]);
  assertGolden(figure, "class_counts");
});

Deno.test("classCounts() draws upright bars for many classes", () => {
  const names = Array.from({ length: 31 }, (_, i) => `class ${i}`);
  const figure = classCounts(names, [{ name: "training", counts: names.map(() => 3) }]);
  assert.equal(figure.data[0].orientation, "v");
  assert.equal(text(figure.layout), "93 training; 31 classes, 3 each");
});
