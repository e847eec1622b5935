import type { ImageSource } from "../data/dataset.ts";
import { percent } from "../metrics/percent.ts";
import { jupyterDisplay, showOutputs } from "./display.ts";
import { type Html, html } from "./html.ts";
import { thumbnailUrl } from "./thumbnail.ts";

/** A class with its probability. */
interface RankedClass {
  readonly label: string;
  readonly probability: number;
}

/** Pictures that are shown; the result keeps no more of them in memory. */
const shownPictures = 24;
const shownClasses = 3;
const size = 112;

/**
 * Makes predictions show themselves in a notebook: each picture with its likeliest classes. They stay plain lists.
 *
 * @param predictions For each picture its likeliest classes, best first.
 * @param images The pictures.
 * @returns The same lists.
 */
export function withPredictionsView<T extends readonly (readonly RankedClass[])[]>(
  predictions: T,
  images: readonly ImageSource[],
): T {
  const shown = images.slice(0, shownPictures);
  const value = async () =>
    await showOutputs([{
      "text/html": (await predictionsHtml(predictions, shown)).markup,
      "text/plain": predictionsText(predictions),
    }], { "text/plain": "" });
  return Object.defineProperty(predictions, jupyterDisplay, { enumerable: false, configurable: true, value });
}

/** Predictions as text, a line a picture. */
export function predictionsText(predictions: readonly (readonly RankedClass[])[]): string {
  const lines = predictions.slice(0, shownPictures).map((classes) =>
    classes.slice(0, shownClasses).map(({ label, probability }) => `${label} ${percent(probability)}`).join(
      ", ",
    )
  );
  if (predictions.length > shownPictures) lines.push(`(and ${predictions.length - shownPictures} more)`);
  return lines.join("\n");
}

async function predictionsHtml(
  predictions: readonly (readonly RankedClass[])[],
  images: readonly ImageSource[],
): Promise<Html> {
  const cards: Html[] = [];
  for (const [index, image] of images.entries()) { // one at a time: pictures may be large
    cards.push(predictionCard(predictions[index]!, await thumbnailUrl(image, size)));
  }
  const more = predictions.length - images.length;
  return html`
    <div
      style="display:flex;flex-wrap:wrap;gap:16px 20px;font-family:system-ui,sans-serif;font-size:12px">${cards}</div>${more >
          0
        ? html`<p>and ${more} more</p>`
        : ""}
  `;
}

function predictionCard(classes: readonly RankedClass[], url: string | undefined): Html {
  const frame = `width:${size}px;height:${size}px;display:flex;align-items:center;justify-content:center;` +
    "background:rgba(128,140,150,.12);border-radius:6px;overflow:hidden;margin-bottom:6px";
  return html`
    <div style="width:180px;line-height:1.5">
      <div style="${frame}">${url
        ? html`<img src="${url}" alt="" style="max-width:100%;max-height:100%">`
        : "no picture"}</div>
      ${classes.slice(0, shownClasses).map((one, rank) => classLine(one, rank === 0))}
    </div>
  `;
}

/** The name of a class with its probability, and a bar as long as that. */
function classLine({ label, probability }: RankedClass, isBest: boolean): Html {
  const color = isBest ? "#0072B2" : "rgba(128,140,150,.6)";
  return html`<div style="display:flex;justify-content:space-between;gap:8px;${
    isBest ? "font-weight:600" : "opacity:.75"
  }">
<span style="overflow:hidden;text-overflow:ellipsis;white-space:nowrap" title="${label}">${label}</span>
<span style="font-variant-numeric:tabular-nums;white-space:nowrap">${percent(probability)}</span></div>
<div style="height:3px;width:${
    (100 * probability).toFixed(1)
  }%;background:${color};border-radius:2px"></div>`;
}
