/**
 * How every figure looks: white, quiet grid, left-aligned title with a grey line under it, colours that people with
 * any kind of colour vision can tell apart (Okabe and Ito, "Color Universal Design", 2008).
 */
import { onOneLine } from "../data/dataset_error.ts";
import type { Layout } from "./figure.ts";

/** Colours with a fixed meaning in all figures. */
export const colors = {
  /** Measured on the validation set; the one series of a figure with one. */
  validation: "#0072B2",
  /** The same, as an area behind marks. */
  validationLight: "#b3d1e8",
  /** Measured on the training batches. */
  training: "#E69F00",
  /** The same, single steps behind their mean. */
  trainingLight: "#f6dca6",
  /** Marks the best, the chosen, the right one. */
  highlight: "#009E73",
  /** Marks what went wrong. */
  error: "#D55E00",
  text: "#1f2933",
  mutedText: "#66727f",
  line: "#c9d1d9",
  grid: "#eceff2",
  background: "#ffffff",
} as const;

/** The fonts of figures, first the one that figures are measured with. */
export const fontFamily = "DejaVu Sans, Verdana, Segoe UI, Helvetica, Arial, sans-serif";

/**
 * The layout every figure starts from.
 *
 * @param title What the figure shows.
 * @param subtitle A line of context under it, e.g. the best value and where it is; `<br>` begins another.
 * @param size Width and height in pixels.
 * @returns A layout for plotly; spread it and add axes.
 */
export function baseLayout(
  title: string,
  subtitle: string,
  size: { width: number; height: number },
): Layout {
  return {
    ...size,
    title: {
      text: `<b>${escapeLabel(title)}</b>`,
      subtitle: {
        text: subtitle.split("<br>").map(escapeLabel).join("<br>"),
        font: { size: 12, color: colors.mutedText },
      },
      font: { size: 16, color: colors.text },
      x: 0,
      xref: "container",
      xanchor: "left",
      y: 1,
      yref: "container",
      yanchor: "top",
      pad: { t: 18, l: 20 },
    },
    font: { family: fontFamily, size: 12, color: colors.text },
    paper_bgcolor: colors.background,
    plot_bgcolor: colors.background,
    hoverlabel: { bgcolor: colors.background, bordercolor: colors.line, font: { color: colors.text } },
    margin: { l: 64, r: 24, t: 76, b: 56 },
    showlegend: false,
  };
}

/**
 * An axis in the style of all figures.
 *
 * @param title What the axis measures, with its unit.
 * @param options More of plotly's axis attributes; they win.
 * @returns An axis for plotly's layout.
 */
export function axis(title: string, options: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    title: { text: escapeLabel(title), font: { size: 12, color: colors.mutedText }, standoff: 10 },
    tickfont: { size: 11, color: colors.mutedText },
    gridcolor: colors.grid,
    linecolor: colors.line,
    showline: true,
    zeroline: false,
    ticks: "outside",
    tickcolor: colors.line,
    ticklen: 4,
    ticklabelstandoff: 2,
    ...options,
  };
}

/** Makes a user's text (a class name, a model id) safe where plotly reads a little HTML. */
export function escapeLabel(text: string): string {
  // Control characters are no XML, and so would be no SVG.
  return onOneLine(text.replaceAll(/\s+/g, " ")).replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

/** A text cut to a number of characters, with an ellipsis if something is missing. */
export function shorten(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : characters.slice(0, length - 1).join("") + "…";
}

/** A count with its noun, e.g. `1 picture`, `12 classes`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : noun.endsWith("s") ? "es" : "s"}`;
}
