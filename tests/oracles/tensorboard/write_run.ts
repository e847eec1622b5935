/** Writes the event files that `read_run.py` reads: a run, killed in its second epoch, then resumed. */
import { exampleRun } from "../../training/readers/example_run.ts";
import type { StartEvent } from "../../../lib/training/events.ts";
import { tensorboardLog } from "../../../lib/training/readers/tensorboard_log.ts";

/** Writes the files into a folder. */
export function writeRun(folder: string): void {
  const events = exampleRun();
  let seconds = 1_700_000_000;
  const log = tensorboardLog(folder, { now: () => 1000 * seconds++ });
  for (const event of events.slice(0, 8)) log(event); // up to step 0 of the second epoch
  log({ ...events[0] as StartEvent, epoch: 1, step: 0 });
  for (const event of events.slice(6)) {
    log(event.type === "step" ? { ...event, loss: event.loss / 2 } : event);
  }
  log.close();
}

if (import.meta.main) writeRun(Deno.args[0]);
