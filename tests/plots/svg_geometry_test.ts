import assert from "node:assert/strict";
import { JSDOM } from "npm:jsdom@26.1.0";
import { loadFont, textOutline, textWidth } from "../../lib/plots/_font.ts";
import {
  boxOf,
  lengthOf,
  pointAtLength,
  screenBoxOf,
  type SvgElement,
} from "../../lib/plots/_svg_geometry.ts";

const { document } = new JSDOM("<!doctype html><body></body>").window;

/** The first element inside an `<svg>` with this content. */
function element(content: string): SvgElement {
  document.body.innerHTML = `<svg>${content}</svg>`;
  return document.body.firstElementChild!.firstElementChild!;
}

Deno.test("boxOf() measures shapes", () => {
  assert.deepEqual(boxOf(element(`<rect x="1" y="2" width="3" height="4"/>`)), [1, 2, 4, 6]);
  assert.deepEqual(boxOf(element(`<circle cx="5" cy="5" r="2"/>`)), [3, 3, 7, 7]);
  assert.deepEqual(boxOf(element(`<line x1="4" y1="1" x2="2" y2="3"/>`)), [2, 1, 4, 3]);
  assert.equal(boxOf(element(`<defs><rect width="9" height="9"/></defs>`)), undefined);
});

Deno.test("boxOf() reads absolute and relative path commands, and the control points of curves", () => {
  assert.deepEqual(boxOf(element(`<path d="M1,1h4v2l-1-1.5Z"/>`)), [1, 1, 5, 3]);
  assert.deepEqual(boxOf(element(`<path d="M0,0C0,10 20,10 20,0"/>`)), [0, 0, 20, 10]);
  assert.deepEqual(boxOf(element(`<path d="M1e1,0H-.5V2"/>`)), [-0.5, 0, 10, 2]);
  assert.equal(boxOf(element(`<path d=""/>`)), undefined);
});

Deno.test("boxOf() applies the transforms of children, screenBoxOf() those of ancestors too", () => {
  const group = element(
    `<g transform="translate(10,20)"><rect width="2" height="1" transform="rotate(90) scale(2)"/></g>`,
  );
  assert.deepEqual(boxOf(group)!.map((value) => Math.round(value) || 0), [-2, 0, 0, 4]);
  assert.deepEqual(screenBoxOf([...group.children][0])!.map(Math.round), [8, 20, 10, 24]);
});

Deno.test("lengthOf() and pointAtLength() follow a path", () => {
  const path = element(`<path d="M0,0L3,4L3,10"/>`);
  assert.equal(lengthOf(path), 11);
  assert.deepEqual(pointAtLength(path, 5), { x: 3, y: 4 });
  assert.deepEqual(pointAtLength(path, 7), { x: 3, y: 6 });
  assert.deepEqual(pointAtLength(path, 99), { x: 3, y: 10 });
});

Deno.test("boxOf() measures text by its font, size, weight and anchor", async () => {
  await loadFont();
  const width = textWidth("Whittle", 10, false);
  const box = (style: string) =>
    boxOf(element(`<text x="50" y="20" style="font-size: 10px; ${style}">Whittle</text>`))!;
  assert.deepEqual(box("").map(Math.round), [50, 11, Math.round(50 + width), 22]);
  assert.equal(box("text-anchor: end")[2], 50);
  assert.equal(box("text-anchor: middle")[0], 50 - width / 2);
  assert.ok(box("font-weight: bold")[2] > box("")[2]);
});

Deno.test("textWidth() equals the advance widths of DejaVu Sans, and takes a character it lacks for square", async () => {
  await loadFont();
  assert.equal(textWidth("AV", 2048, false), 1401 + 1401); // hmtx of DejaVuSans.ttf; no kerning
  assert.equal(textWidth("猫", 12, false), 12);
  assert.match(textOutline("i", 0, 0, 10, false), /^M[\d.-]+/);
});
