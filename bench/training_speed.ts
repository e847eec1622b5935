/**
 * Whittle, with each of its executors, beside timm on PyTorch (eager, channels last) and Keras on TensorFlow, on this
 * machine: pictures a second in training and evaluation, the time from the start of the process to the end of the first
 * step, and peak memory.
 *
 *     deno task bench:training [--set main|batches|small-pictures|one-thread|busy|all] [--resume] [--help]
 *
 * Every contestant is a process of its own; they measure in turns (see `training/rounds.ts`). Each set is written to
 * `bench/results/training_<set>.json`, after each configuration, and replaces the file of an earlier run unless
 * `--resume` keeps what is finished. `bench/plot_training.ts` makes plot and tables of these files.
 *
 * @module
 */
import { CommanderError } from "npm:commander@15.1.0";
import { pythonEnvironment } from "../tests/interop/python_environment.ts";
import { startBusyProcess } from "./training/busy_process.ts";
import {
  canCompute,
  contestantCommand,
  contestantLabels,
  hasModel,
  kerasPackages,
  type Pythons,
} from "./training/contestants.ts";
import {
  type Configuration,
  configurationsOf,
  parseTrainingOptions,
  type TrainingOptions,
} from "./training/options.ts";
import {
  describeRun,
  finished,
  type Measured,
  readResults,
  type Results,
  withMeasured,
  writeResults,
} from "./training/results.ts";
import { measureInTurns } from "./training/rounds.ts";
import { figureOf } from "./training/statistics.ts";
import { compactTable } from "./training/tables.ts";

const options = readOptions();
const pythons: Pythons = {
  torch: options.python ?? await pythonEnvironment(),
  keras: options.kerasPython ?? await pythonEnvironment(kerasPackages, "keras-python"),
};
const run = await describeRun(["deno task bench:training", ...Deno.args].join(" "));

for (const set of options.sets) {
  const before = options.resume ? await readResults(options.results, set) : undefined;
  let results: Results = { set, runs: [...before?.runs ?? [], run], measured: before?.measured ?? [] };
  for (const configuration of configurationsOf(set, options.models)) {
    const contestants = options.contestants.filter((id) =>
      canCompute(id) && hasModel(id, configuration.model)
    );
    if (finished(before, configuration, contestants, options.rounds) !== undefined) {
      console.error(`${describe(configuration)}: finished before`);
      continue;
    }
    const measured = await measure(configuration, contestants, results.runs.length - 1);
    results = withMeasured(results, measured);
    await writeResults(options.results, results);
  }
  console.log(`${set}\n\n${compactTable(results)}\n`);
}

/** Measures one configuration. */
async function measure(
  configuration: Configuration,
  contestants: TrainingOptions["contestants"],
  run: number,
): Promise<Measured> {
  const name = describe(configuration);
  const loadBefore = Deno.loadavg()[0]!;
  await using _busy = configuration.busy ? startBusyProcess() : undefined;
  const programs = contestants.map((id) => [id, contestantCommand(id, configuration, pythons)] as const);
  const outcomes = await measureInTurns(Object.fromEntries(programs), {
    ...options,
    onRound(id, round, measured) {
      const heading = `${name}, round ${round + 1}, ${contestantLabels[id]}:`;
      if (measured instanceof Error) return console.error(`${heading} ${measured.message}`);
      const [training, evaluation] = (["training", "evaluation"] as const)
        .map((metric) => figureOf(measured, metric, configuration.batchSize)!.toFixed(1));
      console.error(`${heading} training ${training} img/s, evaluation ${evaluation} img/s`);
    },
  });
  return { ...configuration, run, loadBefore, outcomes };
}

function describe({ model, batchSize, size, threads, busy }: Configuration): string {
  const parts = [model, `batch ${batchSize}`, `${size} px`, `${threads} thread${threads === 1 ? "" : "s"}`];
  return [...parts, ...(busy ? ["busy"] : [])].join(", ");
}

function readOptions(): TrainingOptions {
  try {
    return parseTrainingOptions(Deno.args, new URL("results", import.meta.url).pathname);
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode !== 0) console.error(thrown.message); // 0: --help
    Deno.exit(thrown.exitCode);
  }
}
