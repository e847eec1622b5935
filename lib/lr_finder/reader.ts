import type { LRSearchEvent } from "./events.ts";

/** Something that reads the events of a search. Call it with each event, then close it. */
export interface SearchReader {
  /** Reads one event; await it before the next one. */
  (event: LRSearchEvent): void | Promise<void>;
  /** Writes what is left; may be called twice. */
  close(): void | Promise<void>;
}
