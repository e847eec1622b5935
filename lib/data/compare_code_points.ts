/**
 * Compares texts as Python's `sorted()` does: by code point.
 *
 * @param a A text.
 * @param b Another.
 * @returns Negative if `a` comes first, positive if `b` does, 0 if they are equal.
 */
export function compareCodePoints(a: string, b: string): number {
  if (a === b) return 0;
  let at = 0;
  while (at < a.length && at < b.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)]; // NaN past the end
  if (at >= a.length || at >= b.length) return a.length - b.length;
  const isSurrogate = (unit: number) => unit >= 0xd800 && unit < 0xe000;
  // Surrogate halves stand for code points above U+FFFF, but compare as less than U+E000.
  if (isSurrogate(left) !== isSurrogate(right)) return isSurrogate(left) ? 1 : -1;
  return left - right;
}
