import { dirname, join } from "node:path";
import { type DataSummary, type ReportInput, reportPage } from "./notebook/report_page.ts";
import type { RunSummary } from "./notebook/run_view.ts";
import { writeFileWhole } from "./plots/write_file.ts";

export type { DataSummary, ReportInput, RunSummary };

/** A report that was written. */
export interface Report {
  /** The file. */
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * Writes what a run was and how good its model is as one HTML page: data, recipe, curves, accuracy, confusion matrix,
 * worst mistakes, each class. The page needs no network; figures are interactive.
 *
 * @param run A result of `fineTune`, or `{ run, evaluation, data, recipe, environment }` for a page that tells more.
 * @param path Where the page goes.
 * @default {`report.html` beside the checkpoint}
 * @returns Where it is.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const run = { model: { id: "mobilenetv3_small_100", classNames: ["cat", "dog"] }, history: [], stopped: "interrupted" };
 * const { sizeBytes } = await report(run as RunSummary, `${await Deno.makeTempDir()}/report.html`);
 * assert.ok(sizeBytes > 1e6); // plotly.js is in it
 * ```
 */
export async function report(run: RunSummary | ReportInput, path?: string): Promise<Report> {
  const input = "run" in run ? run : { run };
  const file = path ?? join(input.run.checkpoint ? dirname(input.run.checkpoint) : ".", "report.html");
  const page = new TextEncoder().encode(
    await reportPage({ ...input, environment: input.environment ?? environment() }),
  );
  await writeFileWhole(file, page);
  return { path: file, sizeBytes: page.length };
}

/** What can be told of this machine without asking anybody. */
function environment(): Record<string, unknown> {
  return {
    deno: Deno.version.deno,
    system: `${Deno.build.os} ${Deno.build.arch}`,
    threads: navigator.hardwareConcurrency,
  };
}
