import { type Command, Option } from "npm:commander@15.1.0";
import type { QuantizeOptions } from "../lib/quantization/quantize_options.ts";
import { type RangeChoice, rangeChoices } from "../lib/quantization/ranges.ts";
import { openSet } from "./_open_data.ts";
import { atLeastZero } from "./_flag_values.ts";

/** What the flags of {@linkcode addQuantizeFlags} were set to. */
export interface QuantizeFlags {
  readonly maxDrop?: number;
  readonly maxFloatLayers?: number;
  readonly target?: "any" | "vnni";
  readonly calibration?: string;
  readonly ranges?: RangeChoice;
  /** `false` where `--no-fine-tune` stands, else `true`. */
  readonly fineTune: boolean;
}

/** How errors that advise options of `quantize` name the flags for them. */
export const quantizeAdvice: Readonly<Record<string, string>> = {
  maxDrop: "--max-drop <>",
  calibration: "--calibration <>",
  fineTune: "--no-fine-tune",
  resumeFrom: "--resume-from <>",
};

/** Gives a command the flags that say how a model becomes int8, without those of fine-tuning. */
export function addQuantizeFlags(command: Command): Command {
  return command
    .option("--max-drop <share>", "the most that top-1 may fall, 0..1 (default: 0.01)", Number)
    .option(
      "--max-float-layers <n>",
      "the most layers that go back to float for it (default: half)",
      atLeastZero,
    )
    .addOption(
      new Option("--target <name>", "processors: any (7-bit weights, the default) or vnni (8-bit)")
        .choices(["any", "vnni"]),
    )
    .option(
      "--calibration <n or pictures>",
      "what ranges are found with: so many training pictures, or a folder (default: 300)",
    )
    .addOption(new Option("--ranges <name>", "how ranges are chosen (default: auto)").choices(rangeChoices))
    .option("--no-fine-tune", "post-training quantisation only");
}

/**
 * The options that flags ask for.
 *
 * @param flags What the user wrote.
 * @param classNames Classes of the model, for calibration pictures.
 * @returns Options of `quantize`.
 * @throws {DatasetError} If there are no calibration pictures where they should be.
 */
export async function quantizeOptionsOf(
  flags: QuantizeFlags,
  classNames: readonly string[] | undefined,
): Promise<QuantizeOptions> {
  const { maxDrop, maxFloatLayers, target, calibration, ranges, fineTune } = flags;
  const isCount = calibration !== undefined && calibration.trim() !== "" &&
    !Number.isNaN(Number(calibration));
  const options: QuantizeOptions = {
    maxDrop,
    maxFloatLayers,
    target,
    ranges,
    calibration: calibration === undefined
      ? undefined
      : isCount
      ? Number(calibration)
      : await openSet(calibration, classNames),
    ...(fineTune ? {} : { fineTune }),
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
