import type { ImageSource } from "../data/dataset.ts";
import { imagePaths } from "../data/image_paths.ts";
import * as check from "../errors/check_options.ts";
import type { OptionProblem } from "../errors/check_options.ts";
import type { ProvisionListener } from "../provision/events.ts";
import type { Device } from "../tensorflow/engine.ts";
import { type ExecutorChoice, executorChoices } from "../tensorflow/executor.ts";
import type { ExportInput } from "./export_metadata.ts";
import type { ParityLimits } from "./parity.ts";

/** Options that both exporters have. */
export interface ExportOptions {
  /**
   * `embedded`: the file takes raw values, 0..255, and applies mean and standard deviation itself. `normalized`: it takes
   * `(value / 255 - mean) / std`.
   * @default {"embedded"}
   */
  readonly preprocessing?: "embedded" | "normalized";
  /** Order of the channels of the planes that the file takes. @default {"bgr", as OpenCV decodes pictures} */
  readonly channelOrder?: "bgr" | "rgb";
  /**
   * Whether the file takes any number of pictures at once, or one.
   * @default {false}
   */
  readonly dynamicBatch?: boolean;
  /**
   * Pictures on which the file is compared with the trained model: several, or the path of a folder.
   * @default {8 made-up pictures, 100 for int8}
   */
  readonly pictures?: readonly ImageSource[] | string | URL;
  /** How far the file may be from the trained model, or `false` not to compare them. */
  readonly parity?: ParityLimits | false;
  /** What to compute the model on. @default {"auto"} */
  readonly device?: Device;
  /** What runs the model: `auto` takes oneDNN on CPUs it supports, else TensorFlow. @default {"auto"} */
  readonly executor?: ExecutorChoice;
  /** Told about downloads. @default {shows them} */
  readonly onProgress?: ProvisionListener;
  /** Stops it: it throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Names of the options that both exporters have. */
export const exportOptionNames: readonly (keyof ExportOptions)[] = [
  "preprocessing",
  "channelOrder",
  "dynamicBatch",
  "pictures",
  "parity",
  "device",
  "executor",
  "onProgress",
  "signal",
];

/**
 * Checks the options that both exporters have.
 *
 * @param options The options.
 * @param verb Name of the exporter.
 * @returns What does not fit, for `checkValues`.
 * @throws {TypeError} If `parity` has fields that are not known.
 */
export function exportOptionProblems(options: ExportOptions, verb: string): (OptionProblem | undefined)[] {
  const { parity, pictures } = options;
  const isObject = typeof parity === "object" && parity !== null;
  if (isObject) check.checkOptions(parity, ["maxRelativeDifference", "minTop1Agreement"], verb, "parity");
  const limits: ParityLimits = isObject ? parity : {};
  const arePictures = pictures === undefined || typeof pictures === "string" || pictures instanceof URL ||
    (Array.isArray(pictures) && pictures.length > 0);
  return [
    check.oneOf("preprocessing", options.preprocessing, ["embedded", "normalized"]),
    check.oneOf("channelOrder", options.channelOrder, ["bgr", "rgb"]),
    check.ofType("dynamicBatch", options.dynamicBatch, "boolean"),
    arePictures ? undefined : {
      option: "pictures",
      found: pictures,
      wanted: "a list of at least one picture, or the path of a folder",
      wrongType: !Array.isArray(pictures),
    },
    parity === undefined || parity === false || isObject
      ? undefined
      : { option: "parity", found: parity, wanted: "limits, or false", wrongType: true },
    check.nonNegativeNumber("parity.maxRelativeDifference", limits.maxRelativeDifference),
    check.share("parity.minTop1Agreement", limits.minTop1Agreement),
    check.oneOf("device", options.device, ["auto", "cpu", "gpu"]),
    check.oneOf("executor", options.executor, executorChoices),
    check.ofType("onProgress", options.onProgress, "function"),
  ];
}

/** What a file is fed, by the options. */
export function exportInputOf(options: ExportOptions): ExportInput {
  return {
    channelOrder: options.channelOrder ?? "bgr",
    values: options.preprocessing === "normalized" ? "normalized" : "raw",
  };
}

/**
 * The pictures of the options, one by one.
 *
 * @param pictures A list, or the path of a folder or picture.
 * @returns The list; `undefined` for none.
 * @throws {DatasetError} If a folder has no pictures.
 */
export async function exportPictures(
  pictures: ExportOptions["pictures"],
): Promise<readonly ImageSource[] | undefined> {
  if (pictures === undefined || Array.isArray(pictures)) {
    return pictures as readonly ImageSource[] | undefined;
  }
  const path = pictures as string | URL;
  const isFolder = await Deno.stat(path).then((info) => info.isDirectory, () => false);
  return isFolder ? await imagePaths(path) : [path];
}
