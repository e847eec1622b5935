import { writeFile } from "../../lib/files/write_file.ts";
import { replaceSection } from "../training/document.ts";
import { ablationFigure } from "./figure.ts";
import { readResults, type Result } from "./results.ts";
import { dataNames, type NetworkName, networks, queue, searchSeed } from "./runs.ts";
import { summarise } from "./summary.ts";
import { conditions, dataTitles, rateTable, techniqueTable, titleOf, verdict } from "./tables.ts";

const docs = new URL("../../docs/", import.meta.url).pathname;

/** Writes what the runs gave into docs/results.md, between the marks `ablation`, and draws docs/figures/ablation.svg. */
export async function writeDocument(): Promise<void> {
  const results = await readResults();
  if (results.length === 0) throw new Error("Cannot write the tables: there is no result yet");
  const [page, figure] = [`${docs}results.md`, `${docs}figures/ablation.svg`];
  const compared = results.filter(({ seed }) => seed !== searchSeed);
  if (compared.length > 0) await ablationFigure(compared).save(figure);
  await writeFile(page, replaceSection(await Deno.readTextFile(page), "ablation", sections(results)));
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", page, ...compared.length > 0 ? [figure] : []],
  })
    .output();
  if (!success) throw new Error(`Cannot format ${page}`);
}

/** Conditions, the plot, and for each network and data set a table with what it says in words. */
export function sections(results: readonly Result[]): string {
  const parts = (Object.keys(networks) as NetworkName[]).flatMap((network) =>
    dataNames.flatMap((data) => {
      const rows = summarise(results, network, data);
      if (rows.length === 0) return [];
      return [`### ${dataTitles[data]}, ${titleOf(network)}`, techniqueTable(rows), verdict(rows)];
    })
  );
  return [
    conditions(results, queue().length),
    parts.length === 0 ? "" : "![Test top-1 of every run, by configuration](figures/ablation.svg)",
    ...parts,
    "### Learning rates",
    rateTable(results),
  ].filter((part) => part !== "").join("\n\n");
}
