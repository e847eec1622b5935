import { Buffer } from "node:buffer";
import { extname } from "node:path";
import sharp from "npm:sharp@0.35.5";
import { writeFile } from "../files/write_file.ts";
import { plotlySource, renderSvg } from "./_plotly_svg.ts";

/** One plotly trace, e.g. `{ type: "scatter", x, y }`. Plain data. */
export type Trace = Readonly<Record<string, unknown>>;
/** A plotly layout with its size in pixels. Plain data. */
export type Layout = Readonly<Record<string, unknown>> & { readonly width: number; readonly height: number };
/** What plotly calls a figure: plain data. */
export interface FigureSpec {
  /** The traces. */
  readonly data: readonly Trace[];
  /** Axes, titles, size. */
  readonly layout: Layout;
}

/**
 * A plot as plain data that displays itself in a notebook and saves itself as HTML, SVG, PNG or JSON, without a
 * browser.
 *
 * @example Save a figure as SVG
 * ```ts
 * import assert from "node:assert/strict";
 * const figure = new Figure({ data: [{ type: "scatter", y: [1, 3, 2] }], layout: { width: 400, height: 300 } });
 * assert.match(await figure.svg(), /^<svg/);
 * ```
 */
export class Figure implements FigureSpec {
  /** The traces. */
  readonly data: readonly Trace[];
  /** The layout. */
  readonly layout: Layout;

  /**
   * Makes a figure of traces and a layout.
   *
   * @param spec Traces and layout in plotly's schema; typed arrays are allowed.
   */
  constructor(spec: FigureSpec) {
    // A copy that JSON holds as it is: typed arrays become arrays, values that are not numbers become null (a gap).
    const plain = JSON.stringify(spec, (key, value) => {
      if (key === "data" || key === "layout") return value;
      return ArrayBuffer.isView(value) ? Array.from(value as Float32Array) : value;
    });
    ({ data: this.data, layout: this.layout } = JSON.parse(plain) as FigureSpec);
  }

  /** The figure as plain data, in plotly's schema. */
  toJSON(): FigureSpec {
    return { data: this.data, layout: this.layout };
  }

  /** The figure as an SVG document. */
  svg(): Promise<string> {
    return renderSvg(this.toJSON(), { outlines: false });
  }

  /**
   * The figure as a PNG file.
   *
   * @param options `scale`: pixels of the file per pixel of the layout, above 0; 2 is sharp on most screens.
   * @default {2}
   * @returns The bytes of the file.
   */
  async png({ scale = 2 }: { scale?: number } = {}): Promise<Uint8Array> {
    if (!(scale > 0)) {
      throw new RangeError(`Cannot draw a PNG as 'scale' must be > 0: current value is ${scale}`);
    }
    const svg = Buffer.from(await renderSvg(this.toJSON(), { outlines: true }));
    return await sharp(svg, { density: 72 * scale }).flatten({ background: "#fff" })
      .png({ compressionLevel: 9, palette: true, dither: 0, effort: 7 }).toBuffer();
  }

  /** The figure as a `<div>` with a script that draws it; the page must have loaded plotly.js before. */
  htmlFragment(): string {
    const { width, height, ...layout } = this.layout;
    const id = `figure-${crypto.randomUUID()}`;
    const config = {
      responsive: true,
      displaylogo: false,
      modeBarButtons: [["zoom2d", "resetScale2d", "toImage"]],
    };
    const call = [this.data, { ...layout, height, autosize: true }, config].map(toScriptLiteral).join(",");
    return `<div id="${id}" class="figure" style="max-width:${width}px;height:${height}px"></div>` +
      `<script>Plotly.newPlot("${id}",${call})</script>`;
  }

  /** The figure as one interactive HTML page that needs no network. */
  async html(): Promise<string> {
    return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Figure</title>` +
      `${await plotlyScript()}</head>\n<body style="margin:0">${this.htmlFragment()}</body></html>\n`;
  }

  /**
   * Saves the figure; the file's extension chooses the form.
   *
   * @param path A path that ends in `.html`, `.svg`, `.png` or `.json`.
   * @returns When the file is in place.
   * @throws {RangeError} If the extension is another one.
   * @throws {Error} If the file cannot be written.
   */
  async save(path: string): Promise<void> {
    const writers: Record<string, () => Promise<string | Uint8Array>> = {
      ".html": () => this.html(),
      ".svg": () => this.svg(),
      ".png": () => this.png(),
      ".json": () => Promise.resolve(JSON.stringify(this) + "\n"),
    };
    const extension = extname(path).toLowerCase();
    const write = writers[extension];
    if (!write) {
      throw new RangeError(
        `Cannot save figure to ${JSON.stringify(path)}: unknown extension ${JSON.stringify(extension)}\n` +
          `  help: end the path in .html, .svg, .png or .json`,
      );
    }
    await writeFile(path, await write());
  }

  /**
   * The figure in the forms a notebook chooses from: interactive for plotly, a PNG for viewers without it (a code
   * host) and as long as the mouse is elsewhere, a line of text for those without both. The PNG has the size of the
   * layout: viewers draw it pixel by pixel.
   *
   * @returns The forms by MIME type.
   */
  async mimeBundle(): Promise<Record<string, string | object>> {
    return {
      "application/vnd.plotly.v1+json": this.toJSON(),
      "image/png": Buffer.from(await this.png({ scale: 1 })).toString("base64"),
      "text/plain": `Figure (${this.data.length} traces, ${this.layout.width} x ${this.layout.height})`,
    };
  }

  /** What a notebook shows. */
  [Symbol.for("Jupyter.display")](): Promise<Record<string, string | object>> {
    return this.mimeBundle();
  }
}

/** The `<script>` element that carries plotly.js into a page. */
export async function plotlyScript(): Promise<string> {
  // A script ends at the first "</script", also inside a string of the code.
  return `<script>${(await plotlySource()).replaceAll("</script", "<\\/script")}</script>`;
}

/** JSON as a JavaScript literal that cannot end the script element it stands in. */
function toScriptLiteral(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c").replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}
