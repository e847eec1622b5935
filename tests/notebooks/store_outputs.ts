/**
 * Executes notebooks and stores their outputs in them, so that they can be read where nothing can be executed:
 * `deno run -A tests/notebooks/store_outputs.ts notebooks/01_quickstart.ipynb`
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { executeNotebook, notebooksFolder, readNotebook } from "./_notebook.ts";

for (const path of Deno.args.map((argument) => resolve(argument))) {
  const folder = await notebooksFolder();
  const executed = await executeNotebook(path, folder);
  const { cells } = await readNotebook(executed);
  const error = cells.flatMap(({ outputs }) => outputs ?? []).find((output) =>
    output.output_type === "error"
  );
  if (error) {
    console.error(`${path} was not changed, because a cell fails:\n${error.evalue}`);
    Deno.exit(1);
  }
  await Deno.copyFile(executed, path);
  await Deno.remove(dirname(folder), { recursive: true });
  console.log(`${path}: ${((await Deno.stat(path)).size / 1e6).toFixed(2)} MB`);
}
