/**
 * Turns a model into int8: `deno run -A recipes/quantize.ts outputs/pets pets --max-drop 0.01`.
 *
 * @module
 */
import { Option } from "npm:commander@15.1.0";
import { parseCheckpointMetadata } from "../lib/models/checkpoint_metadata.ts";
import { isWeightsPath } from "../lib/models/open_model.ts";
import { readWeightsFile } from "../lib/models/weights/load_weights.ts";
import { checkQuantizeOptions, type QuantizeOptions } from "../lib/quantization/quantize_options.ts";
import { dataHelp, openSplits } from "./_open_data.ts";
import { createCommand, exitCodes, runProgram } from "./_program.ts";
import { atLeastOne, atLeastZero, positive } from "./_flag_values.ts";
import {
  addQuantizeFlags,
  quantizeAdvice,
  type QuantizeFlags,
  quantizeOptionsOf,
} from "./_quantize_flags.ts";
import { namingFlags } from "./_recipe_flags.ts";
import { requireSource, sourceHelp } from "./_require_source.ts";
import { describeQuantize, runQuantize } from "./_run_quantize.ts";

/** What `quantize.ts` is told. */
interface Flags extends QuantizeFlags {
  readonly val?: string;
  readonly output?: string;
  readonly resumeFrom?: string;
  readonly learningRate?: number;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly seed?: number;
  readonly device?: "auto" | "cpu" | "gpu";
  readonly workers?: number;
  readonly skipUnreadable?: boolean;
  readonly dryRun?: boolean;
}

await runProgram(namingFlags(run), quantizeAdvice);

async function run(): Promise<number> {
  const command = createCommand("deno run -A recipes/quantize.ts")
    .description(
      "Turns a model into int8, so that its int8 file, run in OpenVINO, is hardly less accurate than the model.",
    )
    .argument("<source>", sourceHelp)
    .argument("<data>", `${dataHelp}; the ones it was trained on`)
    .option("--val <data>", "validation pictures (default: those of the folder, or a fifth)")
    .option("--output <folder>", "where best.safetensors goes (default: outputs/<model>-int8-<time>)")
    .option("--resume-from <folder>", "a fine-tuning that was stopped, to go on with")
    .option("--dry-run", "show what would be done, and do nothing");
  addQuantizeFlags(command.optionsGroup("Quantisation:"))
    .optionsGroup("Fine-tuning and machine:")
    .option(
      "--learning-rate <x>",
      "the first rate (default: 0.035 times that of the model's training)",
      positive,
    )
    .option("--epochs <n>", "the most epochs; it ends by itself (default: 200)", atLeastOne)
    .option("--batch-size <n>", "pictures a step (default: as the model was trained)", atLeastOne)
    .option("--seed <n>", "decides which pictures are taken, order and augmentation", atLeastZero)
    .addOption(new Option("--device <name>", "what fine-tuning computes on").choices(["auto", "cpu", "gpu"]))
    .option("--workers <n>", "pictures decoded at the same time", atLeastOne)
    .option("--skip-unreadable", "leave out pictures that cannot be read, and warn of them")
    .addHelpText(
      "after",
      "\nCtrl-C stops a fine-tuning after the step and keeps it; --resume-from goes on.\n" +
        "Exit codes: 0 done, 1 failed, or int8 cannot be had within --max-drop (every try is listed), 2 an argument\n" +
        "cannot be used, 130 stopped.",
    )
    .parse(Deno.args, { from: "user" });
  const [given, path] = command.args as [string, string];
  const flags = command.opts<Flags>();
  const source = await requireSource("quantise", given);
  const saved = isWeightsPath(source)
    ? parseCheckpointMetadata((await readWeightsFile(source)).metadata)
    : undefined;
  const options = { ...await quantizeOptionsOf(flags, saved?.classNames), ...machineOptions(flags) };
  checkQuantizeOptions(options);
  const { data, found } = await openSplits(path, flags.val, options.seed ?? 0, saved?.classNames);
  if (flags.dryRun) {
    console.log(describeQuantize({ source }, saved ?? { model: source }, data, options));
    return exitCodes.ok;
  }
  console.error(`${path}: ${found}`);
  return await runQuantize(source, data, options);
}

function machineOptions(flags: Flags): QuantizeOptions {
  const { output, resumeFrom, learningRate, epochs, batchSize, seed, device, workers, skipUnreadable } =
    flags;
  const options: QuantizeOptions = {
    outputDir: output,
    ...{ resumeFrom, learningRate, epochs, batchSize, seed, device, workers },
    onUnreadable: skipUnreadable ? "skip" : undefined,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
