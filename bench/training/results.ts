import { join } from "node:path";
import { writeFile } from "../../lib/files/write_file.ts";
import type { ContestantId } from "./contestants.ts";
import type { Configuration, SetName } from "./options.ts";
import type { Outcome } from "./rounds.ts";

/** One start of the program: a file has several where a run was resumed. */
export interface Run {
  readonly date: string;
  readonly command: string;
  readonly machine: Machine;
  /** Git's id of Whittle's commit, with `-dirty` where files differ from it. */
  readonly commit: string;
}

/** What was measured on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
}

/** What was measured of one configuration. */
export interface Measured extends Configuration {
  /** Index of the run. */
  readonly run: number;
  /** Mean number of processes that computed in the minute before. */
  readonly loadBefore: number;
  readonly outcomes: Readonly<Partial<Record<ContestantId, Outcome>>>;
}

/** A file of results: everything that was measured, nothing that follows from it. */
export interface Results {
  readonly set: SetName;
  readonly runs: readonly Run[];
  readonly measured: readonly Measured[];
}

/** Where a set's results are. */
export function resultsPath(folder: string, set: SetName): string {
  return join(folder, `training_${set.replaceAll("-", "_")}.json`);
}

/**
 * Reads a set's results.
 *
 * @param folder Where they are.
 * @param set Its name.
 * @returns The results; none if there is no file.
 */
export async function readResults(folder: string, set: SetName): Promise<Results | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(resultsPath(folder, set)));
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown;
  }
}

/** Writes a set's results, whole or not at all. */
export async function writeResults(folder: string, results: Results): Promise<void> {
  // A line a round: such a file can be read, and compared with the one before.
  const text = JSON.stringify(results, null, 1)
    .replaceAll(/\[[^[\]{}]*\]/g, (list) => list.replaceAll(/\s+/g, " "));
  await writeFile(resultsPath(folder, results.set), text + "\n");
}

/**
 * The measurement of a configuration, if it is finished: all contestants have as many rounds as are wanted.
 *
 * @param results What was measured before.
 * @param wanted The configuration.
 * @param contestants Who is to measure it.
 * @param rounds How often.
 */
export function finished(
  results: Results | undefined,
  wanted: Configuration,
  contestants: readonly ContestantId[],
  rounds: number,
): Measured | undefined {
  const found = results?.measured.find((measured) => sameConfiguration(measured, wanted));
  return contestants.every((id) => (found?.outcomes[id]?.rounds.length ?? 0) >= rounds) ? found : undefined;
}

/**
 * Results with one more measurement, in place of one of the same configuration if there is one.
 *
 * @param results What was measured before.
 * @param measured What was measured now.
 */
export function withMeasured(results: Results, measured: Measured): Results {
  const at = results.measured.findIndex((other) => sameConfiguration(other, measured));
  return { ...results, measured: results.measured.toSpliced(at < 0 ? Infinity : at, 1, measured) };
}

function sameConfiguration(a: Configuration, b: Configuration): boolean {
  return a.model === b.model && a.batchSize === b.batchSize && a.size === b.size && a.threads === b.threads &&
    a.busy === b.busy;
}

/**
 * What a run is told apart by.
 *
 * @param command The command line.
 */
export async function describeRun(command: string): Promise<Run> {
  const cpu = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  return {
    date: new Date().toISOString(),
    command,
    machine: {
      processor: /^model name\s*: (.+)$/m.exec(cpu)?.[1] ?? Deno.build.arch,
      cores: navigator.hardwareConcurrency,
      memoryBytes: Deno.systemMemoryInfo().total,
      system: `${Deno.build.os} ${Deno.osRelease()}`,
    },
    commit: await currentCommit(),
  };
}

async function currentCommit(): Promise<string> {
  const { stdout } = await new Deno.Command("git", {
    args: ["describe", "--always", "--dirty"],
    cwd: new URL(".", import.meta.url).pathname,
    stderr: "null",
  }).output().catch(() => ({ stdout: new Uint8Array() }));
  return new TextDecoder().decode(stdout).trim() || "unknown";
}
