import type { TrainingEvent } from "../events.ts";

/** Something that reads the events of a run: a progress bar, a log file. Call it with each event, then close it. */
export interface EventReader {
  /** Reads one event; await it before the next one. */
  (event: TrainingEvent): void | Promise<void>;
  /** Writes what is left and releases files; may be called twice. */
  close(): void | Promise<void>;
}
