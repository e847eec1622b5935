import type { Finding, Inspection } from "../data/inspect_data.ts";
import type { Evaluation } from "../metrics/evaluation.ts";
import { classCounts } from "../plots/class_counts.ts";
import { type Figure, plotlyScript } from "../plots/figure.ts";
import { percent } from "../metrics/percent.ts";
import { plural } from "../plots/theme.ts";
import { formatDuration, formatRate } from "../training/readers/format.ts";
import { evaluationFigures, evaluationHeadline, perClassTable } from "./evaluation_view.ts";
import { drawSearch, type SearchSummary, trialsTable } from "./find_lr_view.ts";
import { headlineHtml } from "./headline.ts";
import { type Html, html, type HtmlValue, rawHtml } from "./html.ts";
import { mistakesGallery } from "./mistakes_gallery.ts";
import { describeStop, historyTable, runFigures, runHeadline, type RunSummary } from "./run_view.ts";
import { tableHtml } from "./table.ts";

/** What a report is made of. */
export interface ReportInput {
  readonly run: RunSummary;
  /** How good the model is on data it was not trained on. */
  readonly evaluation?: Evaluation;
  /** What the data was, and what is wrong with it. */
  readonly inspection?: Inspection;
  /** When the report was made. */
  readonly date: Date;
}

/** How the parts of the data are called. */
const setNames = { data: "", train: "training", validation: "validation", test: "test" } as const;

/** The most pictures or classes that are named for one finding. */
const maxItems = 6;

/**
 * Writes a report as one HTML page that needs nothing else: pictures, figures and plotly.js are in it, and its content
 * security policy forbids it to load anything.
 *
 * @param input The run and what is known about it; sections without input are left out.
 * @returns The page.
 */
export async function reportPage(input: ReportInput): Promise<string> {
  const { run, evaluation, inspection } = input;
  const title = inspection ? `${run.model.id} on ${inspection.name}` : run.model.id;
  const sections = [
    ...(run.lr ? [searchSection(run.lr)] : []),
    await trainingSection(run),
    ...(evaluation ? await evaluationSections(evaluation) : []),
    ...(inspection ? [dataSection(inspection)] : []),
    recordSection("Recipe", { ...run.recipe, seed: run.seed }),
    recordSection("Environment", run.environment),
  ].filter((section) => section !== undefined);
  const policy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:";
  const page = html`
    <!doctype html>
    <html lang="en">
      <head><meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${rawHtml(policy)}">
    <meta name="viewport" content="width=device-width,initial-scale=1">
    <title>${title}</title>
    <style>${rawHtml(style)}</style>
    ${rawHtml(await plotlyScript())}
      </head>
      <body>
        <main>
    <header><h1>${title}</h1><p>${subtitle(input)}</p>${headlineHtml(
      evaluation ? evaluationHeadline(evaluation) : runHeadline(run),
    )}</header>
    ${sections}
        </main>
      </body>
    </html>
  `;
  return page.markup;
}

function subtitle({ run, inspection, date }: ReportInput): string {
  const sizes = inspection?.sets.map(({ set, pictures }) =>
    `${pictures} ${setNames[set]} pictures`.replace("  ", " ")
  );
  return [
    ...(sizes ?? []),
    plural(run.model.classNames.length, "class"),
    `${plural(run.history.length, "epoch")}, ${describeStop(run.stopped)}` +
    (run.durationSeconds === undefined ? "" : ` in ${formatDuration(run.durationSeconds)}`),
    date.toISOString().slice(0, 16).replace("T", " ") + " UTC",
  ].join(" · ");
}

function section(title: string, ...content: HtmlValue[]): Html {
  return html`<section><h2>${title}</h2>${content}</section>\n`;
}

function searchSection(search: SearchSummary): Html {
  const { trials, points, suggestion, reason } = search;
  return section(
    "Learning rate",
    html`<p>${
      suggestion === undefined
        ? "The search suggested none."
        : `The search suggested ${formatRate(suggestion)}.`
    } ${reason}</p>`,
    trials.length + points.length > 0 && figure(drawSearch(search)),
    trials.length > 0 && html`
      <details>
        <summary>Each trial</summary>
        <div class="scroll">${tableHtml(trialsTable(trials, suggestion))}</div>
      </details>
    `,
  );
}

function trainingSection(run: RunSummary): Html {
  const { best } = run;
  return section(
    "Training",
    html`<p>${
      best
        ? `The best epoch was ${best.epoch + 1} of ${run.history.length}, with ${
          percent(best.validationTop1)
        } of the validation pictures right.`
        : "No epoch was finished."
    }${
      run.checkpoint && html`
        Its weights are in <code>${run.checkpoint}</code>.
      `
    }</p>`,
    figure(runFigures(run).trainingCurves),
    html`
      <details>
        <summary>Each epoch</summary>
        <div class="scroll">${tableHtml(historyTable(run.history))}</div>
      </details>
    `,
  );
}

async function evaluationSections(evaluation: Evaluation): Promise<Html[]> {
  const figures = evaluationFigures(evaluation);
  const { mistakes, mistakeCount } = evaluation;
  const shown = mistakes.length < mistakeCount
    ? `The ${mistakes.length} worst of ${mistakeCount}`
    : `All ${mistakeCount}`;
  return [
    section("Which class is taken for which", figure(figures.confusionMatrix)),
    section(
      "Worst mistakes",
      html`<p>${shown}, by loss: how sure the model was of something else.</p>`,
      await mistakesGallery(mistakes),
    ),
    section(
      "Quality of each class",
      figure(figures.perClass),
      html`
        <details>
          <summary>All numbers</summary>
          <div class="scroll">${tableHtml(perClassTable(evaluation))}</div>
        </details>
      `,
    ),
    section(
      "Can its confidence be believed",
      figure(figures.reliability),
    ),
  ];
}

function dataSection(inspection: Inspection): Html {
  const { classNames, sets, findings } = inspection;
  return section(
    "Data",
    figure(
      classCounts(
        classNames,
        sets.map(({ set, perClass }) => ({ name: setNames[set] || "pictures", counts: perClass })),
      ),
    ),
    findings.map(findingHtml),
  );
}

function findingHtml({ severity, title, help, items }: Finding): Html {
  const more = items.length - maxItems;
  return html`<div class="finding ${severity}"><b>${title}</b><ul>${
    items.slice(0, maxItems).map(({ name, detail }) => html`<li>${name}: ${detail}</li>`)
  }${more > 0 && html`<li>and ${more} more</li>`}</ul><p>${help}</p></div>`;
}

function recordSection(title: string, record: object | undefined): Html | undefined {
  const entries: [string, unknown][] = Object.entries(record ?? {}).filter(([, value]) =>
    value !== undefined
  );
  if (entries.length === 0) return undefined;
  const show = (value: unknown) => typeof value === "string" ? value : JSON.stringify(value);
  return section(
    title,
    html`<dl>${
      entries.map(([name, value]) =>
        html`
          <dt>${name}</dt>
          <dd>${show(value)}</dd>
        `
      )
    }</dl>`,
  );
}

const figure = (one: Figure): Html => html`<div class="scroll">${rawHtml(one.htmlFragment())}</div>`;

const style = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #f3f5f7; color: #1f2933; font: 15px/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 980px; margin: 0 auto; padding: 28px 20px 60px; }
header { margin: 8px 4px 22px; }
h1 { font-size: 27px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
header p { margin: 0 0 18px; color: #66727f; }
section { background: #fff; border: 1px solid #e3e8ec; border-radius: 10px; padding: 18px 24px 20px; margin: 0 0 18px; }
h2 { font-size: 18px; margin: 0 0 8px; }
p { margin: 4px 0 12px; }
code { font-size: 13px; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
.figure { min-width: 520px; margin: 0 auto; }
summary { cursor: pointer; color: #0072b2; margin-top: 6px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 22px; margin: 0; font-size: 14px; }
dt { color: #66727f; }
.finding { border-left: 3px solid #66727f; padding: 2px 0 2px 14px; margin: 12px 0; font-size: 14px; }
.finding.problem { border-color: #d55e00; }
.finding.warning { border-color: #e69f00; }
.finding ul { margin: 2px 0; padding-left: 20px; }
.finding p { margin: 2px 0; color: #66727f; }
dd { margin: 0; overflow-wrap: anywhere; }
@media print { body { background: #fff; } section { break-inside: avoid; border: 0; padding: 0; } }
`;
