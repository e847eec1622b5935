/**
 * Looks for a learning rate: `deno run -A recipes/find_lr.ts mobilenetv3_large_100 pets --recipe adaptive`.
 *
 * @module
 */
import { findLR } from "../lib/find_lr.ts";
import { openingOptions } from "../lib/lr_finder/find_lr_options.ts";
import { isWeightsPath } from "../lib/models/open_model.ts";
import { modelRecord } from "../lib/models/registry.ts";
import { dataHelp, openSplits } from "./_open_data.ts";
import { checkUsage, createCommand, exitCodes, runProgram } from "./_program.ts";
import { openProgress } from "./_progress.ts";
import { addRecipeFlags, namingFlags, optionsOf, type RecipeFlags } from "./_recipe_flags.ts";
import { addSearchFlags, type SearchFlags, searchOf } from "./_search_flags.ts";

await runProgram(namingFlags(async () => {
  const command = createCommand("deno run -A recipes/find_lr.ts")
    .description("Looks for a learning rate to fine-tune a model with.")
    .argument("<model>", "a model id like mobilenetv3_large_100, or a checkpoint")
    .argument("<data>", dataHelp)
    .option("--val <data>", "validation pictures (default: those of the folder, or a fifth)")
    .option("--output <folder>", "where the search's state goes (default: outputs/<model>-lr-<time>)")
    .option("--resume-from <folder>", "a search to go on with")
    .option("--dry-run", "print the options, and search nothing");
  addRecipeFlags(addSearchFlags(command), "findLR")
    .addHelpText(
      "after",
      "\nExit codes: 0 a rate is suggested, 1 none is or it failed, 2 an argument cannot be used, 130 stopped.",
    )
    .parse(Deno.args, { from: "user" });
  const [model, path] = command.args as [string, string];
  if (!isWeightsPath(model)) checkUsage(() => modelRecord(model));
  const flags = command.opts<
    RecipeFlags & SearchFlags & { val?: string; output?: string; resumeFrom?: string; dryRun?: boolean }
  >();
  const options = { ...openingOptions(await optionsOf(flags)), ...searchOf(flags) };
  const { data, found } = await openSplits(path, flags.val, options.seed ?? 0);
  if (flags.dryRun) {
    console.log(JSON.stringify({ model, data: path, ...options }, null, 1));
    return exitCodes.ok;
  }
  console.error(`${path}: ${found}`);
  const progress = openProgress();
  const result = await findLR(model, data, {
    ...options,
    ...(flags.output === undefined ? {} : { outputDir: flags.output }),
    ...(flags.resumeFrom === undefined ? {} : { resumeFrom: flags.resumeFrom }),
    onEvent: (event) => progress.read(event),
  }).finally(() => progress.close());
  console.log(result);
  if (result.stopped === "interrupted") return exitCodes.interrupted;
  return result.suggestion === undefined ? exitCodes.failed : exitCodes.ok;
}));
