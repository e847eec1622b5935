import { basename, dirname, join } from "node:path";
import { type CheckpointMetadata, parseCheckpointMetadata } from "../../lib/models/checkpoint_metadata.ts";
import { holdsSearch } from "../../lib/lr_finder/search_state.ts";
import { modelRecord } from "../../lib/models/registry.ts";
import { detectNaming } from "../../lib/models/weights/key_maps.ts";
import { readWeightsFile } from "../../lib/models/weights/load_weights.ts";
import type { Recipe } from "../../lib/training/recipe.ts";
import { isExportedPath, metadataOfExported, readExported } from "../../lib/runtimes/exported_file.ts";
import { bestFileName, loadResume, resumeFileName } from "../../lib/training/checkpoint.ts";
import { UsageError } from "../_program.ts";
import { requireFile } from "../_require_file.ts";

/** A model as `fineTune` takes it: an id or a checkpoint, and where its weights are. */
export interface Start {
  readonly source: string;
  readonly weights?: string | null;
}

/**
 * The file of weights that a path means: itself, or `best.safetensors` of a run's folder. The reference's names of
 * files in such a folder (`latest.pth`, `model/model.pth.tar-150`) mean the same, with a warning.
 *
 * @param path What the user wrote.
 * @param warn Told what was taken instead.
 * @returns The file.
 */
export async function findWeights(path: string, warn: (message: string) => void): Promise<string> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (info?.isDirectory) return join(path, bestFileName);
  if (info !== undefined || !/^((latest|best)\.pth|.+\.pth\.tar(-\d+)?)$/.test(basename(path))) return path;
  for (const folder of [dirname(path), dirname(dirname(path))]) {
    const found = join(folder, bestFileName);
    if (await Deno.stat(found).then(({ isFile }) => isFile, () => false)) {
      warn(`there is no "${path}"; taking "${found}", the run's best weights`);
      return found;
    }
  }
  return path;
}

/**
 * What `fineTune` is given for a file of weights: a checkpoint tells its model by itself, and whose names other files
 * use tells which variant of the network they belong to.
 *
 * @param path The file.
 * @param id The template's model.
 * @param flag Which flag named it.
 * @returns The start.
 * @throws {UsageError} If it is another network's checkpoint.
 */
export async function startFrom(path: string, id: string, flag: string): Promise<Start> {
  const { tensors, metadata } = await readWeightsFile(path);
  const saved = parseCheckpointMetadata(metadata);
  const { architecture } = modelRecord(id);
  if (saved !== undefined) {
    const found = modelRecord(saved.model);
    if (found.architecture !== architecture) throw otherNetwork(flag, path, found.architecture, architecture);
    return { source: path };
  }
  const isTimm = detectNaming(Object.keys(tensors), path) === "timm";
  return { source: isTimm ? id : architecture, weights: path };
}

/** What the weights of a trained model say of themselves. */
export type TrainedRecord = Pick<CheckpointMetadata, "model" | "classNames" | "quantization" | "recipe">;

/**
 * Looks at the weights of a trained model, before anything is done with them.
 *
 * @param verb What is to be done, for messages.
 * @param path The file.
 * @param id The template's model.
 * @param listed The classes as the user has them; `undefined`: whatever they are.
 * @returns What the file says of itself.
 * @throws {UsageError} If it cannot be opened, does not tell its classes, or is of another network or other classes.
 */
export async function requireTrained(
  verb: string,
  path: string,
  id: string,
  listed: readonly string[] | undefined,
): Promise<TrainedRecord> {
  await requireFile(verb, path);
  const isExported = isExportedPath(path);
  if (isExported && verb !== "evaluate") {
    throw new UsageError(
      `Cannot ${verb} "${path}": it is an exported file already\n  help: pass the folder of a run, or its best.safetensors`,
    );
  }
  const saved = isExported
    ? metadataOfExported(await readExported(path))
    : parseCheckpointMetadata((await readWeightsFile(path)).metadata);
  if (saved === undefined) throw withoutClasses(verb, path, isExported);
  const [found, wanted] = [modelRecord(saved.model).architecture, modelRecord(id).architecture];
  if (found !== wanted) {
    throw new UsageError(
      `Cannot ${verb} "${path}": it is of ${found}, and the template's model is ${wanted}`,
    );
  }
  const same = listed === undefined || [...listed].sort().join() === [...saved.classNames].sort().join();
  if (same) return saved;
  throw new UsageError(
    `Cannot ${verb} "${path}": found --classes ${listed.join(",")}, wanted the classes of the weights: ` +
      saved.classNames.join(","),
  );
}

function withoutClasses(verb: string, path: string, isExported: boolean): UsageError {
  const [program, help] = isExported
    ? [
      "export.ts",
      "pass a file that export.ts wrote, or evaluate this one with { exported } in a program of your own",
    ]
    : ["train.ts", "pass the folder of a run, or its best.safetensors"];
  return new UsageError(
    `Cannot ${verb} "${path}": the file does not tell its classes, so it was not written by ${program}\n  help: ${help}`,
  );
}

/** A run that goes on, as far as a template needs to know it. */
export interface ResumedRun {
  /** The model's id. */
  readonly model: string;
  /** Where the first weights of its auxiliary models were. */
  readonly auxiliaryWeights: readonly (string | null | undefined)[];
  /** Its recipe, if it is the fine-tuning of an int8 model: that is not the template's. */
  readonly quantizedRecipe?: Recipe;
}

/**
 * Looks at a run that is to go on.
 *
 * @param path The run's folder, or its file.
 * @param id The template's model.
 * @returns The run; `undefined` if it was stopped in the search for its learning rate.
 * @throws {UsageError} If the run is one of another network.
 * @throws {CheckpointError} If there is no such run.
 */
export async function resumedRun(path: string, id: string): Promise<ResumedRun | undefined> {
  const hasTrained = await Deno.stat(join(path, resumeFileName)).then(() => true, () => false);
  if (!hasTrained && await holdsSearch(path)) return undefined;
  const { model, recipe, quantization } = await loadResume(path);
  const [found, wanted] = [modelRecord(model).architecture, modelRecord(id).architecture];
  if (found !== wanted) throw otherNetwork("--resume-from", path, found, wanted);
  return {
    model,
    auxiliaryWeights: (recipe.auxiliaryModels ?? []).map(({ weights }) => weights),
    ...(quantization === undefined ? {} : { quantizedRecipe: recipe }),
  };
}

function otherNetwork(flag: string, path: string, found: string, wanted: string): UsageError {
  return new UsageError(
    `Cannot use ${flag} "${path}": it is of ${found}, and the template's model is ${wanted}\n` +
      `  help: pass a file of ${wanted}, or take that model's template`,
  );
}
