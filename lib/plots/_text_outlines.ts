import { hasGlyph, textOutline, textWidth } from "./_font.ts";
import {
  fontSizeOf,
  isBoldText,
  type SvgElement,
  textLines,
  toPixels,
  visibleText,
} from "./_svg_geometry.ts";

/** Attributes of `<text>` that only place it; the outlines are placed already. */
const placing = new Set(["x", "y", "dx", "dy", "text-anchor", "data-unformatted", "data-math"]);

/**
 * Replaces the text of an SVG by its outlines, so that drawing it needs no installed font. Text with characters that
 * the font lacks stays text.
 *
 * @param svg An SVG document that plotly made.
 * @param parser The `DOMParser` of a window.
 * @returns The same picture.
 */
// deno-lint-ignore no-explicit-any
export function outlineText(svg: string, parser: any): string {
  const document = parser.parseFromString(svg, "image/svg+xml");
  for (const text of [...document.querySelectorAll("text")]) {
    if (![...visibleText(text)].every(hasGlyph)) continue;
    const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
    for (const { name, value } of text.attributes) if (!placing.has(name)) group.setAttribute(name, value);
    for (const { line, left, baseline } of textLines(text)) {
      const pen = { x: left, y: baseline };
      for (const path of outlinesOf(line, text, pen, document)) group.appendChild(path);
    }
    text.replaceWith(group);
  }
  return document.documentElement.outerHTML;
}

/** The outlines of the text nodes under a node, one path each; moves the pen. */
// deno-lint-ignore no-explicit-any
function* outlinesOf(node: any, text: SvgElement, pen: { x: number; y: number }, document: any): Generator {
  for (const child of node.childNodes) {
    if (child.nodeType === 1) {
      pen.y += toPixels(child.getAttribute("dy"), fontSizeOf(child)); // <sub> and <sup> shift what follows
      yield* outlinesOf(child, text, pen, document);
      continue;
    }
    const content = visibleText(child), size = fontSizeOf(node), isBold = isBoldText(node);
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", textOutline(content, pen.x, pen.y, size, isBold));
    if (node !== text && node.hasAttribute("style")) path.setAttribute("style", node.getAttribute("style"));
    pen.x += textWidth(content, size, isBold);
    yield path;
  }
}
