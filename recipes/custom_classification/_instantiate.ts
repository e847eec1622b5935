import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { modelRecord } from "../../lib/models/registry.ts";
import { writeFailure } from "../../lib/files/write_file.ts";
import { downloadFromHub } from "../../lib/models/weights/hub.ts";
import type { ProvisionListener } from "../../lib/provision/events.ts";
import { UsageError } from "../_program.ts";
import { readTemplate, type Template } from "./_template.ts";

/** How a working folder is made. */
export interface InstantiateOptions {
  /** Whether the first weights are fetched and put into the folder. */
  readonly snapshot: boolean;
  /** Told about downloads. */
  readonly onProgress?: ProvisionListener;
  readonly signal?: AbortSignal;
}

/** The four programs of a working folder, and the functions behind them. */
const programs = {
  train: { call: "train", says: "Fine-tunes the model of template.yaml" },
  eval: { call: "evaluateModel", says: "Measures a trained model" },
  export: { call: "exportModel", says: "Exports a trained model" },
  compress: { call: "compress", says: "Turns a trained model into int8" },
} as const;

/**
 * Makes a working folder of a template: its YAML files, four small programs and a `deno.json` that leads to this clone.
 * The first weights are fetched before anything is written.
 *
 * @param template The folder of a template.
 * @param output The folder to make; an existing one must be empty.
 * @param options Whether weights are put into it.
 * @returns The template, and the names of what was written.
 * @throws {UsageError} If the template is not in order, or the folder is not empty.
 * @throws {Error} If the weights cannot be had, or the folder not be written; nothing is left of what was.
 */
export async function instantiate(
  template: string,
  output: string,
  options: InstantiateOptions,
): Promise<{ template: Template; files: string[] }> {
  await requireEmpty(output);
  const read = await readTemplate(template);
  const weights = options.snapshot ? await fetchSnapshot(read, options) : undefined;
  const files: string[] = [];
  try {
    await fill(template, output, read, weights, files);
  } catch (error) {
    for (const file of files) await Deno.remove(join(output, file)).catch(() => {});
    throw new Error(
      `Cannot instantiate into "${output}": ${writeFailure(error)[0]}\n  help: name another folder`,
      {
        cause: error,
      },
    );
  }
  return { template: read, files };
}

/** Writes the files of a working folder; `files` says which are there, whole or not. */
async function fill(
  template: string,
  output: string,
  read: Template,
  weights: string | undefined,
  files: string[],
): Promise<void> {
  await Deno.mkdir(output, { recursive: true });
  const write = async (name: string, content: string) => {
    files.push(name);
    await Deno.writeTextFile(join(output, name), content, { createNew: true });
  };
  const yamls = ["template.yaml", ...[read.main, ...read.auxiliary].map(({ file }) => basename(file.path))];
  for (const name of yamls) await write(name, await Deno.readTextFile(join(template, name)));
  for (const [name, { call, says }] of Object.entries(programs)) {
    await write(
      `${name}.ts`,
      `// ${says}: deno run -A ${name}.ts --help\n` +
        `import { ${call} } from "whittle/custom_classification/${name}.ts";\n\n` +
        `await ${call}(import.meta.dirname!);\n`,
    );
  }
  await write("deno.json", JSON.stringify(config(), null, 2) + "\n");
  if (weights !== undefined) {
    files.push(read.snapshot.name);
    await Deno.copyFile(weights, join(output, read.snapshot.name));
  }
}

/** Lets files of the folder import Whittle by its name. */
function config(): object {
  const clone = new URL("../../", import.meta.url).href;
  return {
    imports: {
      "whittle": `${clone}mod.ts`,
      "whittle/tensorflow": `${clone}lib/tensorflow/mod.ts`,
      "whittle/custom_classification/": `${clone}recipes/custom_classification/`,
    },
    nodeModulesDir: "none",
    // Nor asked about them.
    allowScripts: { deny: ["npm:@tensorflow/tfjs-node-gpu", "npm:core-js", "npm:onnxruntime-node"] },
    lock: false,
  };
}

async function requireEmpty(output: string): Promise<void> {
  const found: string[] = [];
  try {
    for await (const { name } of Deno.readDir(output)) found.push(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new UsageError(`Cannot instantiate into "${output}": it is not a folder that can be read`, {
      cause: error,
    });
  }
  if (found.length === 0) return;
  const shown = found.sort().slice(0, 3).join(", ") +
    (found.length > 3 ? ` and ${found.length - 3} more` : "");
  throw new UsageError(
    `Cannot instantiate into "${output}": the folder is not empty, it has ${shown}\n` +
      `  help: name a new folder, or empty this one`,
  );
}

/** Fetches the first weights, and those of the auxiliary models into the cache, so that training needs no network. */
async function fetchSnapshot(
  { snapshot, auxiliary, main }: Template,
  options: InstantiateOptions,
): Promise<string> {
  const { onProgress, signal } = options;
  const place = main.file.path.replace(/[^/\\]*$/, "template.yaml");
  const [, repository, revision, file] =
    /^https:\/\/huggingface\.co\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(snapshot.source ?? "") ?? [];
  if (file === undefined) {
    throw new UsageError(
      `Cannot fetch ${snapshot.name}: found ${
        JSON.stringify(snapshot.source ?? null)
      } for its source in ${place}, ` +
        `wanted a file of the hub like https://huggingface.co/timm/<id>/resolve/main/model.safetensors\n` +
        `  help: pass --do-not-load-snapshot, and --load-weights to train.ts`,
    );
  }
  const path = await downloadFromHub(repository!, file, { revision, onProgress, signal });
  await compare(path, snapshot, place);
  for (const { id, pretrained } of auxiliary) {
    const { weights } = modelRecord(id);
    if (!pretrained || typeof weights !== "object" || weights.kind !== "hub") continue;
    await downloadFromHub(weights.repository, weights.file ?? "model.safetensors", { onProgress, signal });
  }
  return path;
}

/** The hub's own size and SHA-256 were checked; a template may give them too. */
async function compare(
  path: string,
  { name, size, sha256 }: Template["snapshot"],
  place: string,
): Promise<void> {
  if (size === undefined && sha256 === undefined) return;
  const bytes = await Deno.readFile(path);
  const hash = createHash("sha256").update(bytes).digest("hex");
  const problems = [
    size !== undefined && size !== bytes.length && `found ${bytes.length} bytes, wanted ${size}`,
    sha256 !== undefined && sha256 !== hash && `found SHA-256 ${hash}, wanted ${sha256}`,
  ].filter((problem) => problem !== false);
  if (problems.length === 0) return;
  throw new Error(`Cannot use ${name}: it is not the file that ${place} names\n  ${problems.join("\n  ")}`);
}
