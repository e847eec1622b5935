/**
 * What the adaptive recipes and each of their parts do to accuracy, in short runs on few pictures: baseline, adaptive,
 * and adaptive without each part, on Fashion-MNIST and the emoji set, with three seeds.
 *
 *     deno run -A bench/ablation.ts [--list] [--only TEXT] [--limit N] [--document]
 *
 * A queue that can be stopped at any time: each run writes `bench/results/ablation/<run>.json`, runs that have a file
 * are left out, and the one that was stopped goes on where it was. `--document` writes the tables and plots of
 * docs/results.md from the files.
 *
 * @module
 */
import { join } from "node:path";
import process from "node:process";
import { Command } from "npm:commander@15.1.0";
import { writeFile } from "../lib/files/write_file.ts";
import { cacheFolder } from "../lib/provision/cache.ts";
import { evaluate, fineTune } from "../mod.ts";
import { openData } from "./ablation/data.ts";
import { chosenRate, readResults, type Result, resultsFolder } from "./ablation/results.ts";
import { type AblationRun, nameOf, networks, queue, recipeOf, settingsOf, sizes } from "./ablation/runs.ts";
import { writeDocument } from "./ablation/document.ts";

const options = new Command("ablation")
  .option("--list", "tell which runs are done and which are not")
  .option("--only <text>", "runs whose name has this text")
  .option("--limit <n>", "so many runs at most", Number, Infinity)
  .option("--document", "write docs/results.md from the results")
  .parse(["deno", "ablation", ...Deno.args])
  .opts<{ list?: boolean; only?: string; limit: number; document?: boolean }>();

const wanted = queue().filter((run) => nameOf(run).includes(options.only ?? ""));
if (options.list) {
  const done = new Set((await readResults()).map(nameOf));
  for (const run of wanted) console.log(`${done.has(nameOf(run)) ? "done" : "open"}  ${nameOf(run)}`);
} else if (options.document) await writeDocument();
else await work();
Deno.exit(); // the threads that compute would keep the process

async function work(): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop.abort());
  let left = options.limit;
  for (const run of wanted) {
    const done = await readResults();
    if (left <= 0 || stop.signal.aborted) return;
    if (done.some((result) => nameOf(result) === nameOf(run))) continue;
    const result = await carryOut(run, run.learningRate ?? chosenRate(done, run), stop.signal);
    if (result === undefined) return;
    await Deno.mkdir(resultsFolder, { recursive: true });
    await writeFile(join(resultsFolder, `${nameOf(run)}.json`), written(result));
    console.error(
      `${nameOf(run)}: ${(100 * result.testTop1).toFixed(2)} % in ${result.seconds.toFixed(0)} s`,
    );
    left--;
  }
}

/** One run; nothing if it was stopped, and goes on the next time. */
async function carryOut(
  run: AblationRun,
  learningRate: number,
  signal: AbortSignal,
): Promise<Result | undefined> {
  const { id, weights } = networks[run.network];
  const data = await openData(run.data);
  const outputDir = join(cacheFolder(), "ablation", nameOf(run));
  const begun = await Deno.stat(join(outputDir, "resume.safetensors")).then(() => true, () => false);
  const spent = process.cpuUsage();
  const trained = await fineTune(id, data, {
    ...(begun
      ? { resumeFrom: outputDir }
      : { recipe: recipeOf(run, learningRate), seed: run.seed, outputDir }),
    weights,
    imageSize: sizes.imageSize,
    logs: [],
    view: false,
    signal,
  });
  if (trained.stopped === "interrupted") return undefined;
  const { user, system } = process.cpuUsage(spent);
  const { top1, loss } = await evaluate(trained, data.test);
  await trained.model.dispose();
  await Deno.remove(outputDir, { recursive: true });
  const parts = { train: data.train, validation: data.validation, test: data.test };
  const { library, processor, threads } = trained.environment;
  return {
    ...run,
    settings: settingsOf(run.network),
    learningRateUsed: learningRate,
    model: trained.model.id,
    pictures: Object.fromEntries(Object.entries(parts).map(([name, { samples }]) => [name, samples.length])),
    recipe: trained.recipe,
    testTop1: top1,
    testLoss: rounded(loss),
    validationTop1: rounded(trained.best!.validationTop1),
    bestEpoch: trained.best!.epoch,
    epochs: trained.history.length,
    validationTop1ByEpoch: trained.history.map(({ validationTop1 }) => rounded(validationTop1)),
    trainLossByEpoch: trained.history.map(({ trainLoss }) => rounded(trainLoss)),
    learningRateByEpoch: trained.history.map((epoch) => rounded(epoch.learningRate)),
    seconds: rounded(trained.durationSeconds),
    processorSeconds: rounded((user + system) / 1e6),
    wentOn: begun,
    environment: { library, processor, threads },
  };
}

/** As JSON, with lists of numbers on one line. */
function written(result: Result): string {
  const text = JSON.stringify(result, null, 2);
  return text.replaceAll(/\[[\s\d.,e-]+\]/g, (list) => list.replaceAll(/\s+/g, " ")) + "\n";
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
