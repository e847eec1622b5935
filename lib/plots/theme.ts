/**
 * How every figure looks: white, quiet grid, left-aligned title with a grey line under it, colours that people with
 * any kind of colour vision can tell apart (Okabe and Ito, "Color Universal Design", 2008).
 */
import type { Layout } from "./figure.ts";

/** Colours with a fixed meaning in all figures. */
export const colors = {
  /** Measured on the validation set; the one series of a figure with one. */
  validation: "#0072B2",
  /** Measured on the training batches. */
  training: "#E69F00",
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

/** White to dark blue: light is little. Even steps of lightness, after ColorBrewer's Blues. */
export const sequentialScale: readonly (readonly [number, string])[] = [
  [0, "#ffffff"],
  [0.1, "#e8f1fa"],
  [0.3, "#bcd7ee"],
  [0.5, "#7fb3dc"],
  [0.7, "#3f88c1"],
  [0.85, "#1a64a4"],
  [1, "#0b3f74"],
];

/** The fonts of figures, first the one whose widths are known without a browser. */
export const fontFamily = "DejaVu Sans, Verdana, Segoe UI, Helvetica, Arial, sans-serif";

/**
 * The layout every figure starts from.
 *
 * @param title What the figure shows.
 * @param subtitle One line of context under it, e.g. the best value and where it is.
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
      subtitle: { text: escapeLabel(subtitle), font: { size: 12, color: colors.mutedText } },
      font: { size: 16, color: colors.text },
      x: 0,
      xref: "paper",
      xanchor: "left",
      y: 1,
      yref: "container",
      yanchor: "top",
      pad: { t: 18 },
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
    ...options,
  };
}

/** Makes a user's text (a class name, a model id) safe where plotly reads a little HTML. */
export function escapeLabel(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    /\s+/g,
    " ",
  );
}

/** A ratio as a percentage for people, e.g. `93.4 %`. */
export function percent(ratio: number, digits = 1): string {
  return Number.isFinite(ratio) ? `${(ratio * 100).toFixed(digits)} %` : "n/a";
}
