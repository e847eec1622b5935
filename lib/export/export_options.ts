import type { ImageSource } from "../data/dataset.ts";
import * as check from "../errors/check_options.ts";
import type { Device } from "../tensorflow/engine.ts";
import { type ExecutorChoice, executorChoices } from "../tensorflow/executor.ts";
import type { ExportInput } from "./export_metadata.ts";
import type { ParityLimits } from "./parity.ts";

/** What the verbs that export have in common. */
export interface ExportOptions {
  /**
   * How weights are stored. `fp16` halves the file; the runtime still computes in float32 unless told otherwise.
   * @default {"fp32"}
   */
  precision?: "fp32" | "fp16";
  /**
   * `embedded`: the file is fed values 0..255, and applies mean and standard deviation itself. `normalized`: whoever runs
   * it feeds `(x / 255 - mean) / std`.
   * @default {"embedded"}
   */
  preprocessing?: "embedded" | "normalized";
  /** Order of the channel planes that the file is fed. @default {"bgr"} */
  channelOrder?: "bgr" | "rgb";
  /** Whether the file takes any number of pictures at once; else one. @default {false} */
  dynamicBatch?: boolean;
  /** Pictures with which file and model are compared. @default {made-up ones} */
  pictures?: readonly ImageSource[];
  /** How far file and model may differ; `false`: they are not compared. @default {see ParityLimits} */
  parity?: boolean | ParityLimits;
  /** What runs the trained model. @default {"auto"} */
  device?: Device;
  /** What runs the trained model: `auto` takes oneDNN on CPUs it supports, else TensorFlow. @default {"auto"} */
  executor?: ExecutorChoice;
  /** Stops it: it throws the signal's reason, and no file is written. */
  signal?: AbortSignal;
}

const known = [
  "precision",
  "preprocessing",
  "channelOrder",
  "dynamicBatch",
  "pictures",
  "parity",
  "device",
  "executor",
  "signal",
] as const satisfies readonly (keyof ExportOptions)[];

/**
 * Refuses options that an exporting verb does not know or cannot use, all of them at once.
 *
 * @param verb Name of the verb.
 * @param options What the user passed.
 * @param more Names of options that only this verb has; it checks their values itself.
 * @throws {TypeError} If an option is not known or of a wrong type.
 * @throws {RangeError} If a value is out of range.
 */
export function checkExportOptions(verb: string, options: ExportOptions, more: readonly string[] = []): void {
  check.checkOptions(options, [...known, ...more], verb);
  const { pictures, parity } = options;
  const limits: ParityLimits = typeof parity === "object" ? parity : {};
  check.checkOptions(limits, ["maxRelativeDifference", "minTop1Agreement"], verb, "parity");
  const isList = pictures === undefined || Array.isArray(pictures);
  const wrong = (option: string, found: unknown, wanted: string) => ({
    option,
    found,
    wanted,
    wrongType: true,
  });
  check.checkValues(verb, [
    check.oneOf("precision", options.precision, ["fp32", "fp16"]),
    check.oneOf("preprocessing", options.preprocessing, ["embedded", "normalized"]),
    check.oneOf("channelOrder", options.channelOrder, ["bgr", "rgb"]),
    check.ofType("dynamicBatch", options.dynamicBatch, "boolean"),
    isList ? undefined : wrong("pictures", pictures, "a list of pictures"),
    parity === undefined || typeof parity === "boolean" || typeof parity === "object" && parity !== null
      ? undefined
      : wrong("parity", parity, "true, false or { maxRelativeDifference, minTop1Agreement }"),
    check.positiveNumber("parity.maxRelativeDifference", limits.maxRelativeDifference),
    check.ratio("parity.minTop1Agreement", limits.minTop1Agreement),
    check.oneOf("device", options.device, ["auto", "cpu", "gpu"]),
    check.oneOf("executor", options.executor, executorChoices),
  ]);
}

/**
 * What a file is to be fed.
 *
 * @param options The user's options.
 * @returns Order and kind of the values.
 */
export function inputOf({ channelOrder = "bgr", preprocessing = "embedded" }: ExportOptions): ExportInput {
  return { channelOrder, values: preprocessing === "embedded" ? "raw" : "normalized" };
}
