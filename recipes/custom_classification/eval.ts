import { predictionsPathProblem } from "../../lib/metrics/predictions_file.ts";
import { messageOf } from "../_check_fields.ts";
import { createCommand, exitCodes, runProgram, UsageError } from "../_program.ts";
import { atLeastZero } from "../_flag_values.ts";
import { showEvaluation } from "../_show_evaluation.ts";
import { refuseProblems } from "../_yaml_file.ts";
import { listClasses, missingRoots, openPictures } from "./_pictures.ts";
import { readTemplate, type Template } from "./_template.ts";
import { findWeights, requireTrained } from "./_weights.ts";

/** What `eval.ts` is told. */
interface EvalFlags {
  readonly testAnnFiles?: string | true;
  readonly testDataRoots: string;
  readonly loadWeights: string;
  readonly saveMetricsTo: string;
  readonly saveOutputTo?: string;
  readonly classes?: string;
  readonly gpuNum?: number;
  readonly skipUnreadable?: boolean;
  readonly dryRun?: boolean;
}

/**
 * The program `eval.ts` of a working folder: measures a trained model and writes `metrics.yaml`.
 *
 * @param folder The folder of `template.yaml`.
 * @param args What stands after `eval.ts`.
 */
export async function evaluateModel(folder: string, args: readonly string[] = Deno.args): Promise<never> {
  return await runProgram(() => run(folder, args));
}

async function run(folder: string, args: readonly string[]): Promise<number> {
  const template = await readTemplate(folder);
  const flags = evalCommand(template).parse([...args], { from: "user" }).opts<EvalFlags>();
  const output = flags.saveOutputTo || undefined;
  const problem = predictionsPathProblem("--save-output-to", output);
  if (problem !== undefined) throw new UsageError(`Cannot evaluate: ${messageOf(problem)}`);
  const path = await findWeights(flags.loadWeights, (message) => console.error(`warning: ${message}`));
  const listed = listClasses(flags.classes ?? "");
  const { classNames } = await requireTrained("evaluate", path, template.main.id, listed);
  const lists = typeof flags.testAnnFiles === "string" ? flags.testAnnFiles : "";
  refuseProblems("Cannot open pictures", [], await missingRoots("--test", flags.testDataRoots));
  const data = await openPictures(
    { flag: "--test", roots: flags.testDataRoots, lists },
    lists === "" ? undefined : classNames,
  );
  if (flags.dryRun) {
    console.log(
      `weights: ${path}\nclasses: ${
        classNames.join(", ")
      }\ntest: ${data.name}: ${data.samples.length} pictures`,
    );
    console.log(`metrics: ${flags.saveMetricsTo}${output === undefined ? "" : `\npredictions: ${output}`}`);
    return exitCodes.ok;
  }
  await showEvaluation(path, data, {
    batchSize: template.main.testBatchSize,
    saveMetricsTo: flags.saveMetricsTo,
    ...(output === undefined ? {} : { savePredictionsTo: output }),
    ...(flags.gpuNum === 0 ? { device: "cpu" } : {}),
    ...(flags.skipUnreadable ? { onUnreadable: "skip" } : {}),
  });
  return exitCodes.ok;
}

function evalCommand({ name }: Template) {
  return createCommand("deno run -A eval.ts")
    .description(`Measures a trained ${name}: accuracies, mAP, size and work.`)
    .requiredOption(
      "--load-weights <file>",
      "what to measure: a run's folder, its best.safetensors, or an exported .xml or .onnx",
    )
    .requiredOption(
      "--test-data-roots <folders>",
      "pictures: a folder with one folder a class; or several, with commas",
    )
    .option("--test-ann-files [files]", "annotation lists of the pictures; '' for class folders")
    .requiredOption("--save-metrics-to <file>", "where metrics.yaml goes")
    .option("--save-output-to <file>", "where the predictions for each picture go: .csv or .json")
    .option("--classes <names>", "the classes, with commas; an error if they are not those of the weights")
    .option("--load-aux-weights <file>", "accepted and not used: only the main model is measured")
    .option("--gpu-num <n>", "0: the CPU computes (default: a GPU, where there is one)", atLeastZero)
    .optionsGroup("Not in OpenVINO Training Extensions:")
    .option("--skip-unreadable", "leave out pictures that cannot be read, and warn of them")
    .option("--dry-run", "show what would be measured, and measure nothing")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 2 a flag or a setting cannot be used.",
    );
}
