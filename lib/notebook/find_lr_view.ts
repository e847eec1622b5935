import { onOneLine } from "../data/dataset_error.ts";
import { bestTrial } from "../lr_finder/best_trial.ts";
import { describeTrial } from "../lr_finder/describe_trial.ts";
import type { SearchOutcome } from "../lr_finder/outcome.ts";
import { type RangeTestPoint, SKIP_END, SKIP_START } from "../lr_finder/range_test.ts";
import type { LRSearch, SearchMode } from "../lr_finder/settings.ts";
import type { Trial } from "../lr_finder/trial.ts";
import { percent } from "../metrics/percent.ts";
import { wilsonInterval } from "../metrics/wilson_interval.ts";
import type { Figure } from "../plots/figure.ts";
import { learningRateCurve } from "../plots/lr_curve.ts";
import { learningRateTrials } from "../plots/lr_trials.ts";
import { plural } from "../plots/theme.ts";
import { formatDuration, formatRate } from "../training/readers/format.ts";
import { type Displayed, type MimeBundle, withLook } from "./display.ts";
import { headlineHtml, type HeadlineNumber } from "./headline.ts";
import { html } from "./html.ts";
import { type Table, tableHtml, tableText } from "./table.ts";

/** What the views read of a result of `findLR`. */
export interface SearchSummary extends SearchOutcome {
  /** Model id. */
  readonly model: string;
  /** The settings. */
  readonly search: LRSearch;
  /** The trials that are over, in their order; none for a range test. */
  readonly trials: readonly Trial[];
  /** The steps of a range test. */
  readonly points: readonly RangeTestPoint[];
  /** Pictures of the validation set. */
  readonly validationSize: number;
  /** How long all parts of the search took. */
  readonly durationSeconds: number;
}

/** The figures of a search. */
export interface SearchFigures {
  /** Trials, or the curve of a range test, with the suggestion. */
  readonly learningRates: Figure;
}

const modeNames: Readonly<Record<SearchMode, string>> = {
  tpe: "TPE",
  grid_search: "grid search",
  fast_ai: "range test",
};

/** How many characters of the subtitle fit into a line. */
const lineLength = 108;

/**
 * Makes a result of `findLR` show itself: in a notebook with its curve, suggestion and trials, in a terminal as text.
 *
 * @param result The result.
 * @returns The same object.
 */
export function withFindLRView<T extends SearchSummary>(result: T): Displayed<T, SearchFigures> {
  return withLook<T, SearchFigures>(result, {
    figures: searchFigures,
    outputs: searchOutputs,
    text: searchText,
  });
}

/** Draws the figures of a search. */
export function searchFigures(result: SearchSummary): SearchFigures {
  return {
    get learningRates() {
      return drawSearch(result);
    },
  };
}

/** What the figure of a search shows. */
export interface DrawnSearch extends
  Pick<
    SearchSummary,
    "model" | "suggestion" | "verdict" | "rule" | "reason" | "trials" | "points" | "validationSize"
  > {
  readonly search: Pick<LRSearch, "mode" | "minLearningRate" | "maxLearningRate">;
}

/** The trials or the curve of a search. */
export function drawSearch(result: DrawnSearch): Figure {
  const { search, suggestion, trials, points, validationSize, rule, reason } = result;
  const best = bestTrial(trials)?.values.at(-1);
  const caption = {
    title: `Learning rate of ${result.model}`,
    suggestion,
    bounds: [search.minLearningRate, search.maxLearningRate] as const,
    lines: [
      suggestion === undefined ? `${searchAnswer(result)}. ${reason}` : `${searchAnswer(result)}: ${rule}`,
      suggestion === undefined ? `rule: ${rule}` : reason,
      ...(best === undefined
        ? []
        : [`shaded: 95 % interval of the best trial's top-1 on ${validationSize} pictures`]),
    ].flatMap(wrapped),
  };
  if (search.mode === "fast_ai") {
    return learningRateCurve(points, { ...caption, leftAside: [SKIP_START, SKIP_END] });
  }
  const band = best === undefined
    ? undefined
    : wilsonInterval(Math.round(best * validationSize), validationSize);
  return learningRateTrials(trials, { ...caption, band });
}

/** E.g. `suggestion 0.0035 (clear)`. */
export function searchAnswer({ suggestion, verdict }: Pick<SearchSummary, "suggestion" | "verdict">): string {
  return suggestion === undefined
    ? `no suggestion (${verdict})`
    : `suggestion ${formatRate(suggestion)} (${verdict})`;
}

/** A text in lines that fit under a title. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of onOneLine(text).split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= lineLength) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** The trials as a table. */
export function trialsTable(trials: readonly Trial[], suggestion: number | undefined): Table {
  const best = bestTrial(trials);
  return {
    columns: [
      { name: "trial", align: "right" },
      { name: "learning rate", align: "right" },
      { name: "top-1 after each epoch" },
      { name: "result" },
    ],
    rows: trials.map((trial) => [
      trial.number + 1,
      formatRate(trial.learningRate),
      trial.values.map((value) => percent(value)).join(", "),
      describeTrial(trial) + (trial === best && suggestion === trial.learningRate ? " (suggestion)" : ""),
    ]),
  };
}

/** What a terminal shows of a search. */
export function searchText(result: SearchSummary): string {
  const { search, stopped, durationSeconds, trials, suggestion } = result;
  const how = stopped === "completed" ? "in" : "interrupted after";
  return [
    `${result.model}, ${modeNames[search.mode]}: ${searchAnswer(result)}, ${how} ${
      formatDuration(durationSeconds)
    }`,
    `rule: ${result.rule}`,
    onOneLine(result.reason),
    ...(trials.length === 0 ? [] : ["", tableText(trialsTable(trials, suggestion))]),
  ].join("\n");
}

/** The numbers of a search that a reader looks for first. */
export function searchHeadline(result: SearchSummary): HeadlineNumber[] {
  const { search, suggestion, trials, points, verdict } = result;
  const count = (state: Trial["state"]) => trials.filter((trial) => trial.state === state).length;
  const kinds = ([["pruned", "pruned"], ["duplicate", "tried before"], ["failed", "failed"]] as const)
    .filter(([state]) => count(state) > 0).map(([state, name]) => `${count(state)} ${name}`);
  return [
    {
      name: "learning rate",
      value: suggestion === undefined ? "none" : formatRate(suggestion),
      note: verdict,
    },
    search.mode === "fast_ai"
      ? { name: "range test", value: `${points.length} steps`, note: `smoothing ${search.smoothing}` }
      : {
        name: modeNames[search.mode],
        value: plural(trials.length, "trial"),
        note: [`${plural(search.epochs, "epoch")} each`, ...kinds].join(", "),
      },
    {
      name: "time",
      value: formatDuration(result.durationSeconds),
      note: result.stopped === "completed" ? "all done" : "interrupted",
    },
  ];
}

async function searchOutputs(result: SearchSummary): Promise<MimeBundle[]> {
  const { trials, suggestion } = result;
  const details = html`
    <div
      style="font-family:system-ui,sans-serif;font-size:13px">${headlineHtml(
        searchHeadline(result),
      )}<p style="max-width:760px">${result.reason}</p>${trials.length > 0 &&
        html`<details><summary>Each trial</summary>${
          tableHtml(trialsTable(trials, suggestion))
        }</details>`}</div>
  `;
  return [
    await drawSearch(result).mimeBundle(),
    { "text/html": details.markup, "text/plain": searchText(result) },
  ];
}
