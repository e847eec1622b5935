import type { Settings } from "../ablation/runs.ts";
import type { Machine } from "../training/results.ts";
import { toMarkdown } from "../training/tables.ts";

export type Contestant = "whittle" | "torch";

/** Since the start of the process. */
interface Times {
  /** Of the processor, by all threads. */
  readonly processorSeconds: number;
  /** On the clock. */
  readonly seconds: number;
}

/** What one run gave. */
export interface TorchRun {
  readonly contestant: Contestant;
  readonly seed: number;
  readonly testTop1: number;
  readonly bestEpoch: number;
  /** When the first step could begin. */
  readonly ready: Times;
  /** When the last epoch was validated. */
  readonly done: Times;
  readonly epochs: readonly (Times & { readonly validationTop1: number; readonly trainLoss: number })[];
  readonly peakMemoryBytes: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** All runs of both. */
export interface TorchComparison {
  readonly command: string;
  readonly machine: Machine;
  readonly settings: Settings & { readonly configuration: string; readonly learningRate: number };
  readonly runs: readonly TorchRun[];
}

/** The validation top-1 that all runs reach: the lowest of their best ones. */
export function commonTop1({ runs }: TorchComparison): number {
  return Math.min(
    ...runs.map(({ epochs }) => Math.max(...epochs.map(({ validationTop1 }) => validationTop1))),
  );
}

/** Processor seconds until a run validates that well, from the start of its process. */
export function secondsTo(top1: number, { epochs }: TorchRun): number {
  return epochs.find(({ validationTop1 }) => validationTop1 >= top1)!.processorSeconds;
}

/** A row for each program, as Markdown: means over the seeds, and from the least to the greatest. */
export function besideTable(comparison: TorchComparison): string {
  const common = commonTop1(comparison);
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  const seconds = (value: number) => `${value.toFixed(0)} s`;
  const rows = (["whittle", "torch"] as const).map((contestant) => {
    const runs = comparison.runs.filter((run) => run.contestant === contestant);
    const cell = (of: (run: TorchRun) => number, text: (value: number) => string) => {
      const values = runs.map(of), mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return `${text(mean)} (${text(Math.min(...values))} to ${text(Math.max(...values))})`;
    };
    return [
      contestant === "whittle" ? "Whittle" : "PyTorch",
      cell(({ testTop1 }) => testTop1, percent),
      cell((run) => secondsTo(common, run), seconds),
      cell(({ done }) => done.processorSeconds, seconds),
      cell(({ ready }) => ready.processorSeconds, (value) => `${value.toFixed(1)} s`),
      cell(({ peakMemoryBytes }) => peakMemoryBytes / 1e6, (value) => `${value.toFixed(0)} MB`),
    ];
  });
  const head = [
    "",
    "test top-1",
    `time to ${percent(common)} in validation`,
    "whole run",
    "of it before the first step",
  ]
    .concat("peak memory");
  return toMarkdown(head, rows);
}
