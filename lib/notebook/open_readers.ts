import { join } from "node:path";
import type { FineTuneOptions } from "../training/fine_tune_options.ts";
import type { EpochRecord } from "../training/events.ts";
import { csvLogName, jsonlLogName, tensorboardFolderName } from "../training/log_files.ts";
import { csvLog } from "../training/readers/csv_log.ts";
import { jsonlLog } from "../training/readers/jsonl_log.ts";
import type { EventReader } from "../training/readers/reader.ts";
import { tensorboardLog } from "../training/readers/tensorboard_log.ts";
import { terminalBar } from "../training/readers/terminal_bar.ts";
import { isNotebook } from "./display.ts";
import { notebookView } from "./training_view.ts";

/**
 * Opens what reads the events of a training: its log files, and what shows it where it runs.
 *
 * @param outputDir Folder of the log files.
 * @param options `logs`: which files; `view`: whether it is shown; it is not by default where the caller listens.
 * @param history Epochs of an earlier part of the run.
 * @returns The readers; close them at the end.
 */
export function openReaders(
  outputDir: string,
  options: Pick<FineTuneOptions, "logs" | "view"> & { onEvent?: unknown },
  history: readonly EpochRecord[] | undefined,
): EventReader[] {
  const logs = options.logs ?? ["csv", "jsonl", "tensorboard"];
  const readers: EventReader[] = [];
  if (logs.includes("csv")) readers.push(csvLog(join(outputDir, csvLogName)));
  if (logs.includes("jsonl")) readers.push(jsonlLog(join(outputDir, jsonlLogName)));
  if (logs.includes("tensorboard")) readers.push(tensorboardLog(join(outputDir, tensorboardFolderName)));
  if (options.view ?? options.onEvent === undefined) {
    if (isNotebook()) readers.push(notebookView({ history }));
    else if (Deno.stderr.isTerminal()) readers.push(terminalBar());
  }
  return readers;
}
