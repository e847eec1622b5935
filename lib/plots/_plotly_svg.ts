/** plotly.js without a browser: jsdom for the document, measured text, a tiny canvas; out comes an SVG. */
import { Buffer } from "node:buffer";
import { loadFont } from "./_font.ts";
import { boxOf, lengthOf, lineWidthOf, pointAtLength, screenBoxOf, screenMatrixOf } from "./_svg_geometry.ts";
import type { Box, SvgElement } from "./_svg_geometry.ts";
import { outlineText } from "./_text_outlines.ts";
import { asTinyCanvas } from "./_tiny_canvas.ts";
import type { FigureSpec } from "./figure.ts";

interface PlotlyModule {
  newPlot(element: unknown, data: unknown, layout: unknown, config: unknown): Promise<unknown>;
  purge(element: unknown): void;
  Snapshot: { toSVG(element: unknown, format: "svg", scale: number): string };
}

interface PlotlyPage {
  Plotly: PlotlyModule;
  // deno-lint-ignore no-explicit-any
  window: any;
}

let page: Promise<PlotlyPage> | undefined;
let source: Promise<string> | undefined;

/** The text of plotly.js (traces on Cartesian axes only), for pages that carry it with them. */
export function plotlySource(): Promise<string> {
  return source ??= import("npm:plotly.js-cartesian-dist-min@4.1.1/plotly-cartesian.min.js", {
    with: { type: "text" },
  }).then((module) => module.default as unknown as string);
}

/**
 * Draws a figure.
 *
 * @param figure Data and layout; `layout.width` and `layout.height` are set, in pixels.
 * @param options `outlines`: whether text becomes outlines, for drawing where fonts may be missing.
 * @returns The SVG document as text.
 */
export async function renderSvg(figure: FigureSpec, options: { outlines: boolean }): Promise<string> {
  const { Plotly, window } = await (page ??= openPage());
  const { document } = window;
  const { width, height } = figure.layout;
  const element = document.createElement("div");
  element.style.width = `${width}px`;
  element.style.height = `${height}px`;
  document.body.appendChild(element);
  try {
    const { data, layout } = structuredClone(figure); // plotly writes into what it is given
    await Plotly.newPlot(element, data, layout, { staticPlot: true });
    // Plotly marks font names to get rid of their quotes, and jsdom has taken the quotes away already.
    const svg = Plotly.Snapshot.toSVG(element, "svg", 1).replaceAll("TOBESTRIPPED", "");
    return options.outlines ? outlineText(svg, new window.DOMParser()) : svg;
  } finally {
    Plotly.purge(element);
    element.remove();
  }
}

/** Evaluates plotly.js once in a jsdom window that can measure. */
async function openPage(): Promise<PlotlyPage> {
  const [{ JSDOM }, code] = await Promise.all([import("npm:jsdom@26.1.0"), plotlySource(), loadFont()]);
  const { window } = new JSDOM("<!doctype html><html><head></head><body></body></html>");
  teachToMeasure(window);
  const createElement = window.document.createElement.bind(window.document);
  window.document.createElement = (name: string, options?: unknown) => {
    const element = createElement(name, options);
    return name.toLowerCase() === "canvas" ? asTinyCanvas(element) : element;
  };
  window.URL.createObjectURL ??= () => "blob:none";
  window.URL.revokeObjectURL ??= () => {};
  window.matchMedia ??= () => ({
    matches: false,
    addListener() {},
    removeListener() {},
    addEventListener() {},
  });

  const requestAnimationFrame = (callback: (time: number) => void) =>
    setTimeout(() => callback(performance.now()), 0);
  const module: { exports: unknown } = { exports: {} };
  const globals: Record<string, unknown> = {
    module,
    exports: module.exports,
    window,
    self: window,
    document: window.document,
    navigator: window.navigator,
    getComputedStyle: window.getComputedStyle.bind(window),
    requestAnimationFrame,
    cancelAnimationFrame: clearTimeout,
    Buffer,
  };
  for (const name of browserClasses) globals[name] = window[name];
  new Function(...Object.keys(globals), code).apply(window, Object.values(globals));
  return { Plotly: module.exports as PlotlyModule, window };
}

const browserClasses = [
  "Image",
  "HTMLElement",
  "Element",
  "Node",
  "XMLSerializer",
  "DOMParser",
  "MutationObserver",
];

/** Gives the elements of a window the methods that need a layout engine, which jsdom is not. */
// deno-lint-ignore no-explicit-any
function teachToMeasure(window: any): void {
  const methods: Record<string, (this: SvgElement, argument: number) => unknown> = {
    getBBox() {
      return toRect(boxOf(this));
    },
    getBoundingClientRect() {
      if (this.namespaceURI === "http://www.w3.org/2000/svg") return toRect(screenBoxOf(this));
      const style = (this as unknown as { style?: { width: string; height: string } }).style;
      return toRect([0, 0, parseFloat(style?.width ?? "") || 0, parseFloat(style?.height ?? "") || 0]);
    },
    getComputedTextLength() {
      return lineWidthOf(this);
    },
    getTotalLength() {
      return lengthOf(this);
    },
    getPointAtLength(distance) {
      return pointAtLength(this, distance);
    },
    getScreenCTM() {
      const [a, b, c, d, e, f] = screenMatrixOf(this);
      return { a, b, c, d, e, f, inverse: () => ({ a: 1, b: 0, c: 0, d: 1, e: 0, f: 0 }) };
    },
  };
  for (const className of ["Element", "HTMLElement", "SVGElement", "SVGGraphicsElement", "SVGSVGElement"]) {
    const prototype = window[className]?.prototype;
    if (!prototype) continue;
    for (const [name, value] of Object.entries(methods)) {
      Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
    }
  }
}

function toRect(box: Box | undefined) {
  const [left, top, right, bottom] = box ?? [0, 0, 0, 0];
  return { x: left, y: top, left, top, right, bottom, width: right - left, height: bottom - top };
}
