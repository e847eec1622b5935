/**
 * Which emoji are variants of one another. Unicode builds variants by rule: a skin tone follows the person it colours,
 * a gender or direction is joined on with U+200D, and "man", "woman" and "person" are three code points for one role.
 *
 * Source: Unicode Technical Standard #51, "Unicode Emoji", sections 2.3 (gender), 2.4 (skin tone) and 2.7 (groups).
 */

const JOINER = "200d";
const isPresentation = (part: string) => part === "fe0f" || part === "fe0e";
const isSkinTone = (part: string) => /^1f3f[b-f]$/.test(part);

/** What is joined on to a person and changes only how the person looks: gender, direction, hair. */
const MODIFIERS = new Set(["2640", "2642", "27a1", "1f9b0", "1f9b1", "1f9b2", "1f9b3"]);

/** Gendered code points and the neutral one that stands for all of them. */
const NEUTRAL: Readonly<Record<string, string>> = {
  "1f468": "1f9d1", // man -> person
  "1f469": "1f9d1", // woman
  "1f466": "1f9d2", // boy -> child
  "1f467": "1f9d2", // girl
  "1f474": "1f9d3", // old man -> older person
  "1f475": "1f9d3", // old woman
  "1f934": "1fac5", // prince -> person with crown
  "1f478": "1fac5", // princess
  "1f57a": "1f483", // man dancing -> woman dancing (there is no neutral one)
  "1f930": "1fac4", // pregnant woman -> pregnant person
  "1fac3": "1fac4", // pregnant man
  "1f9d4": "1f9d1", // person with beard -> person: hair is a look, not another emoji
  "1f471": "1f9d1", // person with blond hair
};

/** Emoji whose variants do not share a code point, and sequences that spell a single emoji out. */
const SAME: Readonly<Record<string, string>> = {
  "1f385": "santa", // Santa Claus
  "1f936": "santa", // Mrs. Claus
  "1f9d1-1f384": "santa", // Mx Claus
  "1f46b": "holding-hands", // woman and man
  "1f46c": "holding-hands", // men
  "1f46d": "holding-hands", // women
  "1f9d1-1f91d-1f9d1": "holding-hands", // people, each with a skin tone
  "1f9d1-2764-1f9d1": "1f491", // couple with heart
  "1f9d1-2764-1f48b-1f9d1": "1f48f", // kiss
  "1faf1-1faf2": "1f91d", // handshake, each hand with a skin tone
  "1f9d1-1f430-1f9d1": "1f46f", // people with bunny ears
  "1f9d1-1faef-1f9d1": "1f93c", // people wrestling
};

/**
 * Emoji that are not variants of one another but drawn alike: mirror images (training flips pictures) and drawings that
 * differ in a few pixels. The first of each row stands for all. Found by comparing all drawings as thumbnails of
 * 16 x 16 pixels, mirrored too, which a test repeats.
 */
const DRAWN_ALIKE: readonly (readonly string[])[] = [
  ["1f448", "1f449"], // backhand index pointing left, right
  ["1f91b", "1f91c"], // left-facing fist, right-facing fist
  ["1faf2", "1faf1"], // leftwards hand, rightwards hand
  ["1faf7", "1faf8"], // leftwards pushing hand, rightwards pushing hand
  ["1faf9", "1fafa"], // leftwards thumb sign, rightwards thumb sign
  ["1f31b", "1f31c"], // first quarter moon face, last quarter moon face
  ["1f312", "1f318"], // waxing crescent moon, waning crescent moon
  ["1f313", "1f317"], // first quarter moon, last quarter moon
  ["1f314", "1f316"], // waxing gibbous moon, waning gibbous moon
  ["2603", "26c4"], // snowman, snowman without snow
  ["1f4ac", "1f5e8"], // speech balloon, left speech bubble
  ["1f508", "1f509", "1f50a"], // speaker of low, medium, high volume
  ["1f50d", "1f50e"], // magnifying glass tilted left, right
  ["2b05", "27a1"], // left arrow, right arrow
  ["2196", "2197"], // up-left arrow, up-right arrow
  ["2199", "2198"], // down-left arrow, down-right arrow
  ["21a9", "21aa"], // right arrow curving left, left arrow curving right
  ["25c0", "25b6"], // reverse button, play button
  ["23ea", "23e9"], // fast reverse button, fast forward button
  ["23ee", "23ed"], // last track button, next track button
  ["25fc", "1f533"], // black medium square, white square button
  ["2721", "1f52f"], // star of David, dotted six-pointed star
];
const FIRST_ALIKE = new Map(DRAWN_ALIKE.flatMap((row) => row.slice(1).map((other) => [other, row[0]])));

/** One o'clock to half past twelve: one drawing with other hands. */
const isClockFace = (part: string) => part >= "1f550" && part <= "1f567" && part.length === 5;

const isFamilyMember = (part: string) => part === "1f9d1" || part === "1f9d2";

/**
 * The emoji that `codePoints` is a variant of. Two emoji with the same result are skin tones, genders, hair styles,
 * directions or family compositions of one emoji, or are drawn alike.
 *
 * @param codePoints Code points in lower-case hexadecimal joined by `-`, e.g. `1f469-1f3fd-200d-1f680`.
 * @returns A key that all variants share, e.g. `1f9d1-1f680` for every astronaut.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { baseEmoji } from "./_base_emoji.ts";
 *
 * assert.equal(baseEmoji("1f469-1f3fd-200d-1f680"), baseEmoji("1f9d1-200d-1f680")); // astronauts
 * assert.notEqual(baseEmoji("1f431"), baseEmoji("1f436")); // cat and dog
 * ```
 */
export function baseEmoji(codePoints: string): string {
  const parts = codePoints.split("-")
    .filter((part) => part !== JOINER && !isPresentation(part) && !isSkinTone(part))
    .map((part) => NEUTRAL[part] ?? part);
  // A modifier that stands alone is an emoji of its own (female sign, right arrow).
  const kept = parts.filter((part, index) => index === 0 || !MODIFIERS.has(part));
  if (kept.length > 1 && kept.every(isFamilyMember)) return "1f46a";
  if (kept.length === 1 && isClockFace(kept[0])) return "1f550";
  const key = kept.join("-");
  return SAME[key] ?? FIRST_ALIKE.get(key) ?? key;
}
