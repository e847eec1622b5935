import type { EpochRecord, TrainingEvent } from "../events.ts";
import { openLog } from "./_log_file.ts";
import type { EventReader } from "./reader.ts";

/** The columns, in order: the fields of an epoch's record. */
const columns = [
  "epoch",
  "trainLoss",
  "trainTop1",
  "validationLoss",
  "validationTop1",
  "validationTop5",
  "learningRate",
] as const satisfies readonly (keyof EpochRecord)[];

/**
 * Writes the history of a run as CSV: a line of names, then a row an epoch, each written as soon as it is known; with
 * frozen epochs a last column, `phase`, tells which they are. When a run is resumed, rows of epochs that are trained again are cut first.
 *
 * @param path The file; its folder is made if needed.
 * @returns A reader of events.
 *
 * @example
 * ```ts
 * const log = csvLog(`${await Deno.makeTempDir()}/history.csv`);
 * log({ type: "warning", message: "only epochs are written" });
 * log.close();
 * ```
 */
export function csvLog(path: string): EventReader {
  const file = openLog(path);
  let written: readonly (keyof EpochRecord)[] = columns;
  const read = (event: TrainingEvent) => {
    if (event.type === "start") {
      if (event.freezeEpochs) written = [...columns, "phase"];
      const epochOf = (row: string) => /^\d+,/.test(row) ? parseInt(row) : -1; // -1: the names
      const isKept = (row: string) => epochOf(row) < event.epoch && row.split(",").length === written.length;
      const isResumed = event.epoch > 0 || event.step > 0;
      if (!isResumed || file.keep(isKept) === 0) file.restart(written.join(","));
    } else if (event.type === "epoch") {
      file.append(written.map((name) => String(event[name] ?? "")).join(","));
    }
  };
  return Object.assign(read, { close: file.close });
}
