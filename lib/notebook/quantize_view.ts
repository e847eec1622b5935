import type { AccuracyDrop } from "../quantization/accuracy_drop.ts";
import type { RangeMethod } from "../quantization/ranges.ts";
import type { LayerReport } from "../quantization/layer_report.ts";
import { percent } from "../metrics/percent.ts";
import type { Model } from "../models/model.ts";
import type { Figure } from "../plots/figure.ts";
import { quantizedLayers } from "../plots/quantized_layers.ts";
import { plural } from "../plots/theme.ts";
import { formatDuration } from "../training/readers/format.ts";
import type { EpochRecord } from "../training/events.ts";
import { type Displayed, type MimeBundle, withLook } from "./display.ts";
import { headlineHtml, type HeadlineNumber } from "./headline.ts";
import { html } from "./html.ts";
import { type Table, tableHtml, tableText } from "./table.ts";

/** What the view reads of a result of `quantize`. */
export interface QuantizeSummary {
  readonly model: Pick<Model, "id">;
  readonly checkpoint: string;
  readonly drop: AccuracyDrop & { readonly maxDrop: number; readonly runtime: string };
  readonly layers: readonly LayerReport[];
  readonly fineTuned: boolean;
  readonly postTrainingTop1?: number;
  readonly history: readonly EpochRecord[];
  readonly latency: { readonly float: number; readonly int8: number };
  readonly weightBits: number;
  readonly ranges: RangeMethod;
  readonly isAdapted: boolean;
  readonly calibrationPictures: number;
  readonly durationSeconds: number;
}

/** What a result of `quantize` draws. */
export interface QuantizeFigures {
  /** Signal-to-noise ratio and share of each layer. */
  readonly layers: Figure;
}

/** Layers a terminal or the first look of a notebook shows. */
const shownLayers = 8;

/**
 * Makes the result of a quantisation show itself: what it costs, measured how, and the layers that cost most.
 *
 * @param result The result.
 * @returns The same object.
 */
export function withQuantizeView<T extends QuantizeSummary>(result: T): Displayed<T, QuantizeFigures> {
  return withLook<T, QuantizeFigures>(result, {
    figures: quantizeFigures,
    outputs: async (
      result,
    ) => [summaryOutput(result), await quantizeFigures(result).layers.mimeBundle(), tableOutput(result)],
    text: quantizeText,
  });
}

function quantizeFigures(result: QuantizeSummary): QuantizeFigures {
  return {
    get layers() {
      return quantizedLayers(result.layers, `${result.model.id}, ${precisions(result)}`);
    },
  };
}

function headline(result: QuantizeSummary): HeadlineNumber[] {
  const { drop, latency, layers, history, postTrainingTop1, weightBits, calibrationPictures } = result;
  return [
    { name: "Top-1 in int8", value: percent(drop.int8), note: `in float ${percent(drop.float)}` },
    {
      name: "Drop",
      value: points(drop.drop),
      note: `${interval(drop)}, at most ${points(drop.maxDrop)} was promised`,
    },
    {
      name: "Measured on",
      value: plural(drop.pictures, "picture"),
      note: `in ${drop.runtime}; ${percent(drop.agreement)} the same in both`,
    },
    {
      name: "Layers in int8",
      value: `${layers.filter(({ precision }) => precision === "int8").length} of ${layers.length}`,
      note: `weights of ${weightBits} bits`,
    },
    {
      name: "One picture here",
      value: `${latency.int8.toFixed(2)} ms`,
      note: `in float ${latency.float.toFixed(2)} ms`,
    },
    {
      name: "Fine-tuned",
      value: history.length === 0 ? "no" : plural(history.length, "epoch"),
      note: postTrainingTop1 === undefined
        ? `ranges (${result.ranges}) from ${plural(calibrationPictures, "picture")}`
        : `before it ${percent(postTrainingTop1)}${keptBefore(result)}`,
    },
  ];
}

function summaryOutput(result: QuantizeSummary): MimeBundle {
  return {
    "text/html":
      html`<div style="font-family:system-ui,sans-serif;font-size:13px">${result.model.id} in int8, saved as
      <code>${result.checkpoint}</code></div>${headlineHtml(headline(result))}`.markup,
    "text/plain": quantizeText(result),
  };
}

function tableOutput({ layers }: QuantizeSummary): MimeBundle {
  const worst = worstFirst(layers);
  return {
    "text/html": html`
      <div
        style="font-family:system-ui,sans-serif">${tableHtml(
          layerTable(worst.slice(0, shownLayers)),
        )}<details style="font-size:13px"><summary>all ${layers.length} layers</summary>${tableHtml(
          layerTable(layers),
        )}</details></div>
    `.markup,
    "text/plain": tableText(layerTable(worst.slice(0, shownLayers))),
  };
}

function worstFirst(layers: readonly LayerReport[]): LayerReport[] {
  return layers.toSorted((a, b) => b.share - a.share);
}

/** Layers as a table. */
export function layerTable(layers: readonly LayerReport[]): Table {
  const right = (name: string) => ({ name, align: "right" as const });
  return {
    columns: [
      { name: "layer" },
      { name: "kind" },
      { name: "precision" },
      right("signal to noise"),
      right("share of the change"),
      right("time"),
    ],
    rows: layers.map(({ name, kind, precision, decibels, share, milliseconds }) => [
      name,
      kind,
      precision,
      `${decibels.toFixed(1)} dB`,
      percent(share),
      milliseconds === undefined ? "joined" : `${milliseconds.toFixed(3)} ms`,
    ]),
  };
}

/** What a terminal shows of a quantisation. */
export function quantizeText(result: QuantizeSummary): string {
  const { model, drop, latency, layers, history, postTrainingTop1, checkpoint, durationSeconds } = result;
  return [
    `${model.id} in int8, ${precisions(result)}, in ${formatDuration(durationSeconds)}`,
    `top-1 ${percent(drop.int8)}, in float ${percent(drop.float)}: drop ${points(drop.drop)} (${
      interval(drop)
    }), ` +
    `at most ${points(drop.maxDrop)} was promised`,
    `ranges by ${result.ranges} from ${plural(result.calibrationPictures, "picture")}, means ${
      result.isAdapted ? "given back" : "not given back"
    }`,
    `measured with the int8 file in ${drop.runtime} on ${plural(drop.pictures, "picture")}, ` +
    `${percent(drop.agreement)} of them called the same in both`,
    ...(postTrainingTop1 === undefined ? [] : [
      `before ${plural(history.length, "epoch")} of fine-tuning ${percent(postTrainingTop1)}` +
      keptBefore(result),
    ]),
    `one picture here: ${latency.int8.toFixed(2)} ms, in float ${latency.float.toFixed(2)} ms`,
    `saved as ${checkpoint}`,
    "the layers that change most:",
    tableText(layerTable(worstFirst(layers).slice(0, shownLayers))),
  ].join("\n");
}

/** What to add where fine-tuning was in vain. */
function keptBefore({ fineTuned }: QuantizeSummary): string {
  return fineTuned ? "" : ", which is better and kept";
}

function precisions({ layers }: QuantizeSummary): string {
  const inFloat = layers.filter(({ precision }) => precision === "float").length;
  return `${layers.length - inFloat} int8, ${inFloat} float`;
}

/** A difference of accuracies, e.g. `0.4 points`. */
function points(difference: number): string {
  return `${(100 * difference).toFixed(2)} points`;
}

function interval({ interval: [low, high] }: AccuracyDrop): string {
  return `95 %: ${(100 * low).toFixed(2)} to ${(100 * high).toFixed(2)}`;
}
