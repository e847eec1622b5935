import type { Dataset, DatasetSplits } from "../data/dataset.ts";
import { onOneLine } from "../data/dataset_error.ts";
import {
  type Finding,
  type FindingItem,
  type Inspection,
  setsOf,
  type SetSummary,
} from "../data/inspect_data.ts";
import { classCounts } from "../plots/class_counts.ts";
import type { Figure } from "../plots/figure.ts";
import { plural } from "../plots/theme.ts";
import { type Displayed, type MimeBundle, withLook } from "./display.ts";
import { type Html, html } from "./html.ts";
import { type Table, tableHtml, tableText } from "./table.ts";
import { thumbnailUrl } from "./thumbnail.ts";

/** The figures of an inspection. */
export interface InspectionFigures {
  /** Pictures per class. */
  readonly classCounts: Figure;
}

const shownItems = 8, shownClasses = 40, examples = 4;
const setTitles = { data: "pictures", train: "training", validation: "validation", test: "test" } as const;
const marks = { problem: "✗", warning: "!", note: "·" } as const;
const colors = { problem: "#c62828", warning: "#b26a00", note: "#5f6b76" } as const;

/**
 * Makes an inspection show itself: in a notebook as tables with thumbnails, in a terminal as text.
 *
 * @param inspection The inspection.
 * @param data What was inspected, for the thumbnails.
 * @returns The same object.
 */
export function withInspectionView(
  inspection: Inspection,
  data: Dataset | DatasetSplits,
): Displayed<Inspection, InspectionFigures> {
  return withLook(inspection, {
    figures: ({ classNames, sets }) => ({
      get classCounts() {
        return classCounts(
          classNames,
          sets.map(({ set, perClass }) => ({ name: setTitles[set], counts: perClass })),
        );
      },
    }),
    outputs: async (inspection): Promise<MimeBundle[]> => [{
      "text/html": (await inspectionHtml(inspection, data)).markup,
      "text/plain": inspectionText(inspection),
    }],
    text: inspectionText,
  });
}

/**
 * An inspection as text.
 *
 * @param inspection The inspection.
 * @returns Lines for a terminal.
 */
export function inspectionText(inspection: Inspection): string {
  const lines = [summary(inspection), "", tableText(classTable(inspection)), ""];
  for (const { severity, title, help, items } of inspection.findings) {
    lines.push(`${marks[severity]} ${title}`);
    lines.push(
      ...items.slice(0, shownItems).map(({ name, detail }) => `    ${onOneLine(name)}: ${onOneLine(detail)}`),
    );
    if (items.length > shownItems) lines.push(`    (and ${items.length - shownItems} more)`);
    lines.push(`    help: ${help}`);
  }
  if (inspection.findings.length === 0) lines.push("Nothing is wrong.");
  return lines.join("\n");
}

/**
 * An inspection as HTML.
 *
 * @param inspection The inspection.
 * @param data What was inspected, for the thumbnails.
 * @returns The markup.
 */
export async function inspectionHtml(inspection: Inspection, data: Dataset | DatasetSplits): Promise<Html> {
  const findings = await Promise.all(inspection.findings.map((finding) => findingHtml(finding, data)));
  return html`
    <div style="font-family:system-ui,sans-serif;font-size:13px;max-width:980px">
      <div style="font-size:15px;margin:6px 0 10px">${summary(inspection)}</div>
      ${findings.length > 0
        ? findings
        : html`<div style="color:#009E73;margin:8px 0">Nothing is wrong.</div>`}
      ${await classesHtml(inspection, data)}
    </div>
  `;
}

function summary({ name, classNames, sets, findings }: Inspection): string {
  const parts = sets.map(({ set, pictures }) =>
    set === "data" ? plural(pictures, "picture") : `${pictures} ${setTitles[set]}`
  );
  const counts = (["problem", "warning", "note"] as const).map((severity) =>
    [findings.filter((finding) => finding.severity === severity).length, severity] as const
  ).filter(([count]) => count > 0).map(([count, severity]) => plural(count, severity));
  return `${onOneLine(name)}: ${parts.join(", ")}; ${plural(classNames.length, "class")}; ${sizes(sets)}; ` +
    (counts.length > 0 ? counts.join(", ") : "no problems");
}

function sizes(sets: readonly SetSummary[]): string {
  const { width, height } = sets[0];
  if (Number.isNaN(width.min)) return "no picture can be read";
  const same = width.min === width.max && height.min === height.max;
  return same
    ? `all ${width.min} x ${height.min} pixels`
    : `${width.min}-${width.max} x ${height.min}-${height.max} pixels, median ${width.median} x ${height.median}`;
}

/** The largest classes of the training set first. */
function classOrder({ classNames, sets }: Inspection): number[] {
  return [...classNames.keys()].sort((a, b) => sets[0].perClass[b] - sets[0].perClass[a] || a - b);
}

function classTable(inspection: Inspection): Table {
  const { classNames, sets } = inspection;
  const order = classOrder(inspection);
  const row = (
    label: number,
  ) => [classNames[label], ...sets.map(({ perClass }) => perClass[label])];
  // Of many classes the largest and the smallest are shown.
  const isLong = order.length > shownClasses;
  const rows = isLong
    ? [
      ...order.slice(0, shownClasses / 2).map(row),
      [`(${order.length - shownClasses} more)`, ...sets.map(() => "")],
      ...order.slice(-shownClasses / 2).map(row),
    ]
    : order.map(row);
  return {
    columns: [
      { name: "class" },
      ...sets.map(({ set }) => ({ name: setTitles[set], align: "right" as const })),
    ],
    rows,
  };
}

async function findingHtml(
  { severity, title, help, items }: Finding,
  data: Dataset | DatasetSplits,
): Promise<Html> {
  const shown = await Promise.all(items.slice(0, shownItems).map((item) => itemHtml(item, data)));
  const more = items.length - shown.length;
  return html`
    <div style="border-left:3px solid ${colors[severity]};padding:2px 0 4px 10px;margin:10px 0">
      <div style="font-weight:600"><span style="color:${colors[severity]}">${severity}</span> ${title}</div>
      <div style="opacity:.75;margin:1px 0 4px">${help}</div>
      <div style="display:flex;flex-wrap:wrap;gap:8px 18px">${shown}</div>
      ${more > 0 ? html`<div style="opacity:.75;margin-top:4px">and ${more} more</div>` : ""}
    </div>
  `;
}

async function itemHtml(
  { name, detail, pictures }: FindingItem,
  data: Dataset | DatasetSplits,
): Promise<Html> {
  const sets = new Map(setsOf(data));
  const urls = await Promise.all(
    pictures.map(({ set, index }) => thumbnailUrl(sets.get(set)!.samples[index].image, 96)),
  );
  return html`
    <div style="display:flex;gap:6px;align-items:center;max-width:460px">
      ${urls.map((url) => url ? thumbnail(url, 56) : "")}
      <div style="overflow-wrap:anywhere">
        <code>${onOneLine(name)}</code><br><span style="opacity:.75">${onOneLine(detail)}</span>
      </div>
    </div>
  `;
}

function thumbnail(url: string, size: number): Html {
  return html`
    <img src="${url}" alt=""
      style="width:${size}px;height:${size}px;object-fit:contain;background:#8882;flex:none">
  `;
}

/** Counts of the classes, each with a few of its pictures. */
async function classesHtml(inspection: Inspection, data: Dataset | DatasetSplits): Promise<Html> {
  const { classNames, sets } = inspection;
  if (classNames.length > shownClasses) return tableHtml(classTable(inspection));
  const [, { samples }] = setsOf(data)[0];
  const largest = Math.max(1, ...sets[0].perClass);
  const rows = await Promise.all(
    classOrder(inspection).map(async (label) => {
      const own = samples.filter((sample) => sample.label === label);
      const chosen = own.filter((_, i) => i % Math.ceil(own.length / examples) === 0).slice(0, examples);
      const urls = await Promise.all(chosen.map(({ image }) => thumbnailUrl(image, 80)));
      const cell = "padding:3px 14px 3px 0;border-bottom:1px solid #8883;vertical-align:middle;text-align:";
      return html`
        <tr>
          <td style="${cell}left">${onOneLine(classNames[label])}</td>
          ${sets.map(({ perClass }) =>
            html`<td style="${cell}right;font-variant-numeric:tabular-nums">${perClass[label]}</td>`
          )}
          <td style="${cell}left"><div style="background:#4c78a8;height:9px;width:${Math.round(
            120 * sets[0].perClass[label] / largest,
          )}px"></div></td>
          <td style="${cell}left"><div style="display:flex;gap:4px">${urls.map((url) =>
            url ? thumbnail(url, 40) : ""
          )}</div></td>
        </tr>
      `;
    }),
  );
  const head = "padding:3px 14px 3px 0;font-weight:600;border-bottom:1px solid #888;text-align:";
  return html`
    <table style="border-collapse:collapse;font-size:13px;margin:10px 0">
      <thead>
        <tr>
        <th style="${head}left">class</th>
        ${sets.map(({ set }) => html`<th style="${head}right">${setTitles[set]}</th>`)}
        <th style="${head}left"></th>
        <th style="${head}left">examples</th>
      </tr>
      </thead>
      <tbody>${rows}</tbody>
    </table>
  `;
}
