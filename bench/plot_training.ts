/**
 * Prints the tables of what `bench/training_speed.ts` measured.
 *
 *     deno run -A bench/plot_training.ts [--write] [--results bench/results]
 *
 * With `--write` it puts them into `docs/performance.md`, between the marks of each set, and draws
 * `docs/figures/training_speed.svg`.
 *
 * @module
 */
import { relative } from "node:path";
import { Command } from "npm:commander@15.1.0";
import { writeFile } from "../lib/files/write_file.ts";
import { replaceSection } from "./training/document.ts";
import { trainingFigure } from "./training/figure.ts";
import { setNames } from "./training/options.ts";
import { readResults, type Results, resultsPath } from "./training/results.ts";
import { compactTable, detailedTable, provenance, summarySentence } from "./training/tables.ts";

const root = new URL("..", import.meta.url).pathname;
const { write, results: folder, figure } = new Command("plot_training")
  .option("--write", "put the tables into docs/performance.md and draw the plot", false)
  .option("--results <folder>", "where the results are", `${root}bench/results`)
  .option("--figure <file>", "draw the plot here: .svg, .png, .html or .json")
  .parse(["deno", "plot_training", ...Deno.args]).opts<
  { write: boolean; results: string; figure?: string }
>();
const documentPath = `${root}docs/performance.md`;
const figurePath = `${root}docs/figures/training_speed.svg`;

for (const set of setNames) {
  const results = await readResults(folder, set);
  if (results === undefined || results.measured.length === 0) continue;
  const section = sectionOf(results);
  console.log(`${section}\n`);
  if (set === "main" && figure !== undefined) await trainingFigure(results).save(figure);
  if (!write) continue;
  if (set === "main") await trainingFigure(results).save(figurePath);
  await writeFile(
    documentPath,
    replaceSection(await Deno.readTextFile(documentPath), `training ${set}`, section),
  );
}
if (write) {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", documentPath, figurePath],
  })
    .spawn().status;
  Deno.exit(success ? 0 : 1);
}

function sectionOf(results: Results): string {
  const about = provenance(results, relative(root, resultsPath(folder, results.set)));
  if (results.set !== "main") return `${about}\n\n${compactTable(results)}`;
  const picture = "![Training speed and peak memory beside PyTorch and Keras](figures/training_speed.svg)";
  return `${about}\n\n${summarySentence(results)}\n\n${picture}\n\n${detailedTable(results)}`;
}
