/**
 * Widths of text without a browser: plotly places titles, ticks and legends by measuring them. The table holds the
 * advance widths of DejaVu Sans; the SVGs name that font first, and outlines of it are drawn into the PNGs.
 */
import widths from "./_dejavu_widths.json" with { type: "json" };

type WidthTable = Readonly<Record<string, number>>;
const regular: WidthTable = widths.regular;
const bold: WidthTable = widths.bold;

/** The width of a character that the table lacks, in thousandths of the font size: CJK and emoji are square. */
const missingWidth = (codePoint: number): number => codePoint >= 0x2e80 ? 1000 : 640;

/**
 * Width of one line of text.
 *
 * @param text The text, without line breaks.
 * @param fontSize Font size in pixels.
 * @param isBold Whether the text is bold.
 * @returns Width in pixels.
 */
export function textWidth(text: string, fontSize: number, isBold: boolean): number {
  const table = isBold ? bold : regular;
  let sum = 0;
  for (const character of text) sum += table[character] ?? missingWidth(character.codePointAt(0)!);
  return sum * fontSize / 1000;
}
