import { dirname, join } from "node:path";
import type { Inspection } from "./data/inspect_data.ts";
import { writeFile } from "./files/write_file.ts";
import type { Evaluation } from "./metrics/evaluation.ts";
import { reportPage } from "./notebook/report_page.ts";
import type { RunSummary } from "./notebook/run_view.ts";
import { checkOptions } from "./errors/check_options.ts";

/** Options of {@linkcode report}. */
export interface ReportOptions {
  /** A result of `evaluate`: adds accuracy, confusion matrix, worst mistakes, each class and calibration. */
  evaluation?: Evaluation;
  /** A result of `inspect`: adds how many pictures each class has, and what is wrong with them. */
  inspection?: Inspection;
  /** Where the page goes. @default {`report.html` beside the checkpoint} */
  file?: string;
}

/** A report that was written. */
export interface Report {
  /** Path of the page. */
  readonly file: string;
  /** Its size. */
  readonly sizeBytes: number;
}

/**
 * Writes what a run was and how good its model is as one HTML page: recipe, curves, accuracy, confusion matrix, worst
 * mistakes, each class, data, machine. Its figures are interactive; it needs no network and loads nothing.
 *
 * @param run A result of `fineTune`.
 * @param options What else the page tells, and where it goes.
 * @returns Where it is.
 * @throws {TypeError} If an option is unknown, or `run` is no run.
 * @throws {Error} If the page cannot be written.
 *
 * @example
 * ```ts ignore
 * import { evaluate, fineTune, imageFolders, report } from "whittle";
 *
 * const data = await imageFolders("pets");
 * const run = await fineTune("mobilenetv3_small_100", data);
 * const { file } = await report(run, { evaluation: await evaluate(run, data.validation) });
 * ```
 */
export async function report(run: RunSummary, options: ReportOptions = {}): Promise<Report> {
  checkOptions(options, ["evaluation", "inspection", "file"], "report");
  if (!Array.isArray(run?.history)) {
    throw new TypeError(
      "Cannot report: found no run, wanted what fineTune() returned\n" +
        "  help: write for example report(run, { evaluation })",
    );
  }
  const { evaluation, inspection } = options;
  const file = options.file ?? join(run.checkpoint ? dirname(run.checkpoint) : ".", "report.html");
  const page = new TextEncoder().encode(await reportPage({ run, evaluation, inspection, date: new Date() }));
  await writeFile(file, page);
  return { file, sizeBytes: page.length };
}
