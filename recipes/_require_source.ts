import { join } from "node:path";
import { isWeightsPath } from "../lib/models/open_model.ts";
import { modelRecord } from "../lib/models/registry.ts";
import { isExportedPath } from "../lib/runtimes/exported_file.ts";
import { bestFileName } from "../lib/training/checkpoint.ts";
import { checkUsage, UsageError } from "./_program.ts";
import { requireFile } from "./_require_file.ts";

/** What the programs say about the argument for a model. */
export const sourceHelp = "a run's folder, its best.safetensors, or a model id";

/**
 * What a verb is given for a model that a user names: a run's folder means its best weights.
 *
 * @param verb What is to be done with it, for messages.
 * @param given What the user wrote.
 * @returns A model id, or the path of a checkpoint that is there.
 * @throws {UsageError} If there is no such file or id, or it is an exported file.
 */
export async function requireSource(verb: string, given: string): Promise<string> {
  if (isExportedPath(given)) {
    throw new UsageError(
      `Cannot ${verb} "${given}": it is an exported file already\n  help: pass the checkpoint it was made from`,
    );
  }
  const isFolder = await Deno.stat(given).then(({ isDirectory }) => isDirectory, () => false);
  const path = isFolder ? join(given, bestFileName) : given;
  if (isWeightsPath(path)) await requireFile(verb, path);
  else checkUsage(() => modelRecord(path));
  return path;
}
