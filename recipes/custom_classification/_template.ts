import { basename, join } from "node:path";
import { describeValue } from "../../lib/errors/check_options.ts";
import type { Recipe } from "../../lib/training/recipe.ts";
import { checkFields } from "../_check_fields.ts";
import { type KeyPath, readYamlFile, refuseProblems, shownPath, type YamlFile } from "../_yaml_file.ts";
import { type ModelPlan, origins, readModelPlan } from "./_model_plan.ts";
import { templateFields, type TemplateYaml } from "./_template_yaml.ts";

/** A template, read and found to be in order: a folder of `recipes/custom_classification/`, or what was made of one. */
export interface Template {
  readonly folder: string;
  readonly name: string;
  readonly summary: string;
  /** What the programs take where they are told nothing. */
  readonly defaults: { batchSize: number; learningRate: number; epochs: number; devices: number };
  /** Whether training writes TensorBoard's files. */
  readonly tensorboard: boolean;
  /** Which files `export` writes where it is told nothing, and the order of the channels that OpenVINO's takes. */
  readonly output: {
    readonly onnx: boolean;
    readonly openvino: boolean;
    readonly inputFormat: "BGR" | "RGB";
  };
  /** Whether `compress` quantises where it is told nothing; `undefined`: it is not meant for this model. */
  readonly quantization?: { readonly default: boolean };
  /** Name of the file with the first weights, and the address of the published ones. */
  readonly snapshot: { readonly name: string; readonly source?: string; size?: number; sha256?: string };
  readonly main: ModelPlan;
  readonly auxiliary: readonly ModelPlan[];
  /** The folder's YAML files. */
  readonly files: readonly YamlFile[];
  readonly warnings: readonly string[];
}

/**
 * Reads `template.yaml` of a folder and the files it names. All that is wrong in any of them is told at once.
 *
 * @param folder The folder.
 * @returns The template.
 * @throws {UsageError} If a file is missing or something in them is wrong.
 */
export async function readTemplate(folder: string): Promise<Template> {
  const file = await readYamlFile(join(folder, "template.yaml"));
  const yaml = checkFields<TemplateYaml>(file, templateFields);
  const { name, config, hyper_parameters: { basic = {} } = {} } = yaml;
  const required: [KeyPath, unknown, string][] = [
    [["name"], name, "the model's name"],
    [["config"], config, "the name of the model's file, main_model.yaml"],
    [["hyper_parameters", "basic", "batch_size"], basic.batch_size, "a whole number of at least 1"],
    [["hyper_parameters", "basic", "base_learning_rate"], basic.base_learning_rate, "a number above 0"],
    [["hyper_parameters", "basic", "epochs"], basic.epochs, "a whole number of at least 1"],
  ];
  // What is no YAML, and a value that is there and does not fit, was reported already.
  const isBroken = file.value === undefined && file.problems.length > 0;
  for (const [path, value, wanted] of required) {
    if (value !== undefined || isBroken || isWritten(file, path)) continue;
    file.report(path, `${path.join(".")}: found nothing, wanted ${wanted}`);
  }
  const files = [file];
  const open = async (name: string) => {
    const opened = await readYamlFile(join(folder, name));
    files.push(opened);
    return readModelPlan(opened);
  };
  const main = await open(config ?? "main_model.yaml");
  const auxiliary: ModelPlan[] = [];
  for (const [index, name] of main.auxiliary.entries()) {
    const path = ["mutual_learning", "aux_configs", index];
    const isThere = await Deno.stat(join(folder, name)).then(({ isFile }) => isFile, () => false);
    if (isThere && name === basename(name)) auxiliary.push(await open(name));
    else {main.file.report(
        path,
        `mutual_learning.aux_configs: there is no file ${describeValue(name)} beside it`,
      );}
  }
  // What is wrong in a file would show again as a difference.
  if (main.file.problems.length === 0) {
    for (const plan of auxiliary) if (plan.file.problems.length === 0) compareWithMain(main, plan);
  }
  refuseProblems(`Cannot use the template in "${shownPath(folder)}"`, files);
  const initial = yaml.initial_weights ?? "snapshot.safetensors";
  const quantization = yaml.optimisations?.nncf_quantization;
  return {
    folder,
    name: name!,
    summary: yaml.summary ?? "",
    defaults: {
      batchSize: basic.batch_size!,
      learningRate: basic.base_learning_rate!,
      epochs: basic.epochs!,
      devices: yaml.gpu_num ?? 0,
    },
    tensorboard: yaml.tensorboard ?? true,
    output: {
      onnx: yaml.output_format?.onnx?.default ?? false,
      openvino: yaml.output_format?.openvino?.default ?? true,
      inputFormat: yaml.output_format?.openvino?.input_format ?? "BGR",
    },
    ...(quantization === undefined ? {} : { quantization: { default: quantization.default ?? false } }),
    snapshot: { name: initial, ...yaml.dependencies?.find(({ destination }) => destination === initial) },
    main,
    auxiliary,
    files,
    warnings: [main, ...auxiliary].flatMap(({ warnings }) => warnings),
  };
}

/** What all models of a run share. */
const shared = [
  "schedule",
  "plateau",
  "warmUpEpochs",
  "earlyStoppingPatience",
  "momentum",
  "weightDecay",
  "sam",
  "noBiasDecay",
] as const satisfies readonly (keyof Recipe)[];

/** An auxiliary model follows the main one's schedule and optimiser, so its file may not say anything else. */
function compareWithMain(main: ModelPlan, { file, recipe, auxiliary, search }: ModelPlan): void {
  for (const field of shared) {
    const path = origins[field]!;
    if (JSON.stringify(recipe[field]) === JSON.stringify(main.recipe[field])) continue;
    const show = (value: unknown) => value === undefined ? "nothing" : JSON.stringify(value);
    file.report(
      path,
      `${path.join(".")}: makes ${field} ${show(recipe[field])}, wanted ${show(main.recipe[field])} as in ` +
        `${main.file.place(path)}: an auxiliary model follows the main one`,
    );
  }
  if (auxiliary.length > 0) {
    file.report(origins.auxiliaryModels!, "mutual_learning: an auxiliary model has no auxiliary models");
  }
  if (search !== undefined) {
    file.report(["lr_finder", "enable"], "lr_finder.enable: the rate is found for the main model alone");
  }
}

function isWritten(file: YamlFile, path: KeyPath): boolean {
  return path.reduce<unknown>(
    (part, key) =>
      typeof part === "object" && part !== null ? (part as Record<string, unknown>)[key] : undefined,
    file.value,
  ) !==
    undefined;
}
