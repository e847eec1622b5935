import { describeValue } from "../../lib/errors/check_options.ts";
import { searchContradictions, settleSearch } from "../../lib/lr_finder/settings.ts";
import type { RunSearch } from "../../lib/lr_finder/wanted_search.ts";
import { modelRecord } from "../../lib/models/registry.ts";
import type { FineTuneOptions } from "../../lib/training/fine_tune_options.ts";
import type { AuxiliaryModel, Recipe } from "../../lib/training/recipe.ts";
import { requireFile } from "../_require_file.ts";
import { refuseProblems } from "../_yaml_file.ts";
import { type ModelPlan, origins } from "./_model_plan.ts";
import type { TrainingPictureFlags } from "./_pictures.ts";
import type { Template } from "./_template.ts";
import { resumedRun, type Start, startFrom } from "./_weights.ts";

/** What `train.ts` is told; the reference's flags, and our own at the end. */
export interface TrainFlags extends TrainingPictureFlags {
  readonly saveCheckpointsTo: string;
  readonly loadWeights?: string;
  readonly resumeFrom?: string;
  readonly loadAuxWeights?: string;
  readonly batchSize?: number;
  readonly epochs?: number;
  readonly baseLearningRate?: number;
  readonly gpuNum?: number;
  readonly classes?: string;
  readonly tensorboardDir?: string;
  readonly seed?: number;
  readonly fromScratch?: boolean;
  readonly skipUnreadable?: boolean;
  readonly dryRun?: boolean;
}

/** A run, settled. */
export interface TrainSettings {
  readonly start: Start;
  /** Where the first weights come from, in words. */
  readonly weightsFrom: string;
  readonly recipe: Partial<Recipe>;
  readonly search?: RunSearch;
  readonly options: Pick<
    FineTuneOptions,
    "imageSize" | "seed" | "workers" | "device" | "resumeFrom" | "outputDir" | "onUnreadable"
  >;
  readonly warnings: readonly string[];
}

/**
 * Settles a run: flags count more than `template.yaml`, and that more than `main_model.yaml`, as in the reference.
 *
 * @param template The template.
 * @param flags What the user wrote.
 * @param machine How many GPUs there are.
 * @returns The run.
 * @throws {UsageError} If flags contradict each other or the template; all of it is named.
 */
export async function settleTraining(
  template: Template,
  flags: TrainFlags,
  machine: { readonly gpus: number },
): Promise<TrainSettings> {
  const { main, defaults } = template;
  const auxiliaryFiles = (flags.loadAuxWeights ?? "").split(",").map((part) => part.trim()).filter((part) =>
    part !== ""
  );
  const isFound = flags.baseLearningRate === undefined && main.search !== undefined;
  const batchSize = flags.batchSize ?? defaults.batchSize;
  refuseProblems("Cannot train", [], [
    ...flagProblems(template, flags, auxiliaryFiles),
    ...(isFound ? searchProblems(main, batchSize) : []),
  ]);
  const warnings: string[] = [...template.warnings];
  // A run that goes on has its weights and its rate; one that was stopped in the search before it has neither yet.
  const resumed = flags.resumeFrom ? await resumedRun(flags.resumeFrom, main.id) : undefined;
  const { start, weightsFrom } = resumed === undefined
    ? await startOf(template, flags)
    : { start: { source: resumed.model }, weightsFrom: flags.resumeFrom! };
  if (resumed?.quantizedRecipe !== undefined) {
    warnings.push(
      `${flags.resumeFrom} fine-tunes an int8 model: its own recipe counts, not the template's; ` +
        `compress.ts --resume-from measures what int8 costs too`,
    );
  }
  const epochs = flags.epochs ?? defaults.epochs;
  const { warmUpEpochs = 0 } = main.recipe;
  if (warmUpEpochs >= epochs && resumed?.quantizedRecipe === undefined) {
    warnings.push(
      `the warm-up of ${warmUpEpochs} epochs is shortened to ${epochs - 1}, for a run of ${epochs}`,
    );
  }
  const search = isFound && resumed === undefined ? main.search : undefined;
  const learningRate = flags.baseLearningRate ?? (isFound ? undefined : defaults.learningRate);
  const { learningRate: _, ...others } = main.recipe;
  const recipe: Partial<Recipe> = {
    ...others,
    name: template.name,
    epochs,
    warmUpEpochs: Math.min(warmUpEpochs, epochs - 1),
    batchSize,
    ...(learningRate === undefined ? {} : { learningRate }),
    ...(template.auxiliary.length === 0 ? {} : {
      auxiliaryModels: template.auxiliary.map((plan, index) =>
        auxiliaryModel(plan, {
          weights: resumed === undefined
            ? auxiliaryFiles[index] ?? (flags.fromScratch ? null : undefined)
            : resumed.auxiliaryWeights[index],
          ownRate: main.search === undefined && flags.baseLearningRate === undefined,
          rate: learningRate,
        })
      ),
    }),
  };
  const { batchSize: pictures, epochs: most, baseLearningRate: rate } = flags;
  const asked = Object.fromEntries(
    Object.entries({ batchSize: pictures, epochs: most, learningRate: rate })
      .filter(([, value]) => value !== undefined),
  );
  return {
    start,
    weightsFrom,
    recipe: resumed?.quantizedRecipe === undefined ? recipe : { ...resumed.quantizedRecipe, ...asked },
    ...(search === undefined ? {} : { search }),
    options: {
      imageSize: main.imageSize,
      seed: flags.seed ?? main.seed,
      workers: main.workers,
      device: deviceOf(flags.gpuNum, defaults.devices, machine.gpus, warnings),
      outputDir: flags.saveCheckpointsTo,
      ...(flags.resumeFrom ? { resumeFrom: flags.resumeFrom } : {}),
      ...(flags.skipUnreadable ? { onUnreadable: "skip" } : {}),
    },
    warnings,
  };
}

function flagProblems(template: Template, flags: TrainFlags, auxiliaryFiles: readonly string[]): string[] {
  const { auxiliary, main, name } = template;
  const { resumeFrom, loadWeights, loadAuxWeights, fromScratch } = flags;
  const problems: string[] = [];
  const refuse = (is: unknown, problem: string) => is && problems.push(problem);
  refuse(
    loadWeights && fromScratch,
    "--load-weights and --from-scratch: found both, wanted one: random weights come from no file",
  );
  const wanted = auxiliary.length === 0
    ? `nothing: ${name} has no auxiliary model`
    : `${auxiliary.length} file`;
  refuse(
    loadAuxWeights && auxiliaryFiles.length !== auxiliary.length,
    `--load-aux-weights: found ${describeValue(loadAuxWeights)}, wanted ${wanted}`,
  );
  const isTaught = !fromScratch && (main.pretrained || loadWeights) && !resumeFrom && !loadAuxWeights;
  for (const plan of auxiliary) {
    refuse(
      isTaught && !plan.pretrained,
      `${
        plan.file.place(["model", "pretrained"])
      }: model.pretrained: found false, wanted True, or --load-aux-weights: ` +
        `an auxiliary model of random weights teaches noise`,
    );
  }
  return problems;
}

/** What the settings of the search contradict in one another: bounds that are not written depend on the batch size. */
function searchProblems({ id, file, search = {} }: ModelPlan, batchSize: number): string[] {
  const settled = settleSearch(modelRecord(id), batchSize, search);
  return searchContradictions(settled, "findLR.").map(({ option, found, wanted }) => {
    const path = origins[option]!;
    const inYaml = wanted.replaceAll("minLearningRate", "min_lr").replaceAll("maxLearningRate", "max_lr");
    return `${file.place(path)}: ${path.join(".")}: found ${describeValue(found)}, wanted ${inYaml}`;
  });
}

async function startOf(
  { main, folder, snapshot }: Template,
  flags: TrainFlags,
): Promise<{ start: Start; weightsFrom: string }> {
  const { id } = main;
  if (flags.loadWeights) {
    await requireFile("use", flags.loadWeights);
    return {
      start: await startFrom(flags.loadWeights, id, "--load-weights"),
      weightsFrom: flags.loadWeights,
    };
  }
  if (flags.fromScratch || !main.pretrained) {
    return { start: { source: id, weights: null }, weightsFrom: "random numbers" };
  }
  const path = `${folder}/${snapshot.name}`;
  if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) {
    return { start: { source: id, weights: path }, weightsFrom: path };
  }
  return { start: { source: id }, weightsFrom: `published for ${id}, fetched once` };
}

/**
 * An auxiliary model as a recipe has it.
 *
 * @param plan What its file says.
 * @param given Its weights; whether the rate of its file counts, and the main model's rate.
 */
export function auxiliaryModel(
  { id, recipe, pretrained }: ModelPlan,
  given: { weights: string | null | undefined; ownRate: boolean; rate: number | undefined },
): AuxiliaryModel {
  const { loss, margin, scale, dropout, learningRate } = recipe;
  const weights = given.weights === undefined && !pretrained ? null : given.weights;
  // As in the reference a rate that was found is every model's.
  const rate = given.ownRate && learningRate !== given.rate ? learningRate : undefined;
  const model = { model: id, weights, loss, margin, scale, dropout, learningRate: rate };
  return Object.fromEntries(
    Object.entries(model).filter(([, value]) => value !== undefined),
  ) as unknown as AuxiliaryModel;
}

/**
 * What `--gpu-num` means on this machine.
 *
 * @param asked The flag.
 * @param usual What the template says.
 * @param gpus How many there are.
 * @param warnings Gets what the user should know.
 */
export function deviceOf(
  asked: number | undefined,
  usual: number,
  gpus: number,
  warnings: string[],
): "cpu" | "auto" {
  const devices = asked ?? usual;
  if (asked !== undefined && asked > 0 && gpus === 0) {
    warnings.push(`--gpu-num ${asked}: there is no GPU here, so the CPU computes`);
  } else if (asked !== undefined && Math.min(asked, gpus) > 1) {
    warnings.push(`--gpu-num ${asked}: a run computes on one GPU; several come later`);
  } else if (asked !== undefined && asked > gpus) {
    warnings.push(`--gpu-num ${asked}: there is only ${gpus} GPU here`);
  }
  return devices > 0 && gpus > 0 ? "auto" : "cpu";
}
