/**
 * Makes a working folder of a template of `recipes/custom_classification/`, in which `train.ts`, `eval.ts`, `export.ts`
 * and `compress.ts` run.
 *
 * @module
 */
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { listUnknown } from "../lib/errors/nearest_name.ts";
import { provisionView } from "../lib/notebook/provision_view.ts";
import { withStopSignal } from "../lib/notebook/stop_signal.ts";
import { instantiate } from "./custom_classification/_instantiate.ts";
import { createCommand, deno, exitCodes, runProgram, UsageError } from "./_program.ts";

const shelf = fileURLToPath(new URL("./custom_classification/", import.meta.url));

await runProgram(async () => {
  const names = await templateNames();
  const command = createCommand("deno run -A recipes/instantiate.ts")
    .description(
      "Makes a working folder of a template, in which train.ts, eval.ts, export.ts and compress.ts run.",
    )
    .argument("<template>", `path of a template.yaml, or one of ${names.join(", ")}`)
    .argument("<output>", "the folder to make; an existing one must be empty")
    .option("--do-not-load-snapshot", "leave the first weights out; train.ts fetches them when it needs them")
    .option("-v, --verbose", "list what was written")
    .addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 an argument cannot be used.")
    .parse(Deno.args, { from: "user" });
  const [template, output] = command.args as [string, string];
  const { doNotLoadSnapshot = false, verbose = false } = command.opts<
    { doNotLoadSnapshot?: boolean; verbose?: boolean }
  >();
  const made = await withStopSignal(async (signal) =>
    await instantiate(await templateFolder(template, names), output, {
      snapshot: !doNotLoadSnapshot,
      onProgress: provisionView(),
      signal,
    })
  );
  if (verbose) { for (const file of made.files) console.log(join(output, file)); }
  const here = relative(Deno.cwd(), output);
  console.log(
    `${made.template.name} is in ${output}. Go on with\n` +
      (here === ""
        ? ""
        : `  cd ${/^[\w./+-]+$/.test(output) ? output : `'${output.replaceAll("'", "'\\''")}'`}\n`) +
      `  ${deno} run -A train.ts --train-data-roots DATA/train --val-data-roots DATA/val --save-checkpoints-to outputs`,
  );
  return exitCodes.ok;
}, { weights: "--do-not-load-snapshot here, and to train.ts --load-weights <>" });

async function templateNames(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(shelf)) if (isDirectory) names.push(name);
  return names.sort();
}

/** The folder of a template: a path of it or of its template.yaml, or a name, with - or _. */
async function templateFolder(given: string, names: readonly string[]): Promise<string> {
  const info = await Deno.stat(given).catch(() => undefined);
  if (info?.isDirectory) return given;
  if (info !== undefined) {
    if (basename(given) === "template.yaml") return dirname(given);
    throw new UsageError(`Cannot instantiate "${given}": found a file, wanted a template.yaml or its folder`);
  }
  const name = given.replaceAll("-", "_");
  if (names.includes(name)) return join(shelf, name);
  const what = /[/\\]/.test(given)
    ? "there is no such file"
    : `there is no such template\n${listUnknown([given], names)}`;
  throw new UsageError(
    `Cannot instantiate "${given}": ${what}\n  help: the templates are ${names.join(", ")}`,
  );
}
