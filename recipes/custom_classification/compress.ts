import { basename, dirname, join, resolve } from "node:path";
import { describeValue } from "../../lib/errors/check_options.ts";
import { checkQuantizeOptions, type QuantizeOptions } from "../../lib/quantization/quantize_options.ts";
import type { AuxiliaryModel } from "../../lib/training/recipe.ts";
import { tensorboardLog } from "../../lib/training/readers/tensorboard_log.ts";
import { atLeastZero } from "../_flag_values.ts";
import { readGPUs } from "../_machine.ts";
import { createCommand, exitCodes, runProgram, UsageError } from "../_program.ts";
import {
  addQuantizeFlags,
  quantizeAdvice,
  type QuantizeFlags,
  quantizeOptionsOf,
} from "../_quantize_flags.ts";
import { namingFlags } from "../_recipe_flags.ts";
import { requireFile } from "../_require_file.ts";
import { describeQuantize, runQuantize } from "../_run_quantize.ts";
import { refuseProblems } from "../_yaml_file.ts";
import { listClasses, openTrainingPictures, type TrainingPictureFlags } from "./_pictures.ts";
import { readTemplate, type Template } from "./_template.ts";
import { auxiliaryModel, deviceOf } from "./_train_settings.ts";
import { findWeights, requireTrained } from "./_weights.ts";

/** What `compress.ts` is told; the reference's flags, and our own at the end. */
interface CompressFlags extends TrainingPictureFlags, QuantizeFlags {
  readonly loadWeights: string;
  readonly saveCheckpointsTo: string;
  readonly nncfQuantization?: boolean;
  readonly nncfPruning?: boolean;
  readonly nncfSparsity?: boolean;
  readonly nncfBinarization?: boolean;
  readonly resumeFrom?: string;
  readonly gpuNum?: number;
  readonly classes?: string;
  readonly loadAuxWeights?: string;
  readonly tensorboardDir?: string;
  readonly seed?: number;
  readonly skipUnreadable?: boolean;
  readonly dryRun?: boolean;
}

/**
 * The program `compress.ts` of a working folder: turns a trained model into int8, and fine-tunes it.
 *
 * @param folder The folder of `template.yaml`.
 * @param args What stands after `compress.ts`.
 */
export async function compress(folder: string, args: readonly string[] = Deno.args): Promise<never> {
  return await runProgram(namingFlags(() => run(folder, args)), {
    ...quantizeAdvice,
    outputDir: "--save-checkpoints-to <>",
  });
}

async function run(folder: string, args: readonly string[]): Promise<number> {
  const template = await readTemplate(folder);
  const flags = compressCommand(template).parse([...args], { from: "user" }).opts<CompressFlags>();
  const warn = (message: string) => console.error(`warning: ${message}`);
  if (!isWanted(template, flags)) {
    warn("nothing was done: no method was asked for. Pass --nncf-quantization");
    return exitCodes.ok;
  }
  const path = await findWeights(flags.loadWeights, warn);
  const saved = await requireTrained("compress", path, template.main.id, listClasses(flags.classes ?? ""));
  if (saved.quantization !== undefined) {
    throw new UsageError(
      `Cannot compress "${path}": it is int8 already\n` +
        `  help: pass the weights that train.ts wrote; compress.ts goes on with a run by --resume-from`,
    );
  }
  const options = await settle(template, flags, path, saved.classNames, warn);
  checkQuantizeOptions(options);
  const data = await openTrainingPictures(flags, saved.classNames);
  if (flags.dryRun) {
    console.log(describeQuantize({ template: template.name, weights: path }, saved, data, options));
    return exitCodes.ok;
  }
  console.error(`${template.name}, weights: ${path}`);
  const { tensorboardDir } = flags;
  const elsewhere = tensorboardDir === undefined ? undefined : tensorboardLog(tensorboardDir);
  const withTensorboard = template.tensorboard && elsewhere === undefined;
  return await runQuantize(path, data, {
    ...options,
    logs: withTensorboard ? ["csv", "jsonl", "tensorboard"] : ["csv", "jsonl"],
  }, elsewhere).finally(() => elsewhere?.close());
}

/** Whether there is something to do. */
function isWanted({ name, quantization }: Template, flags: CompressFlags): boolean {
  if (quantization === undefined) {
    throw new UsageError(
      `Cannot compress ${name}: its template has no optimisations\n` +
        `  help: mobilenet-v3-large-1 and mobilenet-v3-small have quantization, as in OpenVINO Training Extensions; ` +
        `recipes/quantize.ts takes any model`,
    );
  }
  const others = (["nncfSparsity", "nncfPruning", "nncfBinarization"] as const).filter((flag) => flags[flag]);
  if (others.length > 0) {
    const found = others.map((flag) => flag.replace("nncf", "--nncf-").toLowerCase()).join(", ");
    throw new UsageError(
      `Cannot compress ${name}: found ${found}, wanted --nncf-quantization, the only method there is`,
    );
  }
  return flags.nncfQuantization ?? quantization.default;
}

async function settle(
  template: Template,
  flags: CompressFlags,
  path: string,
  classNames: readonly string[],
  warn: (message: string) => void,
): Promise<QuantizeOptions> {
  const { defaults, main, name, auxiliary } = template;
  const { fineTune, loadAuxWeights, resumeFrom, saveCheckpointsTo, seed = main.seed } = flags;
  const given = loadAuxWeights?.split(",").map((part) => part.trim()).filter((part) => part !== "");
  const nothing = (flag: string, found: string | undefined) =>
    found && !fineTune ? [`${flag}: found ${describeValue(found)}, wanted nothing with --no-fine-tune`] : [];
  const count = auxiliary.length === 0
    ? `nothing: ${name} has no auxiliary model`
    : `${auxiliary.length} file`;
  refuseProblems("Cannot compress", [], [
    ...nothing("--load-aux-weights", loadAuxWeights),
    ...nothing("--resume-from", resumeFrom),
    ...(given?.length && given.length !== auxiliary.length
      ? [`--load-aux-weights: found ${describeValue(loadAuxWeights)}, wanted ${count}`]
      : []),
  ]);
  const warnings = [...template.warnings];
  const device = deviceOf(flags.gpuNum, defaults.devices, (await readGPUs()).length, warnings);
  warnings.forEach(warn);
  const outputDir = folderBeside(path, saveCheckpointsTo, warn);
  const teachers = fineTune && !resumeFrom ? await openTeachers(template, given, path, warn) : [];
  return {
    ...await quantizeOptionsOf(flags, classNames),
    ...(fineTune ? { epochs: defaults.epochs } : {}),
    ...(teachers.length === 0 ? {} : { auxiliaryModels: teachers }),
    ...(seed === undefined ? {} : { seed }),
    ...(main.workers === undefined ? {} : { workers: main.workers }),
    ...(resumeFrom ? { resumeFrom } : {}),
    ...(flags.skipUnreadable ? { onUnreadable: "skip" } : {}),
    device,
    outputDir,
  };
}

/** Where the int8 weights go: not onto the float ones, which have the same name. */
function folderBeside(path: string, folder: string, warn: (message: string) => void): string {
  if (resolve(dirname(path)) !== resolve(folder)) return folder;
  const own = join(folder, "int8");
  warn(`"${folder}" holds the float weights; those in int8 go to "${own}"`);
  return own;
}

/** The auxiliary models, which teach and stay as they are: those that are named, else those of the run. */
async function openTeachers(
  { auxiliary }: Template,
  given: readonly string[] | undefined,
  path: string,
  warn: (message: string) => void,
): Promise<AuxiliaryModel[]> {
  const beside = auxiliary.map((_, index) => join(dirname(path), `auxiliary_${index + 1}.safetensors`));
  const are = await Promise.all(beside.map((file) => Deno.stat(file).then(() => true, () => false)));
  if (given === undefined && !are.every((is) => is)) {
    const names = beside.map((file) => basename(file)).join(", ");
    warn(`fine-tuning goes without an auxiliary model: there is no ${names} beside the weights`);
    return [];
  }
  const files = given === undefined
    ? beside
    : await Promise.all(given.map((file) => findWeights(file, warn)));
  for (const file of files) await requireFile("use", file);
  return files.map((weights, index) =>
    auxiliaryModel(auxiliary[index]!, { weights, ownRate: false, rate: undefined })
  );
}

function compressCommand({ name, quantization }: Template) {
  const refused = "refused: quantization is the only method there is";
  const command = createCommand("deno run -A compress.ts")
    .description(
      `Turns a trained ${name} into int8 and fine-tunes it until it is hardly less accurate, measured in OpenVINO.`,
    )
    .requiredOption("--load-weights <file>", "what to compress: a run's folder or its best.safetensors")
    .requiredOption(
      "--train-data-roots <folders>",
      "training pictures: a folder with one folder a class; or several, with commas",
    )
    .option("--train-ann-files [files]", "annotation lists of the training pictures; '' for class folders")
    .requiredOption("--val-data-roots <folders>", "validation pictures, on which the accuracy is measured")
    .option("--val-ann-files [files]", "annotation lists of the validation pictures; '' for class folders")
    .option(
      "--save-checkpoints-to <folder>",
      "where best.safetensors, resume.safetensors and the logs go",
      "outputs",
    )
    .option(
      "--nncf-quantization",
      `int8 weights and activations (default: ${quantization?.default ? "yes" : "no"}, by template.yaml)`,
    )
    .option("--nncf-sparsity", refused)
    .option("--nncf-pruning", refused)
    .option("--nncf-binarization", refused)
    .option("--resume-from <folder>", "a fine-tuning that was stopped, to go on with, bit for bit")
    .option("--gpu-num <n>", "how many GPUs to use, where there are any", atLeastZero)
    .option("--classes <names>", "the classes, with commas; an error if they are not those of the weights")
    .option(
      "--load-aux-weights <file>",
      "weights of the auxiliary model, which teaches and stays as it is; '' for none (default: those beside " +
        "the weights)",
    )
    .option("--tensorboard-dir <folder>", "where TensorBoard's files go (default: beside the checkpoints)")
    .optionsGroup("Not in OpenVINO Training Extensions:");
  return addQuantizeFlags(command)
    .option("--skip-unreadable", "leave out pictures that cannot be read, and warn of them")
    .option("--seed <n>", "decides which pictures are taken, order and augmentation", atLeastZero)
    .option("--dry-run", "show what would be done, and do nothing")
    .addHelpText(
      "after",
      "\nFine-tuning begins with 0.035 times the rate the weights were trained with and ends by itself.\n" +
        "Ctrl-C stops it after the step and keeps it; --resume-from goes on.\n" +
        "Exit codes: 0 done, 1 failed, or int8 cannot be had within --max-drop (every try is listed), 2 a flag or a\n" +
        "setting cannot be used, 130 stopped.",
    );
}
