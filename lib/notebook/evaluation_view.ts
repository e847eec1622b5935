import { onOneLine } from "../data/dataset_error.ts";
import type { Evaluation } from "../metrics/evaluation.ts";
import { confusionMatrixPlot } from "../plots/confusion_matrix.ts";
import type { Figure } from "../plots/figure.ts";
import { perClassScores } from "../plots/per_class.ts";
import { reliabilityDiagram } from "../plots/reliability.ts";
import { percent } from "../metrics/percent.ts";
import { plural } from "../plots/theme.ts";
import { type Displayed, type MimeBundle, withLook } from "./display.ts";
import { headlineHtml, type HeadlineNumber } from "./headline.ts";
import { html } from "./html.ts";
import { mistakesGallery } from "./mistakes_gallery.ts";
import { type Table, tableHtml, tableText } from "./table.ts";

/** The figures of an evaluation. */
export interface EvaluationFigures {
  /** Which classes are taken for which. */
  readonly confusionMatrix: Figure;
  /** Confidence against accuracy. */
  readonly reliability: Figure;
  /** Quality of each class. */
  readonly perClass: Figure;
}

/**
 * Makes an evaluation show itself: in a notebook with its numbers, its figures and its worst mistakes, in a terminal as
 * text; `figures` can be saved one by one.
 *
 * @param evaluation The evaluation.
 * @returns The same object.
 */
export function withEvaluationView(evaluation: Evaluation): Displayed<Evaluation, EvaluationFigures> {
  return withLook(evaluation, {
    figures: evaluationFigures,
    outputs: evaluationOutputs,
    text: evaluationText,
  });
}

/** Draws the figures of an evaluation. */
export function evaluationFigures(evaluation: Evaluation): EvaluationFigures {
  return {
    get confusionMatrix() {
      return confusionMatrixPlot(evaluation.confusionMatrix, evaluation.classNames);
    },
    get reliability() {
      return reliabilityDiagram(evaluation.reliability, evaluation.calibrationError);
    },
    get perClass() {
      return perClassScores(evaluation.perClass);
    },
  };
}

/** The numbers of an evaluation that a reader looks for first. */
export function evaluationHeadline(evaluation: Evaluation): HeadlineNumber[] {
  const [low, high] = evaluation.top1Interval;
  const { complexity, views } = evaluation;
  return [
    {
      name: "top-1 accuracy",
      value: percent(evaluation.top1),
      note: `${percent(low)} to ${percent(high)}, 95 % confidence`,
    },
    { name: "top-5 accuracy", value: percent(evaluation.top5) },
    {
      name: "mean of the classes",
      value: percent(evaluation.meanTop1),
      note: "top-1 of each class, averaged",
    },
    { name: "mAP", value: percent(evaluation.mAP), note: "mean average precision" },
    { name: "loss", value: evaluation.loss.toFixed(3), note: "cross-entropy, nats" },
    { name: "calibration error", value: percent(evaluation.calibrationError), note: "expected, 15 bins" },
    {
      name: "pictures",
      value: String(evaluation.sampleCount),
      note: `${evaluation.mistakeCount} wrong, ${plural(evaluation.classNames.length, "class")}`,
    },
    ...(views
      ? [{
        name: "test-time augmentation",
        value: plural(views.length, "view"),
        note: `probabilities averaged: ${shortList(views)}`,
      }]
      : []),
    ...(complexity
      ? [{
        name: "model",
        value: `${complexity.gflops.toFixed(3)} GFLOPs`,
        note: `${complexity.megaParams.toFixed(2)} million parameters`,
      }]
      : []),
  ];
}

function shortList(names: readonly string[]): string {
  return names.length <= 3
    ? names.join(", ")
    : `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`;
}

/** Quality of each class, as a table, in the order of the classes. */
export function perClassTable(evaluation: Evaluation): Table {
  const right = { align: "right" } as const;
  return {
    columns: [
      { name: "class" },
      { name: "pictures", ...right },
      { name: "precision", ...right },
      { name: "recall", ...right },
      { name: "F1", ...right },
      { name: "average precision", ...right },
    ],
    rows: evaluation.perClass.map((one) => [
      one.className,
      one.support,
      one.precision.toFixed(3),
      one.recall.toFixed(3),
      one.f1.toFixed(3),
      one.averagePrecision.toFixed(3),
    ]),
  };
}

/** What a terminal shows of an evaluation. */
export function evaluationText(evaluation: Evaluation): string {
  const numbers = evaluationHeadline(evaluation);
  const width = Math.max(...numbers.map(({ name }) => name.length));
  const lines = numbers.map(({ name, value, note }) =>
    `${name.padEnd(width)}  ${value.padStart(8)}${note ? `  (${note})` : ""}`
  );
  const worst = evaluation.mistakes.slice(0, 5).map((mistake) =>
    `${mistake.name}: ${mistake.label}, taken for ${mistake.predicted} (${percent(mistake.probability)} sure)`
  );
  return [
    ...lines,
    "",
    tableText(perClassTable(evaluation)),
    ...(worst.length > 0 ? ["", "worst mistakes:", ...worst.map((line) => `  ${onOneLine(line)}`)] : []),
  ].join("\n");
}

async function evaluationOutputs(evaluation: Evaluation): Promise<MimeBundle[]> {
  const figures = evaluationFigures(evaluation);
  const gallery = await mistakesGallery(evaluation.mistakes);
  const details = html`<div style="font-family:system-ui,sans-serif">
<h4 style="margin:8px 0">Worst mistakes</h4>${gallery}
<details style="margin-top:14px"><summary>Each class</summary>${
    tableHtml(perClassTable(evaluation))
  }</details></div>`;
  return [
    {
      "text/html": headlineHtml(evaluationHeadline(evaluation)).markup,
      "text/plain": evaluationText(evaluation),
    },
    await figures.confusionMatrix.mimeBundle(),
    await figures.reliability.mimeBundle(),
    { "text/html": details.markup, "text/plain": "worst mistakes and classes: see the text above" },
  ];
}
