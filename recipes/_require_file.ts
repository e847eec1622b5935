import { readFailure } from "../lib/files/read_failure.ts";
import { UsageError } from "./_program.ts";

/**
 * Refuses weights that cannot be opened, before anything else is said.
 *
 * @param verb What was to be done with them.
 * @param path The file.
 * @throws {UsageError} If it is missing, or no file.
 */
export async function requireFile(verb: string, path: string): Promise<void> {
  try {
    (await Deno.open(path)).close();
  } catch (error) {
    throw new UsageError(
      `Cannot ${verb} "${path}": ${
        readFailure(error, "file")
      }\n  help: pass the folder of a run, or a file of weights, .safetensors or .pth`,
    );
  }
}
