/**
 * Fine-tunes a model on labelled pictures: `deno run -A recipes/fine_tune.ts mobilenetv3_large_100 pets`.
 *
 * @module
 */
import { stringify } from "npm:yaml@2.9.1";
import { fineTune } from "../lib/fine_tune.ts";
import { wantedSearch } from "../lib/lr_finder/wanted_search.ts";
import { parseCheckpointMetadata } from "../lib/models/checkpoint_metadata.ts";
import { isWeightsPath } from "../lib/models/open_model.ts";
import { modelRecord } from "../lib/models/registry.ts";
import { readWeightsFile } from "../lib/models/weights/load_weights.ts";
import type { FineTuneOptions } from "../lib/training/fine_tune_options.ts";
import { settleRecipe } from "../lib/training/settle_recipe.ts";
import { dataHelp, openSplits } from "./_open_data.ts";
import { checkUsage, createCommand, exitCodes, runProgram } from "./_program.ts";
import { openProgress } from "./_progress.ts";
import { addRecipeFlags, namingFlags, optionsOf, type RecipeFlags } from "./_recipe_flags.ts";
import { tellOutcome } from "./_run_outcome.ts";

await runProgram(namingFlags(async () => {
  const command = createCommand("deno run -A recipes/fine_tune.ts")
    .description("Fine-tunes a model on labelled pictures.")
    .argument("<model>", "a model id like mobilenetv3_large_100, or a checkpoint")
    .argument("<data>", dataHelp)
    .option("--val <data>", "validation pictures (default: those of the folder, or a fifth)")
    .option("--output <folder>", "where checkpoints and logs go (default: outputs/<model>-<time>)")
    .option("--resume-from <folder>", "a run to go on with, bit for bit")
    .option("--find-lr", "look for the learning rate first; the adaptive recipe does without being told")
    .option("--dry-run", "print the resolved recipe, and train nothing");
  addRecipeFlags(command, "fineTune")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 2 an argument cannot be used, 130 stopped; the model is kept.",
    )
    .parse(Deno.args, { from: "user" });
  const [model, path] = command.args as [string, string];
  if (!isWeightsPath(model)) checkUsage(() => modelRecord(model));
  const flags = command.opts<
    & RecipeFlags
    & { val?: string; output?: string; resumeFrom?: string; findLr?: boolean; dryRun?: boolean }
  >();
  const options: FineTuneOptions = {
    ...await optionsOf(flags),
    ...(flags.findLr ? { findLR: true } : {}),
    ...(flags.output === undefined ? {} : { outputDir: flags.output }),
    ...(flags.resumeFrom === undefined ? {} : { resumeFrom: flags.resumeFrom }),
  };
  const { data, found } = await openSplits(path, flags.val, options.seed ?? 0);
  if (flags.dryRun) {
    const { train, validation, classNames } = data;
    console.log(
      `# ${model}; ${path}: ${classNames.length} classes, ${train.samples.length} training and ` +
        `${validation.samples.length} validation pictures; ${found}\n${await describe(model, options)}`,
    );
    return exitCodes.ok;
  }
  console.error(`${path}: ${found}`);
  const progress = openProgress();
  const run = await fineTune(model, data, { ...options, onEvent: (event) => progress.read(event) })
    .finally(() => progress.close());
  return tellOutcome(run);
}));

/** The recipe as `--config` reads it. */
async function describe(source: string, options: FineTuneOptions): Promise<string> {
  const id = isWeightsPath(source)
    ? parseCheckpointMetadata((await readWeightsFile(source)).metadata)?.model ?? source
    : source;
  const { learningRate, ...recipe } = settleRecipe(modelRecord(id), options);
  const { weights, imageSize, seed } = options;
  const search = wantedSearch(options);
  const shown = {
    ...recipe,
    ...(search === undefined
      ? { learningRate }
      : { findLR: Object.keys(search).length === 0 ? true : search }),
    weights,
    imageSize,
    seed,
  };
  return stringify(Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined)), {
    lineWidth: 0,
  })
    .trimEnd();
}
