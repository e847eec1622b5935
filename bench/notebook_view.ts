/**
 * What the curves that draw themselves in a notebook cost a run, on this machine:
 *
 *     deno run -A bench/notebook_view.ts [--model mobilenetv3_small_100] [--steps 40] [--rounds 5]
 *
 * Executes a notebook on the real Deno kernel (nbclient) that fine-tunes in turns with the view and without it, on
 * pictures that are in memory, and prints medians. The smallest network is the hardest case. Nobody looks at the
 * notebook meanwhile: what a browser on the same cores costs is not in it.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { Command } from "npm:commander@15.1.0";
import { executeNotebook, joined, notebooksFolder, readNotebook } from "../tests/notebooks/_notebook.ts";

const { model, steps, rounds } = new Command("notebook_view")
  .option("--model <id>", "timm id", "mobilenetv3_small_100")
  .option("--steps <n>", "steps of 32 pictures in each run", Number, 40)
  .option("--rounds <n>", "runs with and without", Number, 5)
  .parse(["deno", "notebook_view", ...Deno.args]).opts<{ model: string; steps: number; rounds: number }>();

const cell = `
import { dataset, fineTune } from "../mod.ts";

const picture = (seed) => ({
  width: 256, height: 256, channels: 3,
  data: Uint8Array.from({ length: 256 * 256 * 3 }, (_, i) => (i * (seed + 3) * 2654435761) >>> 24),
});
const list = (count) =>
  dataset(Array.from({ length: count }, (_, i) => ({ image: picture(i), label: i % 2, name: String(i) })), ["a", "b"]);
const train = list(32 * ${steps}), validation = list(32);
const seconds = { with: [], without: [] };
for (let round = -1; round < ${rounds}; round++) { // the first warms up
  for (const view of [true, false]) {
    const started = performance.now();
    let first;
    await fineTune(${JSON.stringify(model)}, { classNames: ["a", "b"], train, validation }, {
      weights: null, epochs: 1, view, logs: [], outputDir: "outputs/view",
      onEvent: (event) => { if (event.type === "step") first ??= performance.now(); },
    });
    if (round >= 0) seconds[view ? "with" : "without"].push((performance.now() - first) / 1000);
  }
}
console.log("measured " + JSON.stringify(seconds));
`;

const folder = await notebooksFolder();
try {
  const path = join(folder, "view.ipynb");
  await Deno.writeTextFile(
    path,
    JSON.stringify({
      cells: [{
        cell_type: "code",
        id: "run",
        metadata: {},
        execution_count: null,
        outputs: [],
        source: cell,
      }],
      metadata: {
        kernelspec: { display_name: "Deno", language: "typescript", name: "deno" },
        language_info: { name: "typescript" },
      },
      nbformat: 4,
      nbformat_minor: 5,
    }),
  );
  const { cells } = await readNotebook(await executeNotebook(path, folder));
  const outputs = cells[0]!.outputs ?? [];
  const failed = outputs.find((output) => output.output_type === "error");
  if (failed !== undefined) throw new Error(failed.evalue);
  const text = outputs.flatMap((output) => output.output_type === "stream" ? [joined(output.text)] : [])
    .join("");
  const seconds = JSON.parse(/measured (.*)/.exec(text)![1]!) as Record<"with" | "without", number[]>;
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
  const [withView, without] = [median(seconds.with), median(seconds.without)];
  console.log(
    `${model}, ${steps} steps of 32 pictures after the first, and validation: ${
      withView.toFixed(2)
    } s with the ` +
      `view, ${without.toFixed(2)} s without, ${(100 * (withView / without - 1)).toFixed(1)} % more`,
  );
} finally {
  await Deno.remove(dirname(folder), { recursive: true });
}
