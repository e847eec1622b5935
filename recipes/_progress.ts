import { searchBar } from "../lib/lr_finder/search_bar.ts";
import type { TrainingEvent } from "../lib/training/events.ts";
import { terminalBar } from "../lib/training/readers/terminal_bar.ts";

/** Shows how a run goes: where standard error is a terminal with a bar, else with one line an epoch or trial. */
export interface Progress {
  /** Told everything that happens. */
  read(event: TrainingEvent): void | Promise<void>;
  /** Leaves the last line as it is. */
  close(): Promise<void>;
}

/** Opens the bars of a run and of the search before it. */
export function openProgress(): Progress {
  const training = terminalBar(), search = searchBar();
  return {
    read: (event) => event.type.startsWith("search-") ? search(event as never) : training(event),
    async close() {
      await search.close();
      await training.close();
    },
  };
}
