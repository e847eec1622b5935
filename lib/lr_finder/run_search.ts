import { isNotebook } from "../notebook/display.ts";
import { searchView } from "../notebook/search_view.ts";
import type { LRSearchEvent } from "./events.ts";
import type { SearchReader } from "./reader.ts";
import { type FindLRResult, toFindLRResult } from "./result.ts";
import { searchLearningRate, type SearchSetup } from "./search.ts";
import { searchBar } from "./search_bar.ts";

/** A search that a user follows. */
export interface FollowedSearch extends Omit<SearchSetup, "emit"> {
  /** Whether progress shows itself. */
  readonly view: boolean;
  readonly onEvent?: ((event: LRSearchEvent) => unknown) | undefined;
  /** Where to save the curve. */
  readonly savefig?: string | undefined;
}

/**
 * Looks for a learning rate, shows how that goes, and saves the curve if that is asked for.
 *
 * @param setup What is searched and who is told.
 * @returns The result.
 */
export async function runSearch(setup: FollowedSearch): Promise<FindLRResult> {
  const { view, onEvent, savefig, outputDir, data: { validation } } = setup;
  const readers = view ? openReaders(setup) : [];
  const emit = async (event: LRSearchEvent) => {
    for (const reader of readers) await reader(event);
    await onEvent?.(event);
  };
  try {
    const found = await searchLearningRate({ ...setup, emit });
    const result = toFindLRResult(found.state, found.outcome, {
      outputDir,
      validationSize: validation.samples.length,
    });
    if (savefig !== undefined && found.state.trials.length + found.state.points.length > 0) {
      // A curve that cannot be saved must not cost the search.
      await result.figures.learningRates.save(savefig).catch((error: Error) =>
        emit({ type: "warning", message: error.message.replaceAll(/\n\s*/g, "; ") })
      );
    }
    return result;
  } finally {
    for (const reader of readers) await reader.close();
  }
}

function openReaders({ state }: FollowedSearch): SearchReader[] {
  if (isNotebook()) {
    return [searchView({ trials: state.trials, smoothing: state.search.smoothing })];
  }
  return Deno.stderr.isTerminal() ? [searchBar()] : [];
}
