/**
 * Sizes of SVG elements without a browser: what `getBBox`, `getBoundingClientRect`, `getTotalLength` and
 * `getScreenCTM` would answer. Exact for shapes, from the font for text; curves count as their control points.
 */
import { textWidth } from "./_font.ts";

/** `[left, top, right, bottom]`. */
export type Box = readonly [number, number, number, number];
/** `[a, b, c, d, e, f]` of SVG's `matrix()`: x' = a x + c y + e, y' = b x + d y + f. */
export type Matrix = readonly [number, number, number, number, number, number];
type Point = readonly [number, number];

/** The part of a DOM node that measuring reads. */
export interface SvgNode {
  readonly nodeType: number;
  readonly textContent: string | null;
  readonly parentElement: SvgElement | null;
  readonly childNodes: Iterable<SvgNode>;
}

/** The part of a DOM element that measuring reads. */
export interface SvgElement extends SvgNode {
  readonly nodeName: string;
  readonly namespaceURI: string | null;
  readonly children: Iterable<SvgElement>;
  readonly classList: { contains(name: string): boolean };
  getAttribute(name: string): string | null;
  hasAttribute(name: string): boolean;
}

const identity: Matrix = [1, 0, 0, 1, 0, 0];

/** The box of an element in its own user space, or undefined if it draws nothing. */
export function boxOf(element: SvgElement): Box | undefined {
  const n = (name: string) => numberAttribute(element, name);
  switch (element.nodeName.toLowerCase()) {
    case "text":
    case "tspan":
      return textBox(element);
    case "rect":
    case "image":
    case "foreignobject":
      return [n("x"), n("y"), n("x") + n("width"), n("y") + n("height")];
    case "circle":
      return [n("cx") - n("r"), n("cy") - n("r"), n("cx") + n("r"), n("cy") + n("r")];
    case "line":
      return boxOfPoints([[n("x1"), n("y1")], [n("x2"), n("y2")]]);
    case "path":
      return boxOfPoints(pathPoints(element.getAttribute("d") ?? ""));
    case "defs":
    case "clippath":
    case "title":
    case "style":
      return undefined;
  }
  let box: Box | undefined;
  for (const child of element.children) {
    box = union(box, transformBox(parseTransform(child.getAttribute("transform")), boxOf(child)));
  }
  return box;
}

/** The box of an element on the page: every transform of its ancestors applied. */
export function screenBoxOf(element: SvgElement): Box | undefined {
  return transformBox(screenMatrixOf(element), boxOf(element));
}

/** The product of the transforms of an element and its ancestors. */
export function screenMatrixOf(element: SvgElement): Matrix {
  let matrix = identity;
  for (let node: SvgElement | null = element; node; node = node.parentElement) {
    matrix = multiply(parseTransform(node.getAttribute("transform")), matrix);
  }
  return matrix;
}

/** The length of a path or line; curves count as chords. */
export function lengthOf(element: SvgElement): number {
  const points = outlinePoints(element);
  let length = 0;
  for (let i = 1; i < points.length; i++) length += distance(points[i - 1], points[i]);
  return length;
}

/** The point at a distance from the start of a path or line. */
export function pointAtLength(element: SvgElement, wanted: number): { x: number; y: number } {
  const points = outlinePoints(element);
  let length = 0;
  for (let i = 1; i < points.length; i++) {
    const from = points[i - 1], to = points[i], step = distance(from, to);
    if (step > 0 && length + step >= wanted) {
      const share = (wanted - length) / step;
      return { x: from[0] + share * (to[0] - from[0]), y: from[1] + share * (to[1] - from[1]) };
    }
    length += step;
  }
  const [x, y] = points.at(-1) ?? [0, 0];
  return { x, y };
}

/** The width of one line of text, whose nested tspans may change size and weight. */
export function lineWidthOf(node: SvgNode): number {
  if (node.nodeType === 3) {
    return textWidth(visibleText(node), fontSizeOf(node.parentElement), isBoldText(node.parentElement));
  }
  let width = 0;
  for (const child of node.childNodes) width += lineWidthOf(child);
  return width;
}

/** The box of a `<text>`. */
function textBox(element: SvgElement): Box | undefined {
  if (visibleText(element) === "") return undefined;
  const size = fontSizeOf(element);
  let box: Box | undefined;
  for (const { line, left, baseline } of textLines(element)) {
    // DejaVu Sans reaches 0.93 em above the baseline and 0.24 em below it.
    box = union(box, [left, baseline - size * 0.93, left + lineWidthOf(line), baseline + size * 0.24]);
  }
  return box;
}

/** The lines of a `<text>`, itself or plotly's `<tspan class="line">` children, and where each begins. */
export function textLines(text: SvgElement): { line: SvgElement; left: number; baseline: number }[] {
  const size = fontSizeOf(text);
  const anchor = inheritedStyle(text, "text-anchor");
  const spans = [...text.children].filter((child) => child.classList.contains("line"));
  return (spans.length > 0 ? spans : [text]).map((line) => {
    const own = (name: string) => line.hasAttribute(name) ? line : text;
    const width = lineWidthOf(line);
    const x = numberAttribute(own("x"), "x");
    return {
      line,
      left: anchor === "middle" ? x - width / 2 : anchor === "end" ? x - width : x,
      baseline: numberAttribute(own("y"), "y") + toPixels(line.getAttribute("dy"), size),
    };
  });
}

/** The font size in pixels; percentages and em are relative to the parent's (plotly's `<sub>` is 70%). */
export function fontSizeOf(element: SvgElement | null): number {
  if (!element) return 12;
  const own = ownStyle(element, "font-size");
  if (!own) return fontSizeOf(element.parentElement);
  if (own.endsWith("%")) return parseFloat(own) / 100 * fontSizeOf(element.parentElement);
  if (own.endsWith("em")) return parseFloat(own) * fontSizeOf(element.parentElement);
  return parseFloat(own);
}

/** Whether the text in an element is bold. */
export function isBoldText(element: SvgElement | null): boolean {
  return /bold|[6-9]00/.test(inheritedStyle(element, "font-weight") ?? "");
}

/** Points of a path: corners and control points of absolute and relative M L H V C S Q T A Z. */
function pathPoints(d: string): Point[] {
  const valuesPerCommand: Record<string, number> = { M: 2, L: 2, H: 1, V: 1, C: 6, S: 4, Q: 4, T: 2, A: 7 };
  const points: Point[] = [];
  let x = 0, y = 0, startX = 0, startY = 0;
  for (const [, command, text] of d.matchAll(/([a-zA-Z])([^a-zA-Z]*(?:e-?\d+[^a-zA-Z]*)*)/g)) {
    const kind = command.toUpperCase();
    const isRelative = command !== kind;
    if (kind === "Z") {
      [x, y] = [startX, startY];
      points.push([x, y]);
      continue;
    }
    const values = (text.match(/-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?/g) ?? []).map(Number);
    const stride = valuesPerCommand[kind];
    for (let i = 0; stride && i + stride <= values.length; i += stride) {
      const [fromX, fromY] = isRelative ? [x, y] : [0, 0];
      if (kind === "C" || kind === "S" || kind === "Q") { // control points bound the curve
        for (let k = i; k + 2 < i + stride; k += 2) points.push([fromX + values[k], fromY + values[k + 1]]);
      }
      if (kind === "H") x = fromX + values[i];
      else if (kind === "V") y = fromY + values[i];
      else [x, y] = [fromX + values[i + stride - 2], fromY + values[i + stride - 1]];
      if (kind === "M" && i === 0) [startX, startY] = [x, y];
      points.push([x, y]);
    }
  }
  return points;
}

function outlinePoints(element: SvgElement): Point[] {
  if (element.nodeName.toLowerCase() !== "line") return pathPoints(element.getAttribute("d") ?? "");
  const n = (name: string) => numberAttribute(element, name);
  return [[n("x1"), n("y1")], [n("x2"), n("y2")]];
}

function parseTransform(transform: string | null): Matrix {
  let matrix = identity;
  for (const [, name, list] of (transform ?? "").matchAll(/(\w+)\s*\(([^)]*)\)/g)) {
    const v = list.split(/[\s,]+/).filter(Boolean).map(Number);
    if (name === "translate") matrix = multiply(matrix, [1, 0, 0, 1, v[0] ?? 0, v[1] ?? 0]);
    else if (name === "scale") matrix = multiply(matrix, [v[0] ?? 1, 0, 0, v[1] ?? v[0] ?? 1, 0, 0]);
    else if (name === "matrix") matrix = multiply(matrix, v as unknown as Matrix);
    else if (name === "rotate") {
      const angle = (v[0] ?? 0) * Math.PI / 180, cos = Math.cos(angle), sin = Math.sin(angle);
      const x = v[1] ?? 0, y = v[2] ?? 0;
      for (const part of [[1, 0, 0, 1, x, y], [cos, sin, -sin, cos, 0, 0], [1, 0, 0, 1, -x, -y]]) {
        matrix = multiply(matrix, part as unknown as Matrix);
      }
    }
  }
  return matrix;
}

function multiply(a: Matrix, b: Matrix): Matrix {
  return [
    a[0] * b[0] + a[2] * b[1],
    a[1] * b[0] + a[3] * b[1],
    a[0] * b[2] + a[2] * b[3],
    a[1] * b[2] + a[3] * b[3],
    a[0] * b[4] + a[2] * b[5] + a[4],
    a[1] * b[4] + a[3] * b[5] + a[5],
  ];
}

function transformBox(m: Matrix, box: Box | undefined): Box | undefined {
  if (!box) return undefined;
  const [left, top, right, bottom] = box;
  const corners: Point[] = [[left, top], [right, top], [left, bottom], [right, bottom]];
  return boxOfPoints(corners.map(([x, y]) => [m[0] * x + m[2] * y + m[4], m[1] * x + m[3] * y + m[5]]));
}

function boxOfPoints(points: readonly Point[]): Box | undefined {
  let box: Box | undefined;
  for (const [x, y] of points) box = union(box, [x, y, x, y]);
  return box;
}

function union(a: Box | undefined, b: Box | undefined): Box | undefined {
  if (!a || !b) return a ?? b;
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
}

const distance = (a: Point, b: Point): number => Math.hypot(b[0] - a[0], b[1] - a[1]);

/** Text as drawn: plotly puts zero-width spaces into empty lines. */
export const visibleText = (node: SvgNode): string => (node.textContent ?? "").replaceAll("\u200b", "");

const numberAttribute = (element: SvgElement, name: string): number =>
  parseFloat(element.getAttribute(name) ?? "") || 0;

export const toPixels = (length: string | null, fontSize: number): number =>
  !length ? 0 : length.endsWith("em") ? parseFloat(length) * fontSize : parseFloat(length);

function ownStyle(element: SvgElement, name: string): string | undefined {
  const style = element.getAttribute("style") ?? "";
  return new RegExp(`(?:^|;)\\s*${name}\\s*:\\s*([^;]+)`).exec(style)?.[1]?.trim() ??
    element.getAttribute(name) ?? undefined;
}

function inheritedStyle(element: SvgElement | null, name: string): string | undefined {
  for (let node = element; node; node = node.parentElement) {
    const value = ownStyle(node, name);
    if (value) return value;
  }
  return undefined;
}
