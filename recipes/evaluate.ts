/**
 * Measures a model on labelled pictures: `deno run -A recipes/evaluate.ts outputs/pets/best.safetensors pets/val`.
 *
 * @module
 */
import { predictionsPathProblem } from "../lib/metrics/predictions_file.ts";
import { Option } from "npm:commander@15.1.0";
import { isWeightsPath } from "../lib/models/open_model.ts";
import { isExportedPath } from "../lib/runtimes/exported_file.ts";
import { messageOf } from "./_check_fields.ts";
import { openSet } from "./_open_data.ts";
import { createCommand, exitCodes, runProgram, UsageError } from "./_program.ts";
import { atLeastOne } from "./_flag_values.ts";
import { requireFile } from "./_require_file.ts";
import { showEvaluation } from "./_show_evaluation.ts";

await runProgram(async () => {
  const command = createCommand("deno run -A recipes/evaluate.ts")
    .description("Measures a model on labelled pictures.")
    .argument("<source>", "a run's best.safetensors, an exported .xml or .onnx, or a model id")
    .argument("<data>", "pictures: a folder of class folders, a .csv table or a .txt list")
    .option("--save-metrics-to <file>", "where metrics.yaml goes")
    .option("--save-predictions-to <file>", "where the predictions for each picture go: .csv or .json")
    .option("--batch-size <n>", "pictures a step", atLeastOne)
    .option("--skip-unreadable", "leave out pictures that cannot be read, and warn of them")
    .addOption(new Option("--device <name>", "what to compute on").choices(["auto", "cpu", "gpu"]))
    .addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 an argument cannot be used.")
    .parse(Deno.args, { from: "user" });
  const [source, path] = command.args as [string, string];
  const { skipUnreadable, ...options } = command.opts<
    {
      skipUnreadable?: boolean;
      saveMetricsTo?: string;
      savePredictionsTo?: string;
      batchSize?: number;
      device?: "auto" | "cpu" | "gpu";
    }
  >();
  const problem = predictionsPathProblem("--save-predictions-to", options.savePredictionsTo);
  if (problem !== undefined) throw new UsageError(`Cannot evaluate: ${messageOf(problem)}`);
  if (isWeightsPath(source) || isExportedPath(source)) await requireFile("evaluate", source);
  await showEvaluation(source, await openSet(path), {
    ...options,
    ...(skipUnreadable ? { onUnreadable: "skip" } : {}),
  });
  return exitCodes.ok;
});
