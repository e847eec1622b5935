import { stringify } from "npm:yaml@2.9.1";
import type { DatasetSplits } from "../../lib/data/dataset.ts";
import { fineTune } from "../../lib/fine_tune.ts";
import { modelRecord } from "../../lib/models/registry.ts";
import { CheckpointError } from "../../lib/training/checkpoint.ts";
import { tensorboardLog } from "../../lib/training/readers/tensorboard_log.ts";
import { settleRecipe } from "../../lib/training/settle_recipe.ts";
import { readGPUs } from "../_machine.ts";
import { createCommand, exitCodes, runProgram } from "../_program.ts";
import { openProgress } from "../_progress.ts";
import { atLeastOne, atLeastZero, positive } from "../_flag_values.ts";
import { requireFile } from "../_require_file.ts";
import { tellOutcome } from "../_run_outcome.ts";
import type { KeyPath } from "../_yaml_file.ts";
import { origins } from "./_model_plan.ts";
import { listClasses, openTrainingPictures } from "./_pictures.ts";
import { readTemplate, type Template } from "./_template.ts";
import { settleTraining, type TrainFlags, type TrainSettings } from "./_train_settings.ts";
import { findWeights } from "./_weights.ts";

/**
 * The program `train.ts` of a working folder: fine-tunes the template's model.
 *
 * @param folder The folder of `template.yaml`.
 * @param args What stands after `train.ts`.
 */
export async function train(folder: string, args: readonly string[] = Deno.args): Promise<never> {
  return await runProgram(() => run(folder, args), {
    weights: "--load-weights <>",
    outputDir: "--save-checkpoints-to <>",
  });
}

async function run(folder: string, args: readonly string[]): Promise<number> {
  const template = await readTemplate(folder);
  const parsed = trainCommand(template).parse([...args], { from: "user" }).opts<TrainFlags>();
  const warn = (message: string) => console.error(`warning: ${message}`);
  const found = async (path?: string) => path && await findWeights(path, warn);
  const flags: TrainFlags = {
    ...parsed,
    loadWeights: await found(parsed.loadWeights),
    loadAuxWeights: await found(parsed.loadAuxWeights),
  };
  const settings = await settleTraining(template, flags, { gpus: (await readGPUs()).length });
  if (flags.loadAuxWeights) await requireFile("use", flags.loadAuxWeights);
  settings.warnings.forEach(warn);
  const data = await openTrainingPictures(flags, listClasses(flags.classes ?? ""));
  if (flags.dryRun) {
    console.log(describeRun(template, flags, settings, data));
    return exitCodes.ok;
  }
  return await trainModel(template, flags, settings, data);
}

function trainCommand({ name, summary, defaults, main, auxiliary }: Template) {
  const rate = main.search === undefined
    ? `default: ${defaults.learningRate}`
    : "without it the rate is searched";
  return createCommand("deno run -A train.ts")
    .description(`Fine-tunes ${name} on labelled pictures. ${summary}`)
    .requiredOption(
      "--train-data-roots <folders>",
      "training pictures: a folder with one folder a class; or several, with commas",
    )
    .option("--train-ann-files [files]", "annotation lists of the training pictures; '' for class folders")
    .requiredOption("--val-data-roots <folders>", "validation pictures, which choose the best epoch")
    .option("--val-ann-files [files]", "annotation lists of the validation pictures; '' for class folders")
    .option(
      "--save-checkpoints-to <folder>",
      "where best.safetensors, resume.safetensors and the logs go",
      "outputs",
    )
    .option("--load-weights <file>", "first weights: a run's folder, .safetensors or .pth")
    .option("--resume-from <folder>", "a run to go on with, bit for bit")
    .option("--epochs <n>", `the most epochs (default: ${defaults.epochs})`, atLeastOne)
    .option("--batch-size <n>", `pictures a step (default: ${defaults.batchSize})`, atLeastOne)
    .option("--base-learning-rate <x>", `the full learning rate (${rate})`, positive)
    .option(
      "--gpu-num <n>",
      `how many GPUs to use, where there are any (default: ${defaults.devices})`,
      atLeastZero,
    )
    .option("--classes <names>", "the classes and their order, with commas (default: the sorted folders)")
    .option(
      "--load-aux-weights <file>",
      `first weights of the auxiliary model${auxiliary.length === 0 ? ", which this template has not" : ""}`,
    )
    .option("--tensorboard-dir <folder>", "where TensorBoard's files go (default: beside the checkpoints)")
    .optionsGroup("Not in OpenVINO Training Extensions:")
    .option("--from-scratch", "begin with random weights")
    .option("--skip-unreadable", "leave out pictures that cannot be read, and warn of them")
    .option("--seed <n>", "decides order, augmentation and random weights", atLeastZero)
    .option("--dry-run", "show what would be trained, and train nothing")
    .addHelpText(
      "after",
      `\nFlags count more than template.yaml, and that more than main_model.yaml.\n` +
        `Ctrl-C stops after the step and keeps the model; --resume-from goes on.\n` +
        `Exit codes: 0 done, 1 failed, 2 a flag or a setting cannot be used, 130 stopped.`,
    );
}

async function trainModel(
  template: Template,
  { resumeFrom, tensorboardDir }: TrainFlags,
  { start, weightsFrom, recipe, search, options }: TrainSettings,
  data: DatasetSplits,
): Promise<number> {
  console.error(`${template.name}, weights: ${weightsFrom}`);
  const progress = openProgress();
  const elsewhere = tensorboardDir === undefined ? undefined : tensorboardLog(tensorboardDir);
  const result = await fineTune(start.source, data, {
    ...options,
    recipe,
    ...(start.weights === undefined ? {} : { weights: start.weights }),
    ...(search === undefined ? {} : { findLR: search }),
    logs: template.tensorboard && elsewhere === undefined
      ? ["csv", "jsonl", "tensorboard"]
      : ["csv", "jsonl"],
    async onEvent(event) {
      await progress.read(event);
      await elsewhere?.(event);
    },
  }).catch((error) => {
    throw error instanceof CheckpointError && resumeFrom ? withPlaces(error, template) : error;
  }).finally(async () => {
    await progress.close();
    await elsewhere?.close();
  });
  if (result.stopped === "after-search") {
    console.log(result.lr);
    return exitCodes.ok;
  }
  return tellOutcome(result);
}

/** What `template.yaml` decides, and not `main_model.yaml`. */
const templateOrigins: Readonly<Record<string, KeyPath>> = {
  epochs: ["hyper_parameters", "basic", "epochs"],
  batchSize: ["hyper_parameters", "basic", "batch_size"],
  learningRate: ["hyper_parameters", "basic", "base_learning_rate"],
};

/** The differences of a run that is another one, with the places in the YAML files that ask for them. */
function withPlaces(error: CheckpointError, { main, files: [template] }: Template): CheckpointError {
  const message = error.message.replaceAll(/^ {2}([\w.]+): was .*$/gm, (line, field: string) => {
    const [file, path] = field in templateOrigins
      ? [template!, templateOrigins[field]]
      : [main.file, origins[field]];
    if (path === undefined) return line;
    const orFlag = field.startsWith("findLR.") ? "" : ", or its flag";
    return `${line} (${file.place(path)} ${path.join(".")}${orFlag})`;
  });
  return new CheckpointError(message, { cause: error });
}

/** What a run would do, as YAML. */
function describeRun(
  template: Template,
  { trainDataRoots, valDataRoots }: TrainFlags,
  { start, weightsFrom, recipe, search, options }: TrainSettings,
  data: DatasetSplits,
): string {
  const record = modelRecord(/[/\\]/.test(start.source) ? template.main.id : start.source);
  const { learningRate, ...settled } = settleRecipe(record, { recipe });
  return stringify({
    template: template.name,
    model: record.id,
    weights: weightsFrom,
    data: {
      classes: data.classNames,
      train: `${data.train.samples.length} pictures of ${trainDataRoots}`,
      validation: `${data.validation.samples.length} pictures of ${valDataRoots}`,
    },
    ...options,
    findLR: search ?? false,
    recipe: { ...settled, ...(search === undefined ? { learningRate } : {}) },
  }, { lineWidth: 0 }).trimEnd();
}
