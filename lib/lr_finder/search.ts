import type { DatasetSplits } from "../data/dataset.ts";
import type { Model } from "../models/model.ts";
import { type BenchSetup, openBench } from "./_bench.ts";
import { followCost, measureEpoch } from "./_cost.ts";
import { epochsToCome, runRangeTest, runTrials, type Search, startEvent } from "./_search_run.ts";
import type { LRSearchEvent } from "./events.ts";
import { outcomeOf, type SearchOutcome } from "./outcome.ts";
import { saveSearch, type SearchState } from "./search_state.ts";
import { trialRecipe } from "./trial_recipe.ts";

/** What a search is made of. */
export interface SearchSetup extends Omit<BenchSetup, "recipe" | "seed"> {
  /** With its first weights; they are not changed. */
  readonly model: Model;
  readonly data: DatasetSplits;
  /** Where the search begins or goes on. */
  readonly state: SearchState;
  /** Folder for the state; it exists. */
  readonly outputDir: string;
  /** What the user should know before it begins. */
  readonly warnings?: readonly string[];
  /** Asks the search to finish its step, save and return. */
  readonly signal: AbortSignal;
  /** Told about everything that happens, in order. */
  readonly emit: (event: LRSearchEvent) => void | Promise<void>;
}

/**
 * Looks for a learning rate: trials that each train the network from the same first weights, with the same pictures in
 * the same order, at another constant rate; or a range test.
 *
 * The search is a function of its setup. Its state is written after each trial, so that a search that was killed and
 * resumed ends with the same trials as one that never was. Nothing of the model or of the process is changed.
 *
 * @param setup Network, data, settings and where to write.
 * @returns What the search tells, and where it ended.
 * @throws {DatasetError} If pictures cannot be read.
 */
export async function searchLearningRate(
  setup: SearchSetup,
): Promise<{ outcome: SearchOutcome; state: SearchState }> {
  const started = performance.now();
  let { state } = setup;
  const { signal, emit, outputDir, data, model } = setup;
  await saveSearch(outputDir, state);
  for (const message of setup.warnings ?? []) await emit({ type: "warning", message });
  if (!state.done) {
    const bench = await openBench({ ...setup, recipe: trialRecipe(state.recipe), seed: state.seed });
    try {
      const secondsPerEpoch = await measureEpoch(bench, signal);
      const search: Search = {
        model,
        bench,
        state,
        cost: followCost(secondsPerEpoch),
        outputDir,
        signal,
        emit,
      };
      const before = state.durationSeconds;
      const save = async (change: Partial<SearchState>) => {
        const durationSeconds = before + (performance.now() - started) / 1000;
        state = { ...state, ...change, durationSeconds };
        search.state = state;
        await saveSearch(outputDir, state);
      };
      if (!signal.aborted) { // else what an epoch takes is not known
        await emit(startEvent(search, data, secondsPerEpoch * epochsToCome(search)));
        await (state.search.mode === "fast_ai" ? runRangeTest : runTrials)(search, save);
      }
      await save({});
      await warnAboutSkipped(search);
    } finally {
      await bench.dispose();
    }
  }
  const outcome = outcomeOf(state, data.validation);
  const elapsedSeconds = (performance.now() - started) / 1000;
  await emit({ type: "search-end", ...outcome, elapsedSeconds });
  return { outcome, state };
}

/** Tells about pictures that turned out to be unreadable. */
async function warnAboutSkipped({ bench: { trainLoader, validationLoader }, emit }: Search): Promise<void> {
  const skipped = [...trainLoader.unreadable, ...validationLoader.unreadable];
  if (skipped.length === 0) return;
  const names = skipped.slice(0, 5).map(({ name, reason }) => `${name} (${reason})`).join(", ");
  const more = skipped.length > 5 ? ` and ${skipped.length - 5} more` : "";
  const message = `${skipped.length === 1 ? "1 picture was" : `${skipped.length} pictures were`} skipped, ` +
    `because of what they hold: ${names}${more}`;
  await emit({ type: "warning", message });
}
