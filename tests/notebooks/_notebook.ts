/** Notebooks as data, and how they are executed: nbclient from Whittle's own JupyterLab, on the Deno that runs this. */
import assert from "node:assert/strict";
import { basename, dirname, join, resolve } from "node:path";
import { cacheFolder } from "../../lib/provision/cache.ts";
import { writeDenoKernel } from "../../recipes/_deno_kernel.ts";
import { installJupyterLab } from "../../recipes/_jupyter_lab.ts";

/** Forms of an output by MIME type; text as a string or as its lines. */
export type MimeBundle = Record<string, string | string[] | object>;

/** An output of a cell. */
export type CellOutput =
  | { output_type: "display_data" | "execute_result"; data: MimeBundle }
  | { output_type: "stream"; name: "stdout" | "stderr"; text: string | string[] }
  | { output_type: "error"; ename: string; evalue: string; traceback: string[] };

/** A cell of a notebook. */
export interface Cell {
  readonly id: string;
  readonly cell_type: "code" | "markdown";
  readonly source: string | string[];
  /** Only of code. */
  readonly outputs?: CellOutput[];
}

/** What an `.ipynb` file holds. */
export interface Notebook {
  readonly cells: Cell[];
}

/** The clone. */
export const repository: string = resolve(import.meta.dirname!, "../..");

/** Text that notebooks may store as a list of lines. */
export function joined(text: string | string[] | object | undefined): string {
  return Array.isArray(text) ? text.join("") : typeof text === "string" ? text : "";
}

/** Reads a notebook. */
export async function readNotebook(path: string): Promise<Notebook> {
  return JSON.parse(await Deno.readTextFile(path));
}

/**
 * A folder that looks like `notebooks/` of the clone to the cells of a notebook, and is empty: what a run writes there
 * does not mix with what the user's runs have written.
 */
export async function notebooksFolder(): Promise<string> {
  const root = await Deno.makeTempDir({ prefix: "whittle-notebook-" });
  for (const name of ["mod.ts", "lib"]) await Deno.symlink(join(repository, name), join(root, name));
  const folder = join(root, "notebooks");
  await Deno.mkdir(folder);
  return folder;
}

/** Executes a notebook from top to bottom, as far as no cell fails; returns the file with its outputs. */
export async function executeNotebook(path: string, folder: string): Promise<string> {
  const result = join(folder, `executed_${basename(path)}`);
  await runPython("_execute_notebook.py", [path, folder, result]);
  return result;
}

/** A stored notebook that was executed again. */
export interface Executed {
  /** The notebook with its new outputs. */
  readonly executed: Notebook;
  /** The notebook as it is stored. */
  readonly stored: Notebook;
  /** Where it was executed. */
  readonly folder: string;
}

/**
 * Executes a stored notebook, checks that no cell fails and that its cells are those that are stored, and hands both to
 * what checks more; then its folder is removed.
 */
export async function assertRuns(
  path: string,
  assertMore: (executed: Executed) => void | Promise<void>,
): Promise<void> {
  const folder = await notebooksFolder();
  const executed = await readNotebook(await executeNotebook(path, folder));
  const stored = await readNotebook(path);
  const outputs = executed.cells.flatMap(({ outputs }) => outputs ?? []).map(form);
  assert.deepEqual(outputs.filter((text) => text.startsWith("error")), []);
  await assertMore({ executed, stored, folder });
  const sources = ({ cells }: Notebook) => cells.map(({ id, source }) => [id, joined(source)]);
  assert.deepEqual(sources(executed), sources(stored));
  await Deno.remove(dirname(folder), { recursive: true });
}

/** Runs a script of this folder in the Python of Whittle's JupyterLab; returns what it prints. */
export async function runPython(script: string, args: string[]): Promise<string> {
  const cache = cacheFolder();
  const { command: [python] } = await installJupyterLab({ cache });
  const { success, stdout, stderr } = await new Deno.Command(python, {
    args: [join(import.meta.dirname!, script), ...args],
    // NO_COLOR: values as plain text, without the escape codes of terminals.
    env: { JUPYTER_PATH: await writeDenoKernel(cache), NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (!success) throw new Error(`${script} failed:\n${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** The cells of code. */
export function codeCells({ cells }: Notebook): Cell[] {
  return cells.filter(({ cell_type }) => cell_type === "code");
}

/** The cell of an id. */
export function byId({ cells }: Notebook, id: string): Cell {
  const cell = cells.find((cell) => cell.id === id);
  assert.ok(cell, `there is no cell ${id}`);
  return cell;
}

/** The forms an output has, e.g. `display_data: image/png, text/plain`. */
export function form(output: CellOutput): string {
  switch (output.output_type) {
    case "stream":
      return `stream: ${output.name}`;
    case "error":
      return `error: ${output.ename}: ${output.evalue}`;
    default:
      return `${output.output_type}: ${Object.keys(output.data).sort().join(", ")}`;
  }
}

/** What a cell printed. */
export function printed(cell: Cell): string {
  return (cell.outputs ?? []).map((output) => output.output_type === "stream" ? joined(output.text) : "")
    .join("");
}

/** A form of the n-th output of a cell. */
export function shown(cell: Cell, index: number, type: string): string {
  const output = cell.outputs?.[index];
  assert.ok(output && "data" in output);
  return joined(output.data[type]);
}

/** Checks that a stored notebook is small, narrow, and without names of the machine it was executed on. */
export async function assertStored(path: string, notebook: Notebook): Promise<void> {
  const stored = await Deno.readTextFile(path);
  assert.ok(stored.length < 1.5e6, `${stored.length} bytes`);
  for (const pattern of [/file:\/\//, /\/root\b/, /\/tmp\b/, /\/Users\//, /\/home\/(?!you\/)/, /\\u001b/]) {
    assert.doesNotMatch(stored, pattern);
  }
  const longest = codeCells(notebook).flatMap(({ source }) => joined(source).split("\n"))
    .reduce((a, b) => a.length >= b.length ? a : b);
  assert.ok(longest.length <= 100, `too wide for a notebook: ${longest}`);
}
