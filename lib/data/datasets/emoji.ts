import { createHash } from "node:crypto";
import { join } from "node:path";
import sharp from "npm:sharp@0.35.5";
import { checkOptions } from "../../errors/check_options.ts";
import { cacheFolder, installOnce } from "../../provision/cache.ts";
import type { Dataset, DatasetSplits } from "../dataset.ts";
import { listNames } from "../dataset_error.ts";
import { imageFolders } from "../image_folder.ts";
import { chooseEmoji, type ChosenEmoji } from "./_choose_emoji.ts";
import { EMOJI_PACKAGES, type EmojiDrawing, loadEmojiDrawings } from "./_emoji_sets.ts";

/** Raised when the same options begin to give other pictures, so that older folders are not opened again. */
const FORMAT = 2;
/** Pictures rendered at a time: enough to keep sharp's threads busy. */
const CONCURRENCY = 8;

/** The emoji's Unicode categories, all but flags. */
export const EMOJI_CATEGORIES: readonly string[] = [
  "Activities",
  "Animals & Nature",
  "Food & Drink",
  "Objects",
  "People & Body",
  "Smileys & Emotion",
  "Symbols",
  "Travel & Places",
];

/** Options of {@linkcode emojiPictures}. */
export interface EmojiPicturesOptions {
  /** Width and height of a picture in pixels, 16..1024. @default {128} */
  readonly size?: number;
  /**
   * The most pictures a class may have, all parts together; 20 or more. Every emoji comes first in one drawing, then in
   * its other style, skin tones and genders.
   *
   * @default {240}
   */
  readonly picturesPerClass?: number;
  /** The classes: two or more of {@linkcode EMOJI_CATEGORIES}. @default {all eight} */
  readonly categories?: readonly string[];
  /**
   * What is behind the drawings. `"varied"`: each has a colour of its own, so that colour and outline do not give the
   * class away; `"white"`: all are on white.
   *
   * @default {"varied"}
   */
  readonly background?: "varied" | "white";
  /** Decides which drawings are taken, which emoji are held out, and the colours. @default {0} */
  readonly seed?: number;
  /** Folder of rendered sets, each in a folder of its own. @default {`datasets` in the cache (`WHITTLE_CACHE`)} */
  readonly cache?: string;
  /** Called after each picture with how many of how many are rendered; never if they are in the cache. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops the rendering; nothing half-made is left behind. */
  readonly signal?: AbortSignal;
}

const KNOWN_OPTIONS: readonly (keyof EmojiPicturesOptions)[] = [
  "size",
  "picturesPerClass",
  "categories",
  "background",
  "seed",
  "cache",
  "onProgress",
  "signal",
];

/** Pictures of emoji in class folders. */
export interface EmojiPictures extends DatasetSplits {
  /** Emoji that neither training nor the choice of the best epoch has seen. */
  readonly test: Dataset;
  /** Where the pictures are: `train`, `val` and `test`, with a folder for each class, and `manifest.json`. */
  readonly folder: string;
}

/** One picture in `manifest.json`. */
interface ManifestEntry {
  /** Path inside the folder, e.g. `train/Food & Drink/red-apple.noto.png`. */
  readonly file: string;
  readonly sizeBytes: number;
  readonly codePoints: string;
  /** The emoji it is a variant of; all pictures of one base are in one part. */
  readonly base: string;
  readonly style: string;
}

/**
 * A real picture set without a download of data: emoji, drawn in two styles (Google's Noto Emoji and Microsoft's Fluent
 * Emoji, flat) and rendered, each on a colour of its own. The classes are the emoji's Unicode categories, such as
 * `Animals & Nature` and `Food & Drink`; flags are left out, and so is what only one of the sets draws or what they sort
 * differently.
 *
 * Which emoji is where is decided by base emoji: skin tones, genders, directions and both styles of one emoji are all in
 * training, all in validation or all in test (70 / 15 / 15 of a hundred). So what is measured is whether the network
 * knows an animal that it has never seen, not whether it knows the same drawing again.
 *
 * The drawings come from npm (9 MB, once) and are rendered into class folders once: see `folder`.
 *
 * @param options Size and number of the pictures, seed, cache.
 * @returns Splits over PNG files.
 * @throws {TypeError} If an option is unknown.
 * @throws {RangeError} If an option is out of range.
 * @throws {DatasetError} If the packages cannot be loaded.
 * @throws {LibraryError} If the cache cannot be written.
 *
 * @example
 * ```ts
 * import { emojiPictures } from "./emoji.ts";
 *
 * const data = await emojiPictures({ size: 96, picturesPerClass: 60 });
 * console.log(data.folder, data.classNames, data.train.samples.length);
 * ```
 */
export async function emojiPictures(options: EmojiPicturesOptions = {}): Promise<EmojiPictures> {
  checkOptions(options, KNOWN_OPTIONS, "emojiPictures");
  const { size = 128, picturesPerClass = 240, background = "varied", seed = 0 } = options;
  requireInteger("size", size, 16, 1024);
  requireInteger("picturesPerClass", picturesPerClass, 20, 10_000);
  requireInteger("seed", seed, 0, Number.MAX_SAFE_INTEGER);
  requireBackground(background);
  requireCategories(options.categories);
  const categories = EMOJI_CATEGORIES.filter((category) => options.categories?.includes(category) ?? true);

  const settings = {
    format: FORMAT,
    packages: EMOJI_PACKAGES,
    size,
    picturesPerClass,
    categories,
    background,
    seed,
  };
  const { path: folder } = await installOnce({
    cache: options.cache ?? join(cacheFolder(), "datasets"),
    name: `emoji_${size}px_${sha256(JSON.stringify(settings)).toString("hex").slice(0, 8)}`,
    isWhole,
    build: async (target) => {
      const drawings = (await loadEmojiDrawings()).filter(({ category }) => categories.includes(category));
      const chosen = chooseEmoji(drawings, picturesPerClass, seed);
      const colour = (drawing: EmojiDrawing) => background === "white" ? "#fff" : ownColour(drawing, seed);
      const pictures = await writePictures(target, chosen, size, colour, options);
      await Deno.writeTextFile(
        join(target, "manifest.json"),
        JSON.stringify({ ...settings, pictures }, null, 1) + "\n",
      );
    },
  });
  const { classNames, train, validation, test } = await imageFolders(folder);
  return {
    classNames,
    train: { ...train, name: "emoji/train" },
    validation: { ...validation, name: "emoji/val" },
    test: { ...test!, name: "emoji/test" },
    folder,
  };
}

/** Renders every chosen drawing into its class folder, and lists them. */
async function writePictures(
  folder: string,
  chosen: readonly ChosenEmoji[],
  size: number,
  colour: (drawing: EmojiDrawing) => string,
  { onProgress, signal }: EmojiPicturesOptions,
): Promise<ManifestEntry[]> {
  const classFolders = new Set(chosen.map(({ part, drawing }) => join(folder, part, drawing.category)));
  for (const classFolder of classFolders) await Deno.mkdir(classFolder, { recursive: true });

  const entries: ManifestEntry[] = [];
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < chosen.length) {
      signal?.throwIfAborted();
      const index = next++;
      const { drawing, part } = chosen[index];
      const { name, style, category, codePoints, base } = drawing;
      const png = await render(drawing, size, colour(drawing));
      const file = `${part}/${category}/${name}.${style}.png`;
      await Deno.writeFile(join(folder, file), png);
      entries[index] = { file, sizeBytes: png.length, codePoints, base, style };
      onProgress?.(++done, chosen.length);
    }
  };
  const stopOthers = (error: unknown) => {
    next = chosen.length;
    throw error;
  };
  // All workers have ended before this returns or throws: nobody writes into a folder that is being removed.
  const ends = await Promise.allSettled(
    Array.from({ length: CONCURRENCY }, () => worker().catch(stopOthers)),
  );
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return entries;
}

/** One drawing on a colour (as CSS writes it), as the bytes of an RGB PNG file of `size` x `size` pixels. */
async function render(drawing: EmojiDrawing, size: number, colour: string): Promise<Uint8Array> {
  // librsvg scales the drawing itself, so that it is sharp at every size.
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
    `width="${size}" height="${size}" viewBox="${drawing.viewBox}">${drawing.body}</svg>`;
  return await sharp(new TextEncoder().encode(svg))
    .flatten({ background: colour })
    .removeAlpha()
    .png({ compressionLevel: 6 })
    .toBuffer();
}

/** A colour for what is behind a drawing: any hue, not garish, rather light than dark. */
function ownColour({ codePoints, style }: EmojiDrawing, seed: number): string {
  const [hue, saturation, lightness] = sha256(`${seed} ${style} ${codePoints}`);
  const between = (least: number, most: number, byte: number) =>
    Math.round(least + (most - least) * byte / 255);
  return `hsl(${between(0, 359, hue)}, ${between(10, 60, saturation)}%, ${between(35, 95, lightness)}%)`;
}

/** Whether every picture that the manifest lists is there, with its size. */
async function isWhole(folder: string): Promise<boolean> {
  try {
    const manifest: { pictures: ManifestEntry[] } = JSON.parse(
      await Deno.readTextFile(join(folder, "manifest.json")),
    );
    const isThere = manifest.pictures.map(async ({ file, sizeBytes }) =>
      (await Deno.stat(join(folder, file))).size === sizeBytes
    );
    return (await Promise.all(isThere)).every(Boolean);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return false;
    throw error;
  }
}

function sha256(text: string) {
  return createHash("sha256").update(text).digest();
}

function requireInteger(option: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(
    `Cannot make the emoji pictures: ${option} must be a whole number from ${least} to ${most}: current value is ${value}`,
  );
}

function requireBackground(background: string): void {
  if (background === "varied" || background === "white") return;
  throw new RangeError(
    `Cannot make the emoji pictures: background must be "varied" or "white": current value is "${background}"`,
  );
}

function requireCategories(categories: readonly string[] = EMOJI_CATEGORIES): void {
  const unknown = categories.filter((category) => !EMOJI_CATEGORIES.includes(category));
  if (unknown.length === 0 && new Set(categories).size >= 2) return;
  throw new RangeError(
    `Cannot make the emoji pictures: ` +
      (unknown.length > 0
        ? `there is no category ${listNames(unknown)}`
        : `categories must be two or more: current value is [${listNames(categories)}]`) +
      `\n  help: the categories are ${listNames(EMOJI_CATEGORIES)}`,
  );
}
