import { DatasetError } from "../dataset_error.ts";
import { baseEmoji } from "./_base_emoji.ts";

/** An npm package of emoji drawings in Iconify's JSON format. */
export interface EmojiPackage {
  /** Name of the drawings' style in file names. */
  readonly style: string;
  /** The npm specifier, with the version. */
  readonly specifier: string;
  /** Its licence, as SPDX writes it. */
  readonly license: string;
}

/** The two styles. Versions are pinned: the same pictures everywhere. */
export const EMOJI_PACKAGES: readonly EmojiPackage[] = [
  { style: "noto", specifier: "npm:@iconify-json/noto@1.2.9", license: "Apache-2.0" },
  { style: "fluent", specifier: "npm:@iconify-json/fluent-emoji-flat@1.2.6", license: "MIT" },
];

/** Emoji that one of the sets draws like one of another category: grinning cats (the cat), yellow circle (full moon). */
const AMBIGUOUS = new Set(["1f63a", "1f638", "1f7e1"]);

/** One drawing of one emoji. */
export interface EmojiDrawing {
  /** Short name, e.g. `red-apple`. */
  readonly name: string;
  /** Name of its package's style. */
  readonly style: string;
  /** Category, e.g. `Food & Drink`. */
  readonly category: string;
  /** Code points in hexadecimal, joined by `-`. */
  readonly codePoints: string;
  /** What it is a variant of: see `baseEmoji`. */
  readonly base: string;
  /** What is inside the `<svg>` element. */
  readonly body: string;
  /** The `viewBox` attribute. */
  readonly viewBox: string;
}

/** The three files of an Iconify package that are read here, as far as they are. */
interface Icons {
  readonly icons: Readonly<Record<string, { body: string; width?: number; height?: number }>>;
  readonly width?: number;
  readonly height?: number;
}
type Characters = Readonly<Record<string, string>>;
interface Metadata {
  readonly categories: Readonly<Record<string, readonly string[]>>;
}

/**
 * Every drawing of the emoji that both sets draw and file under the same category: each emoji comes in two styles, and
 * no category is a matter of opinion.
 *
 * @param packages The sets.
 * @returns Drawings in the order of the packages' own lists.
 * @throws {DatasetError} If a package can neither be found in Deno's cache nor fetched.
 */
export async function loadEmojiDrawings(
  packages: readonly EmojiPackage[] = EMOJI_PACKAGES,
): Promise<EmojiDrawing[]> {
  const sets = await Promise.all(packages.map(loadSet));
  const categories = sets.map((set) => new Map(set.map((drawing) => [drawing.codePoints, drawing.category])));
  // The first set's names: the second names a few emoji otherwise.
  const names = new Map(sets[0].map((drawing) => [drawing.codePoints, drawing.name]));
  return sets.flat()
    .filter(({ codePoints, category }) =>
      !AMBIGUOUS.has(codePoints) &&
      categories.every((of) => of.get(codePoints) === category)
    )
    .map((drawing) => ({ ...drawing, name: names.get(drawing.codePoints)! }));
}

async function loadSet({ style, specifier }: EmojiPackage): Promise<EmojiDrawing[]> {
  const [icons, characters, { categories }] = await Promise.all([
    importJSON<Icons>(specifier, "icons.json"),
    importJSON<Characters>(specifier, "chars.json"),
    importJSON<Metadata>(specifier, "metadata.json"),
  ]);
  const codePointsOf = new Map(Object.entries(characters).map(([codePoints, name]) => [name, codePoints]));
  return Object.entries(categories).flatMap(([category, names]) =>
    names.flatMap((name) => {
      const codePoints = codePointsOf.get(name);
      const icon = icons.icons[name];
      if (codePoints === undefined || icon === undefined) return [];
      const { body, width = icons.width ?? 16, height = icons.height ?? 16 } = icon;
      const viewBox = `0 0 ${width} ${height}`;
      return [{ name, style, category, codePoints, base: baseEmoji(codePoints), body, viewBox }];
    })
  );
}

/**
 * A JSON file of an npm package. The specifier is put together here, so that Deno does not see it beforehand: the
 * packages (9 MB to fetch) come only when somebody asks for the pictures.
 */
async function importJSON<T>(specifier: string, file: string): Promise<T> {
  const path = `${specifier}/${file}`;
  try {
    return (await import(path, { with: { type: "json" } })).default;
  } catch (error) {
    throw new DatasetError(`Cannot load the emoji drawings: an npm package could not be imported`, {
      problems: [{ name: path, reason: (error as Error).message }],
      help: "run once with a network that reaches the npm registry; Deno keeps the package in its cache",
    });
  }
}
