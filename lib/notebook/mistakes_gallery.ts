import type { Mistake } from "../metrics/evaluation.ts";
import { percent } from "../metrics/percent.ts";
import { shorten } from "../plots/theme.ts";
import { type Html, html } from "./html.ts";
import { thumbnailUrl } from "./thumbnail.ts";

/**
 * The worst mistakes of a model with small pictures: what it said, how sure it was, and what is right.
 *
 * @param mistakes The mistakes, worst first.
 * @param options `limit`: how many are shown. `size`: longest side of a picture in pixels.
 * @default {limit: 24, size: 112}
 * @returns The markup; it carries its pictures with it.
 */
export async function mistakesGallery(
  mistakes: readonly Mistake[],
  options: { limit?: number; size?: number } = {},
): Promise<Html> {
  const { limit = 24, size = 112 } = options;
  const shown = mistakes.slice(0, limit);
  const cards: Html[] = [];
  for (const mistake of shown) { // one at a time: pictures may be large
    cards.push(mistakeCard(mistake, mistake.image && await thumbnailUrl(mistake.image, size), size));
  }
  if (cards.length === 0) return html`<p>No mistakes.</p>`;
  return html`<div style="display:flex;flex-wrap:wrap;gap:14px 12px;font-family:system-ui,sans-serif">${cards}</div>`;
}

function mistakeCard(mistake: Mistake, url: string | undefined, size: number): Html {
  const frame = `width:${size}px;height:${size}px;display:flex;align-items:center;justify-content:center;` +
    "background:rgba(128,140,150,.12);border-radius:6px;overflow:hidden;font-size:11px;opacity:.9";
  const line = "overflow:hidden;text-overflow:ellipsis;white-space:nowrap";
  return html`
    <div style="width:${size + 14}px;font-size:12px;line-height:1.35" title="${mistake.name}">
      <div style="${frame}">${url
        ? html`<img src="${url}" alt="${mistake.name}" style="max-width:100%;max-height:100%">`
        : "no picture"}</div>
      <div style="${line};color:#D55E00;margin-top:4px"><b>${shorten(mistake.predicted, 40)}</b></div>
      <div style="${line};opacity:.65">${percent(mistake.probability)} sure</div>
      <div style="${line}">is <b style="color:#009E73">${shorten(mistake.label, 40)}</b></div>
    </div>
  `;
}
