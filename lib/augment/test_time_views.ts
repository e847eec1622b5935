import { resize } from "../data/resize.ts";
import { ofType, type OptionProblem } from "../errors/check_options.ts";
import type { Pixels } from "./augmentation.ts";
import { mirrored } from "./flip.ts";

/** Which views of each picture are looked at beside the picture itself. */
export interface TestTimeAugmentation {
  /** The mirrored picture, and of each crop the mirrored one too. @default {true} */
  readonly flip?: boolean;
  /** Slight crops: the four corners and the middle of the picture, an eighth enlarged. @default {false} */
  readonly crops?: boolean;
}

/** One way to look at a picture. */
export interface View {
  /** E.g. `original` or `top left, mirrored`. */
  readonly name: string;
  /** Pure; it keeps the size, and may return its input itself. */
  readonly of: (image: Pixels) => Pixels;
}

/** How much larger a picture is than its crops: as in {@linkcode randomCrop}. */
const enlargement = 1.125;

/** Where each crop lies, as shares of the room there is. */
const crops = {
  "top left": [0, 0],
  "top right": [1, 0],
  "bottom left": [0, 1],
  "bottom right": [1, 1],
  "middle": [0.5, 0.5],
};

/**
 * The views of test-time augmentation: by default the picture and its mirror image; with `crops` and `flip` five crops
 * and their mirror images too.
 *
 * @param option `true` for the default, which views, or `false` and `undefined` for none.
 * @returns The views, the picture itself first; none if none are asked for.
 * @see Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks (2012), 4.1: five
 * crops and their reflections
 *
 * @example
 * ```ts
 * import { testTimeViews } from "./test_time_views.ts";
 * console.log(testTimeViews(true).map(({ name }) => name)); // [ "original", "mirrored" ]
 * ```
 */
export function testTimeViews(option: boolean | TestTimeAugmentation | undefined): View[] {
  if (option === undefined || option === false) return [];
  const { flip = true, crops: cropped = false } = option === true ? {} : option;
  const views: View[] = [{ name: "original", of: (image) => image }];
  if (flip) views.push({ name: "mirrored", of: mirrored });
  for (const [name, place] of cropped ? Object.entries(crops) : []) {
    const of = (image: Pixels) => crop(image, place as [number, number]);
    views.push({ name, of });
    if (flip) views.push({ name: `${name}, mirrored`, of: (image) => mirrored(of(image)) });
  }
  return views;
}

/**
 * Tells what is wrong with a test-time augmentation that somebody asked for.
 *
 * @param option What it is called.
 * @param value What may be one.
 * @returns The problems.
 */
export function testTimeProblems(option: string, value: unknown): (OptionProblem | undefined)[] {
  if (value === undefined || typeof value === "boolean") return [];
  const names = ["flip", "crops"];
  const wanted = "true, or an object like { flip: true, crops: true }";
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [{ option, found: value, wanted, wrongType: true }];
  }
  const given = value as Record<string, unknown>;
  const unknown = Object.keys(given).filter((name) => !names.includes(name)).map((name) => ({
    option: `${option}.${name}`,
    found: given[name],
    wanted: `no other settings than ${names.join(", ")}`,
    wrongType: true,
  }));
  const isNothing = given["flip"] === false && !given["crops"];
  return [
    ...unknown,
    ...names.map((name) => ofType(`${option}.${name}`, given[name], "boolean")),
    isNothing ? { option, found: value, wanted: "flip, crops or both", wrongType: false } : undefined,
  ];
}

function crop({ width, height, data }: Pixels, [x, y]: readonly [number, number]): Pixels {
  const large = { width: Math.round(width * enlargement), height: Math.round(height * enlargement) };
  const left = Math.round(x * (large.width - width)), top = Math.round(y * (large.height - height));
  return {
    width,
    height,
    data: resize(data, { width, height }, large, "bilinear", { left, top, width, height }),
  };
}
