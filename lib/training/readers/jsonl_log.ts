import type { TrainingEvent } from "../events.ts";
import { openLog } from "./_log_file.ts";
import type { EventReader } from "./reader.ts";

/**
 * Writes every event of a run as one line of JSON, as soon as it happens; `time` is added, ISO 8601 in UTC. When a run
 * is resumed, the lines after the resumed point are cut first. Values that JSON lacks (NaN) become null.
 *
 * @param path The file; its folder is made if needed.
 * @param options `now`: the clock.
 * @returns A reader of events.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const path = `${await Deno.makeTempDir()}/events.jsonl`;
 * const log = jsonlLog(path, { now: () => new Date(0) });
 * log({ type: "warning", message: "class sizes differ" });
 * log.close();
 * assert.equal(
 *   await Deno.readTextFile(path),
 *   '{"time":"1970-01-01T00:00:00.000Z","type":"warning","message":"class sizes differ"}\n',
 * );
 * ```
 */
export function jsonlLog(path: string, options: { now?: () => Date } = {}): EventReader {
  const now = options.now ?? (() => new Date());
  const file = openLog(path);
  let isStarted = false;
  const early: string[] = []; // warnings before the start, which decides what becomes of an earlier run's lines
  const read = (event: TrainingEvent) => {
    const line = JSON.stringify({ time: now().toISOString(), ...event });
    if (event.type === "start") {
      if (event.epoch > 0 || event.step > 0) {
        let isBefore = true; // up to the first line of what is trained again
        file.keep((line) => isBefore &&= happenedBefore(line, event.epoch, event.step));
      } else {
        file.restart();
      }
      for (const one of early.splice(0)) file.append(one);
      isStarted = true;
    }
    if (isStarted) file.append(line);
    else early.push(line);
  };
  const close = () => {
    for (const one of early.splice(0)) file.append(one); // a run that never started
    file.close();
  };
  return Object.assign(read, { close });
}

/** Whether a line tells of something before a step; a line cut off by a crash does not. */
function happenedBefore(line: string, epoch: number, step: number): boolean {
  let event: TrainingEvent;
  try {
    event = JSON.parse(line);
  } catch {
    return false;
  }
  if (event.type === "epoch") return event.epoch < epoch;
  if (event.type === "step") return event.epoch < epoch || (event.epoch === epoch && event.step < step);
  return true;
}
