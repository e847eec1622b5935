import type { Dataset } from "../data/dataset.ts";
import { plural } from "../plots/theme.ts";
import { bestTrial } from "./best_trial.ts";
import { judgeCurve, type Judgement, judgeTrials } from "./judge.ts";
import { SKIP_END, SKIP_START } from "./range_test.ts";
import type { SearchState } from "./search_state.ts";

/** How sure a suggestion is; `unfinished`: the search was stopped before it could tell anything. */
export type Verdict = Judgement["verdict"] | "unfinished";

/** What a search tells. */
export interface SearchOutcome {
  /** The rate to train with; none if the search tells none. */
  readonly suggestion: number | undefined;
  /** How it was chosen, in words. */
  readonly rule: string;
  /** How sure it is. */
  readonly verdict: Verdict;
  /** Why, with the numbers. */
  readonly reason: string;
  /** Whether all of the search was done, or the user stopped it. */
  readonly stopped: "completed" | "interrupted";
}

/** The fewest steps of a range test that tell something: those that are left aside, and two more for a slope. */
const fewestPoints = SKIP_START + SKIP_END + 2;

/**
 * What a search tells where it stands.
 *
 * @param state The search.
 * @param validation The validation set.
 * @returns The outcome.
 */
export function outcomeOf(state: SearchState, validation: Dataset): SearchOutcome {
  const { search, done } = state;
  const stopped = done ? "completed" : "interrupted";
  const judgement = search.mode === "fast_ai" ? judgePoints(state) : judgeState(state, validation);
  return { ...judgement, rule: ruleOf(state), stopped };
}

function judgePoints({ points, search, done }: SearchState): Omit<SearchOutcome, "rule" | "stopped"> {
  if (!done) {
    const reason = "The range test was stopped before its end; resumed, it begins again.";
    return { suggestion: undefined, verdict: "unfinished", reason };
  }
  if (points.length < fewestPoints) {
    const reason =
      `The loss diverged after ${
        points.length === 1 ? "1 step" : `${points.length} steps`
      }, and a range test ` +
      `needs at least ${fewestPoints}. Lower minLearningRate.`;
    return { suggestion: undefined, verdict: "failed", reason };
  }
  return judgeCurve(points, search.smoothing);
}

function judgeState(
  { trials, done }: SearchState,
  { samples, classNames }: Dataset,
): Omit<SearchOutcome, "rule" | "stopped"> {
  if (!done && bestTrial(trials) === undefined) {
    const reason = "The search was stopped before a trial was complete.";
    return { suggestion: undefined, verdict: "unfinished", reason };
  }
  const counts = new Array<number>(classNames.length).fill(0);
  for (const { label } of samples) counts[label]!++;
  return judgeTrials(trials, { images: samples.length, chance: Math.max(...counts) / samples.length });
}

/** How a suggestion is chosen, in words. */
function ruleOf({ search, trials }: SearchState): string {
  if (search.mode === "fast_ai") {
    return `the rate at which the smoothed loss falls most steeply, the first ${SKIP_START} and the last ` +
      `${SKIP_END} steps left aside`;
  }
  const best = bestTrial(trials);
  const which = best === undefined ? "" : `, trial ${best.number + 1} of ${trials.length}`;
  return `the rate of the trial with the best validation top-1 after ${
    plural(search.epochs, "epoch")
  }${which}`;
}
