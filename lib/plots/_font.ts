/**
 * The font of figures, DejaVu Sans, from its npm package: measuring it places titles, ticks and legends without a
 * browser, and its outlines make a PNG look the same on every machine, also where no font is installed.
 */
import opentype from "npm:opentype.js@1.3.4";

interface Weights {
  readonly regular: opentype.Font;
  readonly bold: opentype.Font;
}

let weights: Weights | undefined;

/** Reads the font; everything else here needs it read. */
export async function loadFont(): Promise<void> {
  weights ??= {
    regular: await readWeight(400),
    bold: await readWeight(700),
  };
}

/**
 * Width of one line of text.
 *
 * @param text The text, without line breaks.
 * @param fontSize Font size in pixels.
 * @param isBold Whether the text is bold.
 * @returns Width in pixels.
 */
export function textWidth(text: string, fontSize: number, isBold: boolean): number {
  const font = fontOf(isBold);
  let width = 0;
  for (const character of text) {
    width += hasGlyph(character) ? font.charToGlyph(character).advanceWidth! / font.unitsPerEm : 1; // another font draws it: mostly CJK and emoji, which are square
  }
  return width * fontSize;
}

/** Whether the font can draw a character. */
export function hasGlyph(character: string): boolean {
  return fontOf(false).charToGlyphIndex(character) > 0;
}

/**
 * The outline of one line of text.
 *
 * @param text The text, whose characters all have glyphs.
 * @param x Left end in pixels.
 * @param y Baseline in pixels.
 * @param fontSize Font size in pixels.
 * @param isBold Whether the text is bold.
 * @returns The `d` attribute of an SVG path.
 */
export function textOutline(text: string, x: number, y: number, fontSize: number, isBold: boolean): string {
  const font = fontOf(isBold);
  let outline = "";
  let left = x;
  for (const character of text) {
    const glyph = font.charToGlyph(character);
    outline += glyph.getPath(left, y, fontSize).toPathData(2);
    left += glyph.advanceWidth! / font.unitsPerEm * fontSize;
  }
  return outline;
}

function fontOf(isBold: boolean): opentype.Font {
  if (!weights) throw new Error("Cannot measure text: the font is not loaded");
  return isBold ? weights.bold : weights.regular;
}

async function readWeight(weight: 400 | 700): Promise<opentype.Font> {
  // Importing the package's JSON makes Deno fetch the package; the font is a file beside it.
  await import("npm:@fontsource/dejavu-sans@5.3.0/unicode.json", { with: { type: "json" } });
  const file = `npm:@fontsource/dejavu-sans@5.3.0/files/dejavu-sans-latin-${weight}-normal.woff`;
  const bytes = await Deno.readFile(new URL(import.meta.resolve(file)));
  return opentype.parse(bytes.buffer);
}
