import { type Command, Option } from "npm:commander@15.1.0";
import type { ExportOptions } from "../lib/export/export_options.ts";
import { type ExecutorChoice, executorChoices } from "../lib/tensorflow/executor.ts";

/** What the flags of {@linkcode addExportFlags} were set to. */
export interface ExportFlags {
  readonly preprocessing?: "embedded" | "normalized";
  readonly channelOrder?: "bgr" | "rgb";
  readonly precision?: "fp32" | "fp16";
  readonly dynamicBatch?: boolean;
  readonly pictures?: string;
  readonly maxRelativeDifference?: number;
  readonly minTop1Agreement?: number;
  readonly device?: "auto" | "cpu" | "gpu";
  readonly executor?: ExecutorChoice;
}

/** How an error that advises the option `parity` names the flags for it. */
export const parityFlags = {
  parity: "--max-relative-difference <share>, for int8 also --min-top1-agreement <share>",
};

/**
 * Gives a command the flags of the comparison with the trained model, and how the file is made.
 *
 * @param command The command.
 * @returns The command.
 */
export function addCommonExportFlags(command: Command): Command {
  return command
    .addOption(new Option("--precision <name>", "how weights are stored").choices(["fp32", "fp16"]))
    .option("--dynamic-batch", "the file takes any number of pictures at once (default: one)")
    .option(
      "--pictures <folder>",
      "pictures on which the file is compared with the model (default: made-up ones)",
    )
    .option("--max-relative-difference <share>", "the most that logits may differ, of their range", Number)
    .option("--min-top1-agreement <share>", "the least share of pictures with the same class", Number);
}

/** Gives a command all flags that both exporters have. */
export function addExportFlags(command: Command): Command {
  return addCommonExportFlags(command)
    .addOption(
      new Option("--preprocessing <name>", "embedded: the file takes raw values, 0..255")
        .choices(["embedded", "normalized"]),
    )
    .addOption(
      new Option("--channel-order <name>", "of the planes that the file takes (default: bgr)")
        .choices(["bgr", "rgb"]),
    )
    .addOption(new Option("--device <name>", "what to compute the model on").choices(["auto", "cpu", "gpu"]))
    .addOption(new Option("--executor <name>", "what runs the model").choices(executorChoices));
}

/** The options that flags ask for. */
export function exportOptionsOf(
  flags: ExportFlags,
): ExportOptions & { readonly precision?: "fp32" | "fp16" } {
  const { preprocessing, channelOrder, precision, dynamicBatch, pictures, device, executor } = flags;
  const { maxRelativeDifference, minTop1Agreement } = flags;
  const limits = withoutUndefined({ maxRelativeDifference, minTop1Agreement });
  return withoutUndefined({
    ...{ preprocessing, channelOrder, precision, dynamicBatch, pictures, device, executor },
    parity: Object.keys(limits).length === 0 ? undefined : limits,
  });
}

function withoutUndefined<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T;
}
